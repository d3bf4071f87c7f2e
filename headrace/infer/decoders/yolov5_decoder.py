"""YOLOv5, YOLOv7 and their kin: decoded rows with objectness, three anchors in each cell."""

from __future__ import annotations

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import DecodeOptions, Dense, Match, Outputs, corners
from headrace.infer.decoders.layouts import GridDecoder, fit, strides_of
from headrace.infer.decoders.scores import above, single
from headrace.infer.engines.base import ModelGraph, TensorSpec

_ANCHORS = 3


class Yolov5Decoder(GridDecoder):
    """Output ``(N, rows, 5 + classes)``: centre x, y, width, height in pixels, objectness, class scores.

    Exports that give the raw maps ``(N, 3, h, w, 5 + classes)`` besides are read the same.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[50, 40, 20, 10, 1.0, 0.1, 0.9]]], np.float32)
        >>> Yolov5Decoder().decode({"output": rows}, DecodeOptions(0.5, 64, 64)).xyxy.tolist()
        [[40.0, 35.0, 60.0, 45.0]]
    """

    name = "yolov5"
    usual_size = (640, 640)
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By three rows for each cell, or where rows are open by the number of classes."""
        output, classes, size = _rows(graph), self.class_count(graph), graph.input_size()
        if output is None or classes is None or classes < 1:
            return None
        row = f"{output}: rows of a box, objectness and {classes} classes"
        if size is not None and strides_of(output.shape[1], size, _ANCHORS):
            score = fit(graph, classes, 0.9, 0.8, 0.6)
            return Match(score, f"{row}, {_ANCHORS} for each cell of {size[0]}x{size[1]}")
        if output.shape[1] is None and graph.class_count == classes:
            return Match(0.6, f"{row}, as many as there are labels; the number of rows is open")
        return None

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length less box and objectness."""
        output = _rows(graph)
        return None if output is None or output.shape[2] is None else output.shape[2] - 5

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = (array for array in outputs.values() if array.ndim == 3)
        frame, row, scores, classes = above(batch[:, :, 5:], options.confidence, batch[:, :, 4])
        return Candidates(frame, corners(single(batch[frame, row, :4])), scores, classes)

    def dense(self, outputs: Outputs, options: DecodeOptions) -> Dense | None:
        """See `BoxDecoder.dense`."""
        (batch,) = (array for array in outputs.values() if array.ndim == 3)
        return Dense(batch[:, :, :4], batch[:, :, 5:], batch[:, :, 4])


def _rows(graph: ModelGraph) -> TensorSpec | None:
    """The output of three axes, if the others are raw maps of five."""
    rows = [output for output in graph.outputs if len(output.shape) == 3]
    maps = [output for output in graph.outputs if len(output.shape) == 5]
    return rows[0] if len(rows) == 1 and len(rows) + len(maps) == len(graph.outputs) else None


DECODER = Yolov5Decoder()
