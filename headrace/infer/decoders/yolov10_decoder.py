"""YOLOv10, YOLO26 and exports with suppression inside: rows of a finished box, its score and its class."""

from __future__ import annotations

from types import MappingProxyType

from array_api_compat import array_namespace

from headrace.errors import ConfigError
from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, Task, only_output
from headrace.infer.decoders.layouts import GridDecoder, in_pixels, is_rtdetr, strides_of, task_of
from headrace.infer.decoders.scores import numbers
from headrace.infer.engines.base import ModelGraph

#: Numbers of a row before what other tasks add.
ROW = 6
_ORDERS = {"score,class": (4, 5), "class,score": (5, 4)}
#: More rows than an export keeps; longer outputs are boxes that still overlap.
_MOST_ROWS = 1000


class Yolov10Decoder(GridDecoder):
    """Output ``(N, rows, 6)``: left, top, right, bottom, score, class; unused rows have a low score.

    Boxes are in pixels of the input, or in fractions of its size. What the score and class columns hold is checked at
    each run, because a shape cannot tell their order.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[10, 20, 30, 40, 0.9, 3], [0, 0, 5, 5, 0.1, 0]]], np.float32)
        >>> Yolov10Decoder().decode({"output": rows}, DecodeOptions(0.5, 64, 64)).class_id.tolist()
        [3]
    """

    name = "yolov10"
    usual_size = (640, 640)
    task: Task = "detect"
    overlapping = False
    settings = MappingProxyType({"order": "score,class or class,score: what follows the box"})

    def matches(self, graph: ModelGraph) -> Match | None:
        """By rows of six."""
        found = end_to_end(graph, "detect")
        if found is None or found != ROW or is_rtdetr(graph):
            return None
        return Match(0.95 if task_of(graph) else 0.85, f"{graph.outputs[0]}: rows of box, score, class")

    def check(self, options: DecodeOptions) -> None:
        """See `Decoder.check`."""
        super().check(options)
        _columns(options)

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (rows,) = outputs.values()
        frame, row, scores, classes = finished(rows, options)
        return Candidates(frame, in_pixels(rows[frame, row, :4], options), scores, classes)


def end_to_end(graph: ModelGraph, task: str) -> int | None:
    """Length of the rows of a single output that may be finished objects; ``None`` for other outputs.

    Args:
        graph: The model.
        task: What ultralytics calls such models.
    """
    output = only_output(graph)
    if output is None or output.shape[2] is None or task_of(graph) not in (None, task):
        return None
    rows, size = output.shape[1], graph.input_size()
    boxes = any(strides_of(rows, size, each) for each in (1, 3))
    if boxes or strides_of(output.shape[2], size) or (rows or 0) > _MOST_ROWS:
        return None
    return output.shape[2]


def finished(rows: Array, options: DecodeOptions) -> tuple[Array, Array, Array, Array]:
    """Frame, row, score and class of the rows that reach the confidence.

    Raises:
        NotFiniteError: Scores are NaN.
        ValueError: The columns do not hold scores and classes.
    """
    xp = array_namespace(rows)
    score, class_id = _columns(options)
    scores = numbers(rows[:, :, score])
    frame, row = xp.nonzero(scores >= options.confidence)
    sure, classes = scores[frame, row], rows[frame, row, class_id]
    if not (xp.all(scores <= 1) and xp.all(classes >= 0) and xp.all(classes == xp.round(classes))):
        raise ValueError(
            f"columns {score} and {class_id} are not a score in 0-1 and the number of a class; set decoder option "
            "order if it is the other way round"
        )
    return frame, row, sure, xp.astype(classes, xp.int32)


def _columns(options: DecodeOptions) -> tuple[int, int]:
    order = str(options.settings.get("order", "score,class")).replace(" ", "")
    if order not in _ORDERS:
        raise ConfigError(f"option order is {order!r}; use {' or '.join(_ORDERS)}")
    return _ORDERS[order]


DECODER = Yolov10Decoder()
