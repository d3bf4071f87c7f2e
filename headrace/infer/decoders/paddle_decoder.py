"""PaddleDetection's detectors, exported with post-processing: PP-YOLOE, RT-DETR and others."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs
from headrace.infer.decoders.scores import numbers, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_ROW = 6


class PaddleDecoder(BoxDecoder):
    """Outputs ``(K, 6)`` with class, score, left, top, right, bottom, and ``(N)``, how many rows each picture has.

    Boxes are in pixels of the input, as the inputs ``scale_factor`` and ``im_shape`` are filled with it.

    Example:
        >>> import numpy as np
        >>> rows = {"boxes": np.array([[[3, 0.9, 10, 20, 30, 40], [-1, 0, 0, 0, 0, 0]]]), "count": np.array([[1]])}
        >>> PaddleDecoder().decode(rows, DecodeOptions(0.5, 64, 64)).class_id.tolist()
        [3]
    """

    name = "paddle"
    usual_size = (640, 640)
    task = "detect"
    overlapping = False

    def matches(self, graph: ModelGraph) -> Match | None:
        """By rows of six without a batch axis and a count."""
        shapes = sorted((output.shape for output in graph.outputs), key=len)
        if [len(shape) for shape in shapes] != [1, 2] or shapes[1][1] != _ROW:
            return None
        return Match(
            0.9, f"{'; '.join(map(str, graph.outputs))}: rows of class, score, box, and their number"
        )

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, stretched."""
        return PreprocessOptions(resize="stretch")

    def batched(self, graph: ModelGraph) -> bool:
        """Rows are objects."""
        return False

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        counts, rows = sorted(outputs.values(), key=lambda array: int(array.ndim))
        if counts.ndim != 2 or rows.ndim != 3 or rows.shape[2] != _ROW:
            raise ValueError(f"they are not rows of {_ROW} and their number")
        xp = array_namespace(rows)
        rows = rows[0, : int(counts[0, 0])]
        rows = rows[(numbers(rows[:, 1]) >= options.confidence) & (rows[:, 0] >= 0)]
        classes = xp.astype(rows[:, 0], xp.int32)
        return Candidates(xp.zeros_like(classes), single(rows[:, 2:]), rows[:, 1], classes)


DECODER = PaddleDecoder()
