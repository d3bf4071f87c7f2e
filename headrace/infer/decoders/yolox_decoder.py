"""YOLOX: one row per grid cell, offsets and logarithmic sizes still to be decoded (arXiv:2107.08430)."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import (
    BoxDecoder,
    DecodeOptions,
    Match,
    Outputs,
    above,
    corners,
    grid,
    grid_cells,
    like,
    only_output,
)
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions


class YoloxDecoder(BoxDecoder):
    """Output ``(N, cells, 5 + classes)``: cell offsets x, y, log width, log height, objectness, scores.

    A YOLOX export that decodes inside the graph has the same shape; name decoder ``yolov5`` for it, with
    this family's preprocessing.

    Example:
        >>> import numpy as np
        >>> row = np.zeros((1, 21, 6), np.float32)
        >>> row[0, 0, 4:] = 1.0
        >>> YoloxDecoder().decode({"output": row}, DecodeOptions(0.5, 32, 32)).xyxy.tolist()
        [[-4.0, -4.0, 4.0, 4.0]]
    """

    name = "yolox"
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the number of rows, which is that of the grid's cells."""
        output, size = only_output(graph), graph.input_size()
        if output is None or size is None or output.shape[1] != grid_cells(size):
            return None
        classes = self.class_count(graph)
        if classes is None or classes < 1:
            return None
        score = 0.7 if graph.class_count is None else 0.9 if graph.class_count == classes else 0.1
        return Match(
            score, f"{output}: a box, objectness and {classes} classes for each cell of {size[0]}x{size[1]}"
        )

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length less box and objectness."""
        length = graph.outputs[0].shape[-1]
        return None if length is None else length - 5

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR 0–255, letterboxed to the top left on grey 114."""
        return PreprocessOptions(padding="topleft", color="BGR", scale=1.0)

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = outputs.values()
        xp, cells = array_namespace(batch), like(grid(options.width, options.height), batch)
        if batch.shape[1] != cells.shape[0]:
            raise ValueError(f"{batch.shape[1]} rows, but the grid has {cells.shape[0]} cells")
        frame, row, scores, classes = above(batch[:, :, 5:], options.confidence, batch[:, :, 4])
        raw, cell = batch[frame, row, :4], cells[row]
        stride = cell[:, 2:]
        boxes = xp.concat([(raw[:, :2] + cell[:, :2]) * stride, xp.exp(raw[:, 2:]) * stride], axis=1)
        return Candidates(frame, corners(boxes), scores, classes)


DECODER = YoloxDecoder()
