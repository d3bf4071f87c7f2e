"""YOLOv5 and its kin: decoded rows with objectness, three anchors in each cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.decoders.base import DecodeOptions, best_classes, corners, grid_cells, only_output
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions
from headrace.meta import Detections

_ANCHORS = 3


class Yolov5Decoder:
    """Output ``(N, rows, 5 + classes)``: centre x, y, width, height in pixels, objectness, class scores.

    Example:
        >>> rows = np.array([[[50, 40, 20, 10, 1.0, 0.1, 0.9]]], np.float32)
        >>> Yolov5Decoder().decode({"output": rows}, DecodeOptions(0.5, 64, 64))[0].xyxy.tolist()
        [[40.0, 35.0, 60.0, 45.0]]
    """

    name = "yolov5"
    needs_nms = True

    def matches(self, graph: ModelGraph) -> float | None:
        """By three rows for each cell, or where rows are open by the number of classes."""
        output, classes = only_output(graph), self.class_count(graph)
        if output is None or classes is None or classes < 1:
            return None
        size = graph.input_size()
        if size is not None and output.shape[1] == _ANCHORS * grid_cells(size):
            return 0.8
        return 0.6 if output.shape[1] is None and graph.class_count == classes else None

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length less box and objectness."""
        length = graph.outputs[0].shape[-1]
        return None if length is None else length - 5

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, letterboxed to the centre on grey 114."""
        return PreprocessOptions()

    def decode(self, outputs: Mapping[str, NDArray[Any]], options: DecodeOptions) -> list[Detections]:
        """See `Decoder.decode`."""
        (batch,) = outputs.values()
        found = []
        for rows in batch:
            keep, scores, classes = best_classes(rows[:, 5:], rows[:, 4], options.confidence)
            boxes = corners(rows[keep, :4].astype(np.float32))
            found.append(Detections(boxes, scores, classes.astype(np.int32)))
        return found


DECODER = Yolov5Decoder()
