"""YOLOv8, YOLO11 and their kin with instance masks: boxes, and masks as sums of prototypes."""

from __future__ import annotations

import numpy as np

from headrace.infer.candidates import Array, Candidates, to_numpy
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, clipped, corners
from headrace.infer.decoders.layouts import GridDecoder, fit, rows_last, strides_of
from headrace.infer.decoders.scores import sigmoid, single
from headrace.infer.decoders.yolov8_decoder import sure_rows
from headrace.infer.engines.base import ModelGraph
from headrace.infer.masks import mixed_masks

#: Numbers of a finished object before its factors, in exports with suppression inside.
ROW = 6
#: Height and width of a mask, which covers its object's box.
_SIDE = 64


class Yolov8SegDecoder(GridDecoder):
    """Outputs ``(N, 4 + classes + m, cells)`` and ``(N, m, h, w)``.

    The first is that of YOLOv8 with ``m`` factors for each cell; the second are ``m`` pictures over the input. An
    object's mask is the sigmoid of the pictures' sum weighted by its factors, cut to its box.

    Example:
        >>> head, pictures = np.zeros((1, 4 + 2 + 1, 21), np.float32), np.full((1, 1, 8, 8), 5.0, np.float32)
        >>> head[0, :, 3] = 16, 12, 20, 10, 0.1, 0.9, 1.0
        >>> decoder, outputs, options = Yolov8SegDecoder(), {"a": head, "b": pictures}, DecodeOptions(0.5, 32, 32)
        >>> found = decoder.complete(decoder.decode(outputs, options), outputs, options)
        >>> found.xyxy.tolist(), found.masks.shape, bool((found.masks > 0.9).all())
        ([[6.0, 7.0, 26.0, 17.0]], (1, 64, 64), True)
    """

    name = "yolov8seg"
    usual_size = (640, 640)
    task = "segment"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By an output of three and one of four axes, whose numbers of factors and pictures leave some classes."""
        classes = self.class_count(graph)
        if classes is None or classes < 1:
            return None
        score = fit(graph, classes, 0.9, 0.9, 0.5)
        return Match(
            score, f"{'; '.join(map(str, graph.outputs))}: a box, {classes} classes and factors for pictures"
        )

    def class_count(self, graph: ModelGraph) -> int | None:
        """Rows of the first output less box and factors."""
        head, pictures = shapes_of(graph)
        if not pictures or not pictures[1]:
            return None
        size, (numbers, cells) = graph.input_size(), head[1:]
        if numbers is None or strides_of(numbers, size):
            numbers, cells = cells, numbers
        finished = ROW + pictures[1] in (numbers, cells) and not strides_of(cells, size)
        return None if numbers is None or finished else numbers - 4 - pictures[1]

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`; ``factors`` are those of the pictures."""
        head, pictures = roles(outputs)
        rows, count = rows_last(head, options), pictures.shape[1]
        frame, cell, scores, classes = sure_rows(head, rows, slice(4, -count), options.confidence)
        chosen = single(rows[frame, cell])
        boxes = corners(chosen[:, :4])
        return Candidates(frame, boxes, scores, classes, factors=chosen[:, -count:])

    def complete(self, kept: Candidates, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """Add the masks."""
        return with_masks(kept, roles(outputs)[1], options)


def shapes_of(graph: ModelGraph) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
    """Shapes of the outputs of three and of four axes; both empty when there are not just these two."""
    shapes = sorted((output.shape for output in graph.outputs), key=len)
    return (shapes[0], shapes[1]) if [len(shape) for shape in shapes] == [3, 4] else ((), ())


def with_masks(kept: Candidates, pictures: Array, options: DecodeOptions) -> Candidates:
    """The candidates with masks made of their factors and of the pictures ``(N, m, h, w)``.

    Boxes are cut at the edges of the input, where masks end, too: only here, because suppression compares whole boxes.
    """
    kept.xyxy = np.asarray(clipped(kept.xyxy, options), np.float32)
    kept = kept[(kept.xyxy[:, 2:] > kept.xyxy[:, :2]).all(axis=1)]
    if kept.factors is None or not len(kept):
        return kept
    wholes = to_numpy(pictures, np.float32)
    own, size = [wholes[frame] for frame in kept.frame], (options.width, options.height)
    cut = mixed_masks(kept.factors, own, kept.xyxy, size, _SIDE)
    kept.masks = np.asarray(sigmoid(cut), np.float32)
    return kept


def roles(outputs: Outputs) -> tuple[Array, Array]:
    """Boxes and pictures.

    Raises:
        ValueError: They are not.
    """
    head, *pictures = sorted(outputs.values(), key=lambda array: int(array.ndim))
    if head.ndim != 3 or len(pictures) != 1 or pictures[0].ndim != 4:
        raise ValueError("they are not boxes and pictures")
    return head, pictures[0]


DECODER = Yolov8SegDecoder()
