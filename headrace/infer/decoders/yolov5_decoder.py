"""YOLOv5 and its kin: decoded rows with objectness, three anchors in each cell."""

from __future__ import annotations

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import (
    BoxDecoder,
    DecodeOptions,
    Match,
    Outputs,
    above,
    corners,
    grid_cells,
    only_output,
)
from headrace.infer.engines.base import ModelGraph

_ANCHORS = 3


class Yolov5Decoder(BoxDecoder):
    """Output ``(N, rows, 5 + classes)``: centre x, y, width, height in pixels, objectness, class scores.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[50, 40, 20, 10, 1.0, 0.1, 0.9]]], np.float32)
        >>> Yolov5Decoder().decode({"output": rows}, DecodeOptions(0.5, 64, 64)).xyxy.tolist()
        [[40.0, 35.0, 60.0, 45.0]]
    """

    name = "yolov5"
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By three rows for each cell, or where rows are open by the number of classes."""
        output, classes = only_output(graph), self.class_count(graph)
        if output is None or classes is None or classes < 1:
            return None
        size, row = graph.input_size(), f"{output}: rows of a box, objectness and {classes} classes"
        if size is not None and output.shape[1] == _ANCHORS * grid_cells(size):
            return Match(0.8, f"{row}, {_ANCHORS} for each cell of {size[0]}x{size[1]}")
        if output.shape[1] is None and graph.class_count == classes:
            return Match(0.6, f"{row}, as many as there are labels; the number of rows is open")
        return None

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length less box and objectness."""
        length = graph.outputs[0].shape[-1]
        return None if length is None else length - 5

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = outputs.values()
        frame, row, scores, classes = above(batch[:, :, 5:], options.confidence, batch[:, :, 4])
        return Candidates(frame, corners(batch[frame, row, :4]), scores, classes)


DECODER = Yolov5Decoder()
