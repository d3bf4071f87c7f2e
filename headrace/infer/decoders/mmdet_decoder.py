"""MMDetection's detectors, exported by MMDeploy with post-processing."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs
from headrace.infer.decoders.scores import numbers, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions

_ROW, _STEP = 5, 32


class MmdetDecoder(BoxDecoder):
    """Outputs ``(N, M, 5)`` with left, top, right, bottom, score, and ``(N, M)``, the classes.

    Example:
        >>> import numpy as np
        >>> rows = {"dets": np.array([[[10, 20, 30, 40, 0.9]]]), "labels": np.array([[3]])}
        >>> MmdetDecoder().decode(rows, DecodeOptions(0.5, 64, 64)).class_id.tolist()
        [3]
    """

    name = "mmdet"
    usual_size = (640, 640)
    task = "detect"
    overlapping = False

    def matches(self, graph: ModelGraph) -> Match | None:
        """By rows of five and one number for each row."""
        shapes = sorted((output.shape for output in graph.outputs), key=len)
        if [len(shape) for shape in shapes] != [2, 3] or shapes[1][2] != _ROW:
            return None
        return Match(0.9, f"{'; '.join(map(str, graph.outputs))}: rows of box and score, and their classes")

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB normalised by ImageNet's means and deviations, letterboxed to the top left on black."""
        mean, std = IMAGENET_RGB.mean, IMAGENET_RGB.std
        return PreprocessOptions(padding="topleft", pad_value=0.0, scale=1.0, mean=mean, std=std)

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`."""
        return _STEP  # what its own preprocessing pads pictures to a multiple of

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        labels: Array
        labels, rows = sorted(outputs.values(), key=lambda array: int(array.ndim))
        xp = array_namespace(rows)
        scores = numbers(rows[:, :, 4])
        frame, row = xp.nonzero((scores >= options.confidence) & (labels >= 0))
        classes = xp.astype(labels[frame, row], xp.int32)
        return Candidates(frame, single(rows[frame, row, :4]), scores[frame, row], classes)


DECODER = MmdetDecoder()
