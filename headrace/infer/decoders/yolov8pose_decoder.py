"""YOLOv8, YOLO11 and their kin with keypoints: as `yolov8`, and keypoints after the scores."""

from __future__ import annotations

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, corners
from headrace.infer.decoders.keypoints import (
    PERSON,
    SETTING,
    check_keypoints,
    keypoint_shape,
    numbers_of,
    points,
    shape_said,
)  # fmt: skip
from headrace.infer.decoders.layouts import GridDecoder, rows_last, task_of
from headrace.infer.decoders.scores import single
from headrace.infer.decoders.yolov8_decoder import numbers_and_cells, sure_rows
from headrace.infer.engines.base import ModelGraph

_BOX = 4


class Yolov8PoseDecoder(GridDecoder):
    """Output ``(N, 4 + classes + k * 3, cells)``: as `yolov8`, then x, y in pixels and confidence of ``k`` keypoints.

    Models without confidences have two numbers for each. Which it is stands in the file (``kpt_shape``) or in the
    option ``keypoints``; without either there are three, and as many classes as labels, or one.

    Example:
        >>> import numpy as np
        >>> columns = np.zeros((1, 11, 21), np.float32)
        >>> columns[0, :, 3] = 50, 40, 20, 10, 0.9, 45, 40, 1.0, 55, 40, 0.5
        >>> Yolov8PoseDecoder().decode({"output0": columns}, DecodeOptions(0.5, 32, 32)).keypoints.tolist()
        [[[45.0, 40.0, 1.0], [55.0, 40.0, 0.5]]]
    """

    name = "yolov8pose"
    usual_size = (640, 640)
    task = "pose"
    settings = SETTING

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the exporter's word; by shapes it might be `yolov8` with more classes."""
        found = numbers_and_cells(graph)
        if found is None or task_of(graph) not in (None, "pose"):
            return None
        shape, spare = str(graph.outputs[0]), found[0] - _BOX
        if task_of(graph) == "pose":
            return Match(0.97, f"task pose in the file's metadata; {shape}")
        if found[1] is None:
            return None
        person = PERSON[0] * PERSON[1]
        if graph.class_count is None:
            return (
                Match(0.72, f"{shape}: may be a person's {PERSON[0]} keypoints")
                if spare == person + 1
                else None
            )
        left = spare - graph.class_count
        if left <= 0 or left % 3:
            return None
        reason = f"{shape}: a box, as many classes as there are labels, and {left // 3} keypoints"
        return Match(0.8 if left == person else 0.3, reason)

    def class_count(self, graph: ModelGraph) -> int | None:
        """What is left of the numbers without box and keypoints, as far as the file tells."""
        found, shape = numbers_and_cells(graph), shape_said(graph)
        if found is None or shape is None:
            return graph.class_count or 1
        return found[0] - _BOX - shape[0] * shape[1]

    def check(self, options: DecodeOptions) -> None:
        """See `Decoder.check`."""
        super().check(options)
        check_keypoints(options)

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = outputs.values()
        rows = rows_last(batch, options)
        count = numbers_of(options, rows.shape[2] - _BOX)
        shape, end = keypoint_shape(options, count), rows.shape[2] - count
        frame, cell, scores, classes = sure_rows(batch, rows, slice(_BOX, end), options.confidence)
        chosen = rows[frame, cell]
        boxes = corners(single(chosen[:, :_BOX]))
        return Candidates(frame, boxes, scores, classes, keypoints=points(chosen[:, end:], shape))


DECODER = Yolov8PoseDecoder()
