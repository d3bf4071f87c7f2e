"""YOLO26 with instance masks, and older ones exported with suppression inside: finished boxes, and pictures."""

from __future__ import annotations

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs
from headrace.infer.decoders.layouts import in_pixels, strides_of
from headrace.infer.decoders.scores import single
from headrace.infer.decoders.yolov8seg_decoder import roles, shapes_of, with_masks
from headrace.infer.decoders.yolov10_decoder import ROW, Yolov10Decoder, finished
from headrace.infer.engines.base import ModelGraph


class Yolo26SegDecoder(Yolov10Decoder):
    """Outputs ``(N, rows, 6 + m)`` and ``(N, m, h, w)``.

    Rows are left, top, right, bottom, score, class and ``m`` factors; masks as for `yolov8seg`.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[40, 35, 60, 45, 0.9, 3, 1.0]]], np.float32)
        >>> outputs = {"output0": rows, "output1": np.full((1, 1, 16, 16), 5.0, np.float32)}
        >>> decoder, options = Yolo26SegDecoder(), DecodeOptions(0.5, 64, 64)
        >>> decoder.complete(decoder.decode(outputs, options), outputs, options).masks.shape
        (1, 64, 64)
    """

    name = "yolo26seg"
    task = "segment"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By rows that are six longer than there are pictures."""
        head, pictures = shapes_of(graph)
        if not head or pictures[1] is None or head[2] != ROW + pictures[1]:
            return None
        if strides_of(head[1], graph.input_size()):
            return None
        shapes = "; ".join(map(str, graph.outputs))
        return Match(0.9, f"{shapes}: rows of box, score, class and factors for pictures")

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        rows, _ = roles(outputs)
        frame, row, scores, classes = finished(rows, options)
        chosen = single(rows[frame, row])
        boxes = in_pixels(chosen[:, :4], options)
        return Candidates(frame, boxes, scores, classes, factors=chosen[:, ROW:])

    def complete(self, kept: Candidates, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """Add the masks."""
        return with_masks(kept, roles(outputs)[1], options)


DECODER = Yolo26SegDecoder()
