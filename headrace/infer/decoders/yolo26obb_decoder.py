"""YOLO26 with turned boxes, and older ones exported with suppression inside: rows of finished turned boxes."""

from __future__ import annotations

import math

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, corners
from headrace.infer.decoders.layouts import is_rtdetr, task_of
from headrace.infer.decoders.scores import single
from headrace.infer.decoders.yolov10_decoder import ROW, Yolov10Decoder, end_to_end, finished
from headrace.infer.engines.base import ModelGraph


class Yolo26ObbDecoder(Yolov10Decoder):
    """Output ``(N, rows, 7)``: centre x, y, width, height in pixels, score, class, angle in radians clockwise.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[50, 40, 20, 10, 0.9, 3, np.pi / 2]]], np.float32)
        >>> found = Yolo26ObbDecoder().decode({"output": rows}, DecodeOptions(0.5, 64, 64))
        >>> found.xyxy.tolist(), found.rotation.tolist()
        ([[40.0, 35.0, 60.0, 45.0]], [90.0])
    """

    name = "yolo26obb"
    usual_size = (1024, 1024)
    task = "oriented"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By rows of seven."""
        if end_to_end(graph, "obb") != ROW + 1 or is_rtdetr(graph):
            return None
        return Match(0.95 if task_of(graph) else 0.8, f"{graph.outputs[0]}: rows of box, score, class, angle")

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (rows,) = outputs.values()
        frame, row, scores, classes = finished(rows, options)
        chosen = single(rows[frame, row])
        degrees = chosen[:, ROW] * (180 / math.pi)
        return Candidates(frame, corners(chosen[:, :4]), scores, classes, rotation=degrees)


DECODER = Yolo26ObbDecoder()
