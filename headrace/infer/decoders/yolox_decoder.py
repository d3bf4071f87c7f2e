"""YOLOX: one row per grid cell, offsets and logarithmic sizes still to be decoded (arXiv:2107.08430)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.decoders.base import (
    DecodeOptions,
    best_classes,
    corners,
    grid,
    grid_cells,
    only_output,
)
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions
from headrace.meta import Detections


class YoloxDecoder:
    """Output ``(N, cells, 5 + classes)``: cell offsets x, y, log width, log height, objectness, scores.

    A YOLOX export that decodes inside the graph has the same shape; name decoder ``yolov5`` for it, with
    this family's preprocessing.

    Example:
        >>> row = np.zeros((1, 21, 6), np.float32)
        >>> row[0, 0, 4:] = 1.0
        >>> YoloxDecoder().decode({"output": row}, DecodeOptions(0.5, 32, 32))[0].xyxy.tolist()
        [[-4.0, -4.0, 4.0, 4.0]]
    """

    name = "yolox"
    needs_nms = True

    def matches(self, graph: ModelGraph) -> float | None:
        """By the number of rows, which is that of the grid's cells; see `Decoder.matches`."""
        output, size = only_output(graph), graph.input_size()
        if output is None or size is None or output.shape[1] != grid_cells(size):
            return None
        classes = self.class_count(graph)
        if classes is None or classes < 1:
            return None
        if graph.class_count is None:
            return 0.7
        return 0.9 if graph.class_count == classes else 0.1

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length less box and objectness."""
        length = graph.outputs[0].shape[-1]
        return None if length is None else length - 5

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR 0–255, letterboxed to the top left on grey 114."""
        return PreprocessOptions(padding="topleft", color="BGR", scale=1.0)

    def decode(self, outputs: Mapping[str, NDArray[Any]], options: DecodeOptions) -> list[Detections]:
        """See `Decoder.decode`."""
        (rows,) = outputs.values()
        cells = grid(options.width, options.height)
        if rows.shape[1:2] != cells.shape[:1]:
            raise ValueError(f"{rows.shape[1:]} is not one row for each of {len(cells)} grid cells")
        return [self._decode_one(one, cells, options.confidence) for one in rows]

    def _decode_one(
        self, rows: NDArray[np.float32], cells: NDArray[np.float32], confidence: float
    ) -> Detections:
        keep, scores, classes = best_classes(rows[:, 5:], rows[:, 4], confidence)
        raw, cell = rows[keep, :4], cells[keep]
        stride = cell[:, 2:]
        boxes = np.hstack([(raw[:, :2] + cell[:, :2]) * stride, np.exp(raw[:, 2:]) * stride])
        return Detections(corners(boxes), scores, classes.astype(np.int32))


DECODER = YoloxDecoder()
