"""Mask R-CNN that suppresses overlapping boxes inside the graph, as TAO exports it (PeopleSegNet)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.decoders.base import DecodeOptions
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions
from headrace.meta import Detections

_ROW = 6
#: Boxes whose corners all stay below are in fractions of the input's size.
_FRACTIONS_BELOW = 2.0


class MaskRcnnDecoder:
    """Outputs ``(N, M, 6)`` with top, left, bottom, right, class, score; and masks ``(N, M, classes, h, w)``.

    Corners are in pixels of the input, or in fractions of its size.

    Example:
        >>> rows, masks = np.array([[[2, 4, 8, 16, 1, 0.9]]], np.float32), np.zeros((1, 1, 2, 28, 28), np.float32)
        >>> masks[0, 0, 1] = 1
        >>> [found] = MaskRcnnDecoder().decode({"rows": rows, "masks": masks}, DecodeOptions(0.5, 32, 32))
        >>> found.xyxy.tolist(), found.class_id.tolist(), found.masks.mean()
        ([[4.0, 2.0, 16.0, 8.0]], [1], np.float32(1.0))
    """

    name = "maskrcnn"
    needs_nms = False

    def matches(self, graph: ModelGraph) -> float | None:
        """By rows of six and an output of five axes."""
        shapes = sorted((output.shape for output in graph.outputs), key=len)
        return 0.95 if [len(shape) for shape in shapes] == [3, 5] and shapes[0][2] == _ROW else None

    def class_count(self, graph: ModelGraph) -> int | None:
        """Masks of each row; the background counts."""
        shapes = sorted((output.shape for output in graph.outputs), key=len)
        return shapes[-1][2] if shapes and len(shapes[-1]) == 5 else None

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB, stretched, normalised by the means and deviations of ImageNet."""
        mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
        return PreprocessOptions(resize="stretch", scale=1.0, mean=mean, std=std)

    def decode(self, outputs: Mapping[str, NDArray[Any]], options: DecodeOptions) -> list[Detections]:
        """See `Decoder.decode`; with masks."""
        tables, masks = sorted(outputs.values(), key=lambda array: array.ndim)
        if (tables.ndim, masks.ndim) != (3, 5):
            raise ValueError("they are not rows of six and masks")
        return [_decode_one(*pair, options) for pair in zip(tables, masks, strict=True)]


def _decode_one(rows: NDArray[np.float32], masks: NDArray[np.float32], options: DecodeOptions) -> Detections:
    keep = np.flatnonzero(rows[:, 5] >= options.confidence)
    classes = rows[keep, 4].astype(np.int32)
    boxes = rows[keep][:, [1, 0, 3, 2]].astype(np.float32)
    if len(boxes) and np.abs(boxes).max() < _FRACTIONS_BELOW:
        boxes *= np.array([options.width, options.height] * 2, np.float32)
    own = masks[keep, np.clip(classes, 0, masks.shape[1] - 1)].astype(np.float32)
    return Detections(boxes, rows[keep, 5].astype(np.float32), classes, masks=own)


DECODER = MaskRcnnDecoder()
