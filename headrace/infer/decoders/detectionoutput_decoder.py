"""Caffe's and OpenVINO's SSD with the layer DetectionOutput at its end."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs
from headrace.infer.decoders.layouts import from_fractions
from headrace.infer.decoders.scores import numbers
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_ROW = 7


class DetectionOutputDecoder(BoxDecoder):
    """Output ``(1, 1, M, 7)``: row of the batch (-1 ends), class, score, left, top, right, bottom in fractions.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[[[0, 3, 0.9, 0.25, 0.5, 0.75, 1.0], [-1, 0, 0, 0, 0, 0, 0]]]]])
        >>> DetectionOutputDecoder().decode({"out": rows}, DecodeOptions(0.5, 64, 64)).xyxy.tolist()
        [[16.0, 32.0, 48.0, 64.0]]
    """

    name = "detectionoutput"
    task = "detect"
    overlapping = False

    def matches(self, graph: ModelGraph) -> Match | None:
        """By rows of seven behind two axes of one."""
        shape = graph.outputs[0].shape if len(graph.outputs) == 1 else ()
        if len(shape) != 4 or shape[1] != 1 or shape[3] != _ROW:
            return None
        return Match(0.9, f"{graph.outputs[0]}: rows of frame, class, score, box")

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR 0–255, stretched."""
        return PreprocessOptions(resize="stretch", color="BGR", scale=1.0)

    def batched(self, graph: ModelGraph) -> bool:
        """Rows are objects."""
        return False

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = outputs.values()
        xp, rows = array_namespace(batch), batch[0, 0, 0]
        rows = rows[(numbers(rows[:, 2]) >= options.confidence) & (rows[:, 0] >= 0)]
        frame, classes = (xp.astype(rows[:, column], xp.int32) for column in (0, 1))
        return Candidates(frame, from_fractions(rows[:, 3:], options), rows[:, 2], classes)


DECODER = DetectionOutputDecoder()
