"""YOLOv8, v9, YOLO11, 12, 13 and their kin: no objectness, one column per cell."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import DecodeOptions, Dense, Match, Outputs, corners
from headrace.infer.decoders.layouts import GridDecoder, fit, is_rtdetr, rows_last, strides_of, task_of
from headrace.infer.decoders.scores import Sure, above, above_columns, single
from headrace.infer.engines.base import ModelGraph

#: YOLOv9 of its authors gives what the auxiliary head says before what the head says.
_BOX, _HEADS = 4, 2
#: A score that quantisation may make of one; angles and keypoints go beyond it.
_HIGHEST = 1.05


class Yolov8Decoder(GridDecoder):
    """Output ``(N, 4 + classes, cells)`` or its transpose: centre x, y, width, height in pixels, scores.

    Of two such outputs (YOLOv9 of its authors) the second counts.

    Example:
        >>> import numpy as np
        >>> columns = np.zeros((1, 6, 21), np.float32)
        >>> columns[0, :, 3] = 50, 40, 20, 10, 0.1, 0.9
        >>> Yolov8Decoder().decode({"output0": columns}, DecodeOptions(0.5, 32, 32)).xyxy.tolist()
        [[40.0, 35.0, 60.0, 45.0]]
    """

    name = "yolov8"
    usual_size = (640, 640)
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By one entry for each cell on an axis."""
        found = numbers_and_cells(graph)
        if found is None or task_of(graph) not in (None, "detect") or is_rtdetr(graph):
            return None
        numbers, cells, transposed = found
        classes = numbers - _BOX
        if classes < 1 or (cells is None and classes != (graph.class_count or 80)):
            return None
        shape = f"{graph.outputs[0]}: {classes} classes and a box"
        if cells is None:
            return Match(0.6, f"{shape}; the number of cells is open")
        if not transposed:
            return Match(
                fit(graph, classes, 0.95, 0.75, 0.5), f"{shape} in each of {cells} columns, one for each cell"
            )
        score = fit(graph, classes, 0.85, 0.85 if classes == 80 else 0.3, 0.3)
        return Match(score, f"{shape} in each of {cells} rows, one for each cell")

    def class_count(self, graph: ModelGraph) -> int | None:
        """The axis that is not the cells', less the box."""
        found = numbers_and_cells(graph)
        return None if found is None else found[0] - _BOX

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        *others, batch = outputs.values()
        if len(others) >= _HEADS:
            raise ValueError(f"{len(others) + 1} outputs, but there are two heads at most")
        rows = rows_last(batch, options)
        frame, cell, scores, classes = sure_rows(batch, rows, slice(_BOX, None), options.confidence)
        if scores.shape[0] and (most := float(array_namespace(scores).max(scores))) > _HIGHEST:
            raise ValueError(
                f"a score is {most:.4g}: maybe no class, but the angle of yolov8obb, or a keypoint of yolov8pose"
            )
        return Candidates(frame, corners(single(rows[frame, cell, :_BOX])), scores, classes)

    def dense(self, outputs: Outputs, options: DecodeOptions) -> Dense | None:
        """See `BoxDecoder.dense`."""
        *_, batch = outputs.values()
        rows = rows_last(batch, options)
        return Dense(rows[:, :, :_BOX], rows[:, :, _BOX:])


def numbers_and_cells(graph: ModelGraph) -> tuple[int, int | None, bool] | None:
    """Numbers of a box, boxes (``None`` where open), and whether each box is a row; ``None`` for other outputs."""
    shapes = {output.shape for output in graph.outputs}
    if len(shapes) != 1 or len(graph.outputs) > _HEADS or len(graph.outputs[0].shape) != 3:
        return None
    first, second = graph.outputs[0].shape[1:]
    if strides_of(second, graph.input_size()) and first is not None:
        return first, second, False
    if strides_of(first, graph.input_size()) and second is not None:
        return second, first, True
    known = [axis for axis in (first, second) if axis is not None]
    return (known[0], None, first is None) if len(known) == 1 else None


def sure_rows(batch: Array, rows: Array, scores: slice, confidence: float) -> Sure:
    """Boxes that reach the confidence.

    Args:
        batch: As the network gave it.
        rows: The same with a row for each box (`rows_last`).
        scores: Which numbers of a row are scores of classes.
        confidence: Least score.
    """
    if rows is batch:
        return above(batch[:, :, scores], confidence)
    return above_columns(batch[:, scores, :], confidence)


DECODER = Yolov8Decoder()
