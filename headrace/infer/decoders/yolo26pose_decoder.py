"""YOLO26 with keypoints, and older ones exported with suppression inside: rows of finished boxes with keypoints."""

from __future__ import annotations

from types import MappingProxyType

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs
from headrace.infer.decoders.keypoints import SETTING, check_keypoints, keypoint_shape, points, shape_said
from headrace.infer.decoders.layouts import in_pixels, is_rtdetr, task_of
from headrace.infer.decoders.yolov10_decoder import ROW, Yolov10Decoder, end_to_end, finished
from headrace.infer.engines.base import ModelGraph


class Yolo26PoseDecoder(Yolov10Decoder):
    """Output ``(N, rows, 6 + k * 3)``: left, top, right, bottom, score, class; x, y, confidence of ``k`` keypoints.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[40, 35, 60, 45, 0.9, 0, 45, 40, 0.5]]], np.float32)
        >>> Yolo26PoseDecoder().decode({"output": rows}, DecodeOptions(0.5, 64, 64)).keypoints.tolist()
        [[[45.0, 40.0, 0.5]]]
    """

    name = "yolo26pose"
    task = "pose"
    settings = MappingProxyType({**Yolov10Decoder.settings, **SETTING})

    def matches(self, graph: ModelGraph) -> Match | None:
        """By rows of six and some keypoints, as many as the file says or with three numbers each."""
        length, shape = end_to_end(graph, "pose"), shape_said(graph)
        if length is None or length <= ROW or is_rtdetr(graph):
            return None
        fits = length - ROW == shape[0] * shape[1] if shape else (length - ROW) % 3 == 0
        if not fits:
            return None
        return Match(
            0.95 if task_of(graph) else 0.8, f"{graph.outputs[0]}: rows of box, score, class, keypoints"
        )

    def check(self, options: DecodeOptions) -> None:
        """See `Decoder.check`."""
        super().check(options)
        check_keypoints(options)

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (rows,) = outputs.values()
        shape = keypoint_shape(options, rows.shape[2] - ROW)
        frame, row, scores, classes = finished(rows, options)
        chosen = rows[frame, row]
        boxes = in_pixels(chosen[:, :4], options)
        return Candidates(frame, boxes, scores, classes, keypoints=points(chosen[:, ROW:], shape))


DECODER = Yolo26PoseDecoder()
