"""Overlap of boxes, many with many."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def areas(xyxy: NDArray[Any]) -> NDArray[np.float64]:
    """Areas ``(n,)`` of boxes ``(n, 4)`` left, top, right, bottom."""
    boxes = np.asarray(xyxy, np.float64)
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))


def shared_areas(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Areas ``(n, m)`` that boxes ``(n, 4)`` and ``(m, 4)`` have in common."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0.0), axis=2))


def pairwise_iou(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union ``(n, m)`` of boxes ``(n, 4)`` and ``(m, 4)``, left, top, right, bottom.

    Example:
        >>> pairwise_iou([[0, 0, 2, 2]], [[1, 0, 3, 2]]).round(3).tolist()
        [[0.333]]
    """
    shared = shared_areas(a, b)
    union = areas(a)[:, None] + areas(b)[None] - shared
    return np.asarray(shared / np.maximum(union, 1e-9))
