"""MoveNet, single pose: the 17 points of COCO as rows of three (tfhub.dev/google/movenet/singlepose)."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Array
from headrace.infer.decoders.base import Match, Outputs, only_output
from headrace.infer.decoders.pose import PoseDecoder
from headrace.infer.decoders.scores import single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_POINTS = 17


class MovenetDecoder(PoseDecoder):
    """Output ``(N, 1, 17, 3)``: y, x in fractions of the input and confidence.

    Example:
        >>> import numpy as np
        >>> MovenetDecoder().points({"output_0": np.full((1, 1, 17, 3), 0.5)}, 192, 256)[0, 0].tolist()
        [96.0, 128.0, 0.5]
    """

    name = "movenet"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the shape."""
        output = only_output(graph, 4)
        if output is None or output.shape[1:] != (1, _POINTS, 3):
            return None
        return Match(0.95, f"{output}: y, x and confidence of {_POINTS} points")

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–255, letterboxed to the centre on black."""
        return PreprocessOptions(scale=1.0, pad_value=0.0)

    def points(self, outputs: Outputs, width: int, height: int) -> Array:
        """See `PoseDecoder.points`."""
        (rows,) = outputs.values()
        if rows.ndim != 4 or rows.shape[1:] != (1, _POINTS, 3):
            raise ValueError("it is no row of points")
        y, x, confidence = (single(rows[:, 0, :, number]) for number in range(3))
        return array_namespace(rows).stack([x * width, y * height, confidence], axis=2)


DECODER = MovenetDecoder()
