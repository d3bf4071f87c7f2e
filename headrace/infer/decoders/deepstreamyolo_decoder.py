"""YOLO and others exported by DeepStream-Yolo: finished boxes of all cells, which still overlap."""

from __future__ import annotations

from headrace.infer.decoders.base import Match, only_output
from headrace.infer.decoders.layouts import strides_of
from headrace.infer.decoders.yolov10_decoder import ROW, Yolov10Decoder
from headrace.infer.engines.base import ModelGraph

#: What its exporters call input and output.
_NAMES = ("input", "output")


class DeepStreamYoloDecoder(Yolov10Decoder):
    """Output ``(N, cells, 6)`` or ``(N, 3 * cells, 6)``: rows as those of `yolov10`, of which many say the same.

    Example:
        >>> DeepStreamYoloDecoder().overlapping
        True
    """

    name = "deepstreamyolo"
    overlapping = True

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the names; one class of YOLOX or YOLOv5, and two of YOLOv8, make rows of six as well."""
        output, size = only_output(graph), graph.input_size()
        if output is None or output.shape[2] != ROW:
            return None
        if not any(strides_of(output.shape[1], size, each) for each in (1, 3)):
            return None
        reason = f"{output}: rows of box, score, class for all cells"
        if (graph.inputs[0].name, output.name) == _NAMES:
            return Match(0.97, f"{reason}, named as DeepStream-Yolo does")
        return Match(0.4 if graph.class_count in (None, 1, 2) else 0.9, reason)


DECODER = DeepStreamYoloDecoder()
