"""YOLO exports that end in ONNX's NonMaxSuppression: as many rows as there are objects in the whole batch."""

from __future__ import annotations

from types import MappingProxyType

from array_api_compat import array_namespace

from headrace.errors import ConfigError
from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs
from headrace.infer.decoders.layouts import GridDecoder, in_pixels
from headrace.infer.decoders.scores import numbers
from headrace.infer.engines.base import ModelGraph

_ROW = 7
#: Columns of score, class and left.
_ORDERS = {"class,score": (6, 5, 1), "score,class": (5, 6, 1), "class,score,box": (2, 1, 3)}


class YoloNmsDecoder(GridDecoder):
    """Output ``(K, 7)``: row of the batch, left, top, right, bottom, class, score, or score before class.

    YOLOv6 and v7 (``--end2end --max-wh``) put the class first, YOLO-NAS (``flat``) the score; PINTO's model zoo puts
    both before the box. Which it is shows in the numbers, as scores are hardly ever whole; the option ``order`` says
    it once and for all.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[0, 10, 20, 30, 40, 3, 0.9]]], np.float32)
        >>> YoloNmsDecoder().decode({"output": rows}, DecodeOptions(0.5, 64, 64)).class_id.tolist()
        [3]
    """

    name = "yolonms"
    usual_size = (640, 640)
    task = "detect"
    overlapping = False
    settings = MappingProxyType(
        {"order": "class,score or score,class: what follows the box; class,score,box: what precedes it"}
    )

    def matches(self, graph: ModelGraph) -> Match | None:
        """By rows of seven, as many as there are objects; seven classes of an open batch look the same."""
        if len(graph.outputs) != 1 or len(graph.outputs[0].shape) != 2 or graph.outputs[0].shape[1] != _ROW:
            return None
        output, batch = graph.outputs[0], graph.inputs[0].shape[0] if graph.inputs else None
        if output.shape[0] is not None and output.shape[0] == batch:
            return None
        sure = batch is not None or "flat_predictions" in output.name
        score = 0.97 if sure else 0.5 if graph.class_count == _ROW else 0.87
        return Match(score, f"{output}: rows of frame, box, class and score, as many as there are objects")

    def check(self, options: DecodeOptions) -> None:
        """See `Decoder.check`."""
        super().check(options)
        given = options.settings.get("order", "class,score")
        if given not in _ORDERS:
            raise ConfigError(f"option order is {given!r}; use {' or '.join(_ORDERS)}")

    def batched(self, graph: ModelGraph) -> bool:
        """Rows are objects."""
        return False

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (rows,) = (array[0] for array in outputs.values())
        xp = array_namespace(rows)
        order = options.settings.get("order")
        score, class_id, left = _ORDERS[order] if order else _seen(rows)
        rows = rows[numbers(rows[:, score]) >= options.confidence]
        classes = xp.astype(rows[:, class_id], xp.int32)
        frame, boxes = xp.astype(rows[:, 0], xp.int32), in_pixels(rows[:, left : left + 4], options)
        return Candidates(frame, boxes, rows[:, score], classes)


def _seen(rows: Array) -> tuple[int, int, int]:
    """Columns of score, class and left: classes are whole numbers, scores lie in 0–1."""
    xp = array_namespace(rows)
    fits = [
        columns
        for columns in _ORDERS.values()
        if xp.all(rows[:, columns[1]] == xp.round(rows[:, columns[1]]))
        and not xp.any(rows[:, columns[0]] > 1)
    ]
    if not fits:
        numbers(rows)
        raise ValueError("neither before nor after the box are a score in 0-1 and the number of a class")
    return fits[0]


DECODER = YoloNmsDecoder()
