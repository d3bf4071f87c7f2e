"""YOLOv8, YOLO11 and their kin: no objectness, one column per cell."""

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
    grid_cells,
    only_output,
)
from headrace.infer.engines.base import ModelGraph, TensorSpec


class Yolov8Decoder(BoxDecoder):
    """Output ``(N, 4 + classes, cells)`` or its transpose: centre x, y, width, height in pixels, scores.

    Example:
        >>> import numpy as np
        >>> columns = np.zeros((1, 6, 21), np.float32)
        >>> columns[0, :, 3] = 50, 40, 20, 10, 0.1, 0.9
        >>> Yolov8Decoder().decode({"output0": columns}, DecodeOptions(0.5, 32, 32)).xyxy.tolist()
        [[40.0, 35.0, 60.0, 45.0]]
    """

    name = "yolov8"
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By one entry for each cell on an axis."""
        output, size = only_output(graph), graph.input_size()
        if output is None or graph.metadata.get("task", "detect") != "detect":
            return None
        classes = self.class_count(graph)
        if classes is None or classes < 1:
            return None
        cells = None if size is None else grid_cells(size)
        known = graph.class_count == classes
        shape = f"{output}: {classes} classes and a box"
        if output.shape[2] is not None and output.shape[2] == cells:
            return Match(0.95 if known else 0.75, f"{shape} in each of {cells} columns, one for each cell")
        if output.shape[1] is not None and output.shape[1] == cells:
            sure = known or (graph.class_count is None and classes == 80)
            return Match(0.85 if sure else 0.3, f"{shape} in each of {cells} rows, one for each cell")
        if known and None in output.shape[1:]:
            return Match(0.6, f"{shape}, as many as there are labels; the number of cells is open")
        return None

    def class_count(self, graph: ModelGraph) -> int | None:
        """The axis that is not the cells', less the box."""
        known = [axis for axis in _axes(graph.outputs[0], graph) if axis is not None]
        return min(known) - 4 if known else None

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = outputs.values()
        cells = grid_cells((options.width, options.height))
        if batch.shape[2] == cells or batch.shape[1] != cells:
            batch = array_namespace(batch).permute_dims(batch, (0, 2, 1))
        frame, cell, scores, classes = above(batch[:, :, 4:], options.confidence)
        return Candidates(frame, corners(batch[frame, cell, :4]), scores, classes)


def _axes(output: TensorSpec, graph: ModelGraph) -> tuple[int | None, ...]:
    """The two inner axes without the one that counts cells."""
    size = graph.input_size()
    cells = None if size is None else grid_cells(size)
    return tuple(axis for axis in output.shape[1:] if axis != cells)


DECODER = Yolov8Decoder()
