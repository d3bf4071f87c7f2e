"""YOLOv8, YOLO11 and their kin with turned boxes: as `yolov8`, and an angle after the scores."""

from __future__ import annotations

import math

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, corners
from headrace.infer.decoders.layouts import GridDecoder, rows_last, task_of
from headrace.infer.decoders.scores import single
from headrace.infer.decoders.yolov8_decoder import numbers_and_cells, sure_rows
from headrace.infer.engines.base import ModelGraph

_BOX = 4
#: Classes of DOTA, on which the published weights were trained.
_DOTA = 15


class Yolov8ObbDecoder(GridDecoder):
    """Output ``(N, 4 + classes + 1, cells)``: centre x, y, width, height in pixels, scores, angle.

    The angle is in radians, clockwise on the screen, because y points down.

    Example:
        >>> import numpy as np
        >>> columns = np.zeros((1, 7, 21), np.float32)
        >>> columns[0, :, 3] = 50, 40, 20, 10, 0.1, 0.9, np.pi / 2
        >>> Yolov8ObbDecoder().decode({"output0": columns}, DecodeOptions(0.5, 32, 32)).rotation.tolist()
        [90.0]
    """

    name = "yolov8obb"
    usual_size = (1024, 1024)
    task = "oriented"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the exporter's word; by shapes it might be `yolov8` with a class more."""
        found = numbers_and_cells(graph)
        if found is None or task_of(graph) not in (None, "obb"):
            return None
        classes, shape = found[0] - _BOX - 1, str(graph.outputs[0])
        if classes < 1:
            return None
        if task_of(graph) == "obb":
            return Match(
                0.97, f"task obb in the file's metadata; {shape}: a box, {classes} classes, an angle"
            )
        if found[1] is None:
            return None
        reason = f"{shape}: may be a box, {classes} classes and an angle"
        if graph.class_count == classes:
            return Match(0.3, f"{reason}, as many as there are labels")
        return Match(0.72, reason) if graph.class_count is None and classes == _DOTA else None

    def class_count(self, graph: ModelGraph) -> int | None:
        """The axis that is not the cells', less box and angle."""
        found = numbers_and_cells(graph)
        return None if found is None else found[0] - _BOX - 1

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = outputs.values()
        rows = rows_last(batch, options)
        frame, cell, scores, classes = sure_rows(batch, rows, slice(_BOX, -1), options.confidence)
        chosen = single(rows[frame, cell])
        degrees = chosen[:, -1] * (180 / math.pi)
        return Candidates(frame, corners(chosen[:, :_BOX]), scores, classes, rotation=degrees)


DECODER = Yolov8ObbDecoder()
