"""YOLOv8, YOLO11 and their kin with instance masks: boxes, and masks as sums of prototypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.decoders.base import DecodeOptions, corners
from headrace.infer.engines.base import ModelGraph
from headrace.infer.nms import class_aware_nms
from headrace.infer.parsers.masks import crop_masks
from headrace.infer.preprocess import PreprocessOptions
from headrace.meta import Detections

#: Masks are costly: boxes that overlap a better one of their class by more are left out before.
_IOU = 0.5
#: Height and width of a mask, which covers its object's box.
_SIDE = 64


class Yolov8SegDecoder:
    """Outputs ``(N, 4 + classes + m, cells)`` and ``(N, m, h, w)``.

    The first is that of YOLOv8 with ``m`` factors for each cell; the second are ``m`` pictures over the input. An
    object's mask is the sigmoid of the pictures' sum weighted by its factors, cut to its box.

    Example:
        >>> head, pictures = np.zeros((1, 4 + 2 + 1, 21), np.float32), np.full((1, 1, 8, 8), 5.0, np.float32)
        >>> head[0, :, 3] = 16, 12, 20, 10, 0.1, 0.9, 1.0
        >>> [found] = Yolov8SegDecoder().decode({"a": head, "b": pictures}, DecodeOptions(0.5, 32, 32))
        >>> found.xyxy.tolist(), found.masks.shape, bool((found.masks > 0.9).all())
        ([[6.0, 7.0, 26.0, 17.0]], (1, 64, 64), True)
    """

    name = "yolov8seg"
    needs_nms = False

    def matches(self, graph: ModelGraph) -> float | None:
        """By an output of three and one of four axes, whose numbers of factors and pictures leave some classes."""
        classes = self.class_count(graph)
        if classes is None or classes < 1:
            return None
        return 0.9 if graph.class_count in (None, classes) else 0.5

    def class_count(self, graph: ModelGraph) -> int | None:
        """Rows of the first output less box and factors."""
        shapes = sorted((output.shape for output in graph.outputs), key=len)
        if [len(shape) for shape in shapes] != [3, 4] or None in (shapes[0][1], shapes[1][1]):
            return None
        return (shapes[0][1] or 0) - 4 - (shapes[1][1] or 0)

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, letterboxed to the centre on grey 114."""
        return PreprocessOptions()

    def decode(self, outputs: Mapping[str, NDArray[Any]], options: DecodeOptions) -> list[Detections]:
        """See `Decoder.decode`; with masks."""
        heads, pictures = sorted(outputs.values(), key=lambda array: array.ndim)
        if (heads.ndim, pictures.ndim) != (3, 4):
            raise ValueError("they are not boxes and pictures")
        return [_decode_one(*pair, options) for pair in zip(heads, pictures, strict=True)]


def _decode_one(
    columns: NDArray[np.float32], pictures: NDArray[np.float32], options: DecodeOptions
) -> Detections:
    count = len(pictures)
    best = columns[4:-count].max(axis=0)
    keep = np.flatnonzero(best >= options.confidence)
    chosen = columns[:, keep]
    limit = np.array([options.width, options.height] * 2, np.float32)
    boxes = corners(np.ascontiguousarray(chosen[:4].T, np.float32)).clip(0, limit)  # masks end there, too
    classes = chosen[4:-count].argmax(axis=0).astype(np.int32)
    # Track ids carry the columns' numbers through the suppression.
    found = class_aware_nms(Detections(boxes, best[keep], classes, np.arange(len(keep))), _IOU)
    factors = chosen[-count:, found.track_id].T
    whole = np.tensordot(factors, pictures, 1).astype(np.float32)
    cut = crop_masks(whole, found.xyxy, (options.width, options.height), _SIDE)
    masks = (1 / (1 + np.exp(-cut))).astype(np.float32)
    return Detections(found.xyxy, found.confidence, found.class_id, masks=masks)


DECODER = Yolov8SegDecoder()
