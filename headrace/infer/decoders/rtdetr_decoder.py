"""RT-DETR, D-FINE and DEIM (arXiv:2304.08069, 2410.13842, 2412.04234)."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, corners, only_output
from headrace.infer.decoders.layouts import fit, from_fractions, is_rtdetr, strides_of, task_of
from headrace.infer.decoders.queries import QueryDecoder, sigmoid_match
from headrace.infer.decoders.scores import every_above
from headrace.infer.decoders.ssd_decoder import SsdDecoder, roles_in
from headrace.infer.decoders.yolov10_decoder import ROW, finished
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_BOX = 4
_SIZE_INPUT = "orig_target_sizes"
#: Classes of COCO and of Objects365, and what else is seen of the published weights.
_CLASSES, _SIZE = (80, 365, 366), (640, 640)


class RtDetrDecoder(QueryDecoder):
    """Three forms, told by the number of outputs.

    ``…logits`` ``(N, queries, classes)`` and ``…boxes`` ``(N, queries, 4)``; one output of ultralytics,
    ``(N, queries, 4 + classes)`` with scores in 0–1, or ``(N, queries, 6)`` with the best score and its class (since
    8.4, told by whole numbers in the last column); or labels ``(N, queries)``, boxes in pixels and scores, of exports
    with the input ``orig_target_sizes``, which is filled with the size of the network's input.

    Example:
        >>> import numpy as np
        >>> outputs = {"output0": np.array([[[0.5, 0.5, 0.25, 0.5, 0.1, 0.9]]])}
        >>> found = RtDetrDecoder().decode(outputs, DecodeOptions(0.5, 64, 32))
        >>> found.xyxy.tolist(), found.class_id.tolist()
        ([[24.0, 8.0, 40.0, 24.0]], [1])
    """

    name = "rtdetr"
    usual_size = (640, 640)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the input with the size, the exporter's word, or the numbers of the published weights."""
        if roles_in(graph) is not None:
            sized = any(spec.name == _SIZE_INPUT for spec in graph.inputs)
            return Match(0.95, f"labels, boxes and scores, and an input {_SIZE_INPUT}") if sized else None
        if len(graph.outputs) == 1:
            return self._one_output(graph)
        return sigmoid_match(graph, lambda _, classes: classes in _CLASSES or graph.input_size() == _SIZE)

    def _one_output(self, graph: ModelGraph) -> Match | None:
        output, size = only_output(graph), graph.input_size()
        classes = None if output is None or output.shape[2] is None else output.shape[2] - _BOX
        if output is None or classes is None or classes < 1 or task_of(graph) not in (None, "detect"):
            return None
        if any(strides_of(output.shape[1], size, each) for each in (1, 3)) or strides_of(
            output.shape[2], size
        ):
            return None
        either = ", or its best class" if output.shape[2] == ROW else ""
        reason = f"{output}: queries with a box and {classes} classes{either}"
        if is_rtdetr(graph):
            return Match(0.97, f"{reason}; the file's description says RT-DETR")
        return Match(fit(graph, classes, 0.8, 0.4, 0.2), reason) if output.shape[1] else None

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the logits, or of the only output less the box; rows of six do not tell."""
        output = only_output(graph)
        if output is not None and output.shape[2] == ROW:
            return graph.class_count
        if output is not None:
            return None if output.shape[2] is None else output.shape[2] - _BOX
        return super().class_count(graph)

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, stretched."""
        return PreprocessOptions(resize="stretch")

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        if len(outputs) == 3:
            return SsdDecoder().decode(outputs, options)
        if len(outputs) == 2:
            return super().decode(outputs, options)
        (rows,) = outputs.values()
        if _best_only(rows):
            frame, query, scores, classes = finished(rows, options)
        else:
            frame, query, scores, classes = every_above(rows[:, :, _BOX:], options.confidence)
        boxes = from_fractions(corners(rows[frame, query, :_BOX]), options)
        return Candidates(frame, boxes, scores, classes)


def _best_only(rows: Array) -> bool:
    """Whether rows hold a class rather than the scores of two, which are never all whole numbers."""
    xp, last = array_namespace(rows), rows[:, :, -1]
    return int(rows.shape[2]) == ROW and bool(xp.all(last == xp.round(last)))


DECODER = RtDetrDecoder()
