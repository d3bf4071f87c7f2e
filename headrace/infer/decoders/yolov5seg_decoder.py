"""YOLOv5 and YOLOv7 with instance masks: as `yolov5`, with factors for pictures."""

from __future__ import annotations

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, corners
from headrace.infer.decoders.layouts import fit, strides_of
from headrace.infer.decoders.scores import above, single
from headrace.infer.decoders.yolov8seg_decoder import Yolov8SegDecoder, roles, shapes_of
from headrace.infer.engines.base import ModelGraph

_ANCHORS, _BOX = 3, 5


class Yolov5SegDecoder(Yolov8SegDecoder):
    """Outputs ``(N, 3 * cells, 5 + classes + m)`` and ``(N, m, h, w)``; masks as for `yolov8seg`.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[50, 40, 20, 10, 1.0, 0.1, 0.9, 2.0]]], np.float32)
        >>> outputs = {"output0": rows, "output1": np.full((1, 1, 16, 16), 5.0, np.float32)}
        >>> Yolov5SegDecoder().decode(outputs, DecodeOptions(0.5, 64, 64)).factors.tolist()
        [[2.0]]
    """

    name = "yolov5seg"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By three rows for each cell, and pictures."""
        head, _ = shapes_of(graph)
        classes = self.class_count(graph)
        if classes is None or classes < 1 or not strides_of(head[1], graph.input_size(), _ANCHORS):
            return None
        reason = f"{'; '.join(map(str, graph.outputs))}: three rows for each cell, with factors for pictures"
        return Match(fit(graph, classes, 0.97, 0.96, 0.6), reason)

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length less box, objectness and factors."""
        head, pictures = shapes_of(graph)
        return None if not head or not head[2] or not pictures[1] else head[2] - _BOX - pictures[1]

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`; ``factors`` are those of the pictures."""
        rows, pictures = roles(outputs)
        count = pictures.shape[1]
        frame, row, scores, classes = above(rows[:, :, _BOX:-count], options.confidence, rows[:, :, 4])
        chosen = single(rows[frame, row])
        boxes = corners(chosen[:, :4])
        return Candidates(frame, boxes, scores, classes, factors=chosen[:, -count:])


DECODER = Yolov5SegDecoder()
