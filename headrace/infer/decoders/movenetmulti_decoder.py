"""MoveNet, several people: a row for each of six (tfhub.dev/google/movenet/multipose)."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, only_output
from headrace.infer.decoders.scores import numbers, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_POINTS = 17
#: Three numbers for each point, then top, left, bottom, right and confidence.
_ROW = 3 * _POINTS + 5
_PEOPLE = 6


class MovenetMultiDecoder(BoxDecoder):
    """Output ``(N, 6, 56)``: y, x and confidence of 17 points, a box and its confidence, all in fractions.

    Example:
        >>> import numpy as np
        >>> rows = np.zeros((1, 6, 56), np.float32)
        >>> rows[0, 2, 51:] = 0.25, 0.5, 0.75, 1, 0.875
        >>> MovenetMultiDecoder().decode({"output_0": rows}, DecodeOptions(0.5, 256, 128)).xyxy.tolist()
        [[128.0, 32.0, 256.0, 96.0]]
    """

    name = "movenetmulti"
    task = "pose"
    overlapping = False
    class_names = ("person",)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the shape."""
        output = only_output(graph)
        if output is None or output.shape[1:] != (_PEOPLE, _ROW):
            return None
        return Match(0.95, f"{output}: {_POINTS} points and a box for each of {_PEOPLE} people")

    def class_count(self, graph: ModelGraph) -> int | None:
        """One."""
        return 1

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–255, letterboxed to the centre on black."""
        return PreprocessOptions(scale=1.0, pad_value=0.0)

    def default_input_size(self, graph: ModelGraph) -> tuple[int, int] | None:
        """256x256."""
        return 256, 256

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = outputs.values()
        if batch.ndim != 3 or batch.shape[2] != _ROW:
            raise ValueError("they are no rows of points and a box")
        xp = array_namespace(batch)
        frame, row = xp.nonzero(numbers(batch[:, :, -1]) >= options.confidence)
        chosen = single(batch[frame, row])
        width, height = options.width, options.height
        top, left, bottom, right = (chosen[:, number] for number in range(3 * _POINTS, _ROW - 1))
        boxes = xp.stack([left * width, top * height, right * width, bottom * height], axis=1)
        points = xp.reshape(chosen[:, : 3 * _POINTS], (-1, _POINTS, 3))
        points = xp.stack([points[..., 1] * width, points[..., 0] * height, points[..., 2]], axis=2)
        return Candidates(frame, boxes, chosen[:, -1], xp.zeros_like(row), keypoints=points)


DECODER = MovenetMultiDecoder()
