"""YOLOv8, YOLO11 and their kin: no objectness, one column per cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.decoders.base import DecodeOptions, corners, grid_cells, only_output
from headrace.infer.engines.base import ModelGraph, TensorSpec
from headrace.infer.preprocess import PreprocessOptions
from headrace.meta import Detections


class Yolov8Decoder:
    """Output ``(N, 4 + classes, cells)`` or its transpose: centre x, y, width, height in pixels, scores.

    Example:
        >>> columns = np.zeros((1, 6, 21), np.float32)
        >>> columns[0, :, 3] = 50, 40, 20, 10, 0.1, 0.9
        >>> Yolov8Decoder().decode({"output0": columns}, DecodeOptions(0.5, 32, 32))[0].xyxy.tolist()
        [[40.0, 35.0, 60.0, 45.0]]
    """

    name = "yolov8"
    needs_nms = True

    def matches(self, graph: ModelGraph) -> float | None:
        """By one entry for each cell on an axis; see `Decoder.matches`."""
        output, size = only_output(graph), graph.input_size()
        if output is None or graph.metadata.get("task", "detect") != "detect":
            return None
        classes = self.class_count(graph)
        if classes is None or classes < 1:
            return None
        cells = None if size is None else grid_cells(size)
        fits = graph.class_count == classes
        if output.shape[2] is not None and output.shape[2] == cells:
            return 0.95 if fits else 0.75
        if output.shape[1] is not None and output.shape[1] == cells:
            return 0.85 if fits or (graph.class_count is None and classes == 80) else 0.3
        return 0.6 if fits and None in output.shape[1:] else None

    def class_count(self, graph: ModelGraph) -> int | None:
        """The axis that is not the cells', less the box."""
        known = [axis for axis in _axes(graph.outputs[0], graph) if axis is not None]
        return min(known) - 4 if known else None

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, letterboxed to the centre on grey 114."""
        return PreprocessOptions()

    def decode(self, outputs: Mapping[str, NDArray[Any]], options: DecodeOptions) -> list[Detections]:
        """See `Decoder.decode`."""
        (batch,) = outputs.values()
        cells = grid_cells((options.width, options.height))
        transposed = batch.shape[1] == cells and batch.shape[2] != cells
        return [_decode_one(one.T if transposed else one, options.confidence) for one in batch]


def _axes(output: TensorSpec, graph: ModelGraph) -> tuple[int | None, ...]:
    """The two inner axes without the one that counts cells."""
    size = graph.input_size()
    cells = None if size is None else grid_cells(size)
    return tuple(axis for axis in output.shape[1:] if axis != cells)


def _decode_one(columns: NDArray[np.float32], confidence: float) -> Detections:
    best = columns[4:].max(axis=0)
    keep = np.flatnonzero(best >= confidence)
    chosen = columns[:, keep]
    boxes = corners(np.ascontiguousarray(chosen[:4].T, np.float32))
    return Detections(boxes, best[keep], chosen[4:].argmax(axis=0).astype(np.int32))


DECODER = Yolov8Decoder()
