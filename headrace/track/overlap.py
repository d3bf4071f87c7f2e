"""How alike two boxes are: measures over pairs, in 0-1 (1 for equal boxes).

Boxes are in centre form (see `headrace.track.motion`); the columns of both arguments belong together, or
broadcast. Only arithmetic on whole rows: a batch's pairs of all sources are measured at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headrace.track.motion import CENTRE, HEIGHT, SIZE, WIDTH, Array

Measure = Callable[[Array, Array], Array]


def shared(a: Array, b: Array, distance: float = 1.0) -> Array:
    """Width and height ``(2, ...)`` of the intersections; centres count ``distance`` times as far apart."""
    gap = a[CENTRE] - b[CENTRE]
    np.abs(gap, out=gap)
    if distance != 1.0:
        gap *= distance
    sizes = a[SIZE], b[SIZE]
    extent: Array = sizes[0] + sizes[1]
    extent *= 0.5
    extent -= gap
    np.minimum(extent, np.minimum(*sizes), out=extent)
    return np.maximum(extent, 0, out=extent)


def iou(a: Array, b: Array) -> Array:
    """Intersection over union; boxes without area overlap nothing.

    Example:
        >>> a, b = np.array([[1.0, 1, 2, 2]]).T, np.array([[1.0, 0.5, 2, 1], [5.5, 5.5, 1, 1]]).T
        >>> iou(a, b).tolist()
        [0.5, 0.0]
    """
    width, height = shared(a, b)
    inner: Array = width * height
    return inner / _union(a, b, inner)


def giou(a: Array, b: Array) -> Array:
    """Generalised IoU (Rezatofighi et al., 2019), moved from -1..1 to 0-1: it also tells how far apart boxes are.

    Example:
        >>> a, b = np.array([[1.0, 1, 2, 2]]).T, np.array([[1.0, 1, 2, 2], [4.0, 1, 2, 2], [9.0, 1, 2, 2]]).T
        >>> giou(a, b).round(2).tolist()
        [1.0, 0.4, 0.2]
    """
    width, height = shared(a, b)
    inner: Array = width * height
    union = _union(a, b, inner)
    hull = np.abs(a[CENTRE] - b[CENTRE]) + (a[SIZE] + b[SIZE]) * 0.5
    np.maximum(hull, np.maximum(a[SIZE], b[SIZE]), out=hull)
    around = np.maximum(hull[0] * hull[1], 1e-9)
    out: Array = (inner / union + union / around) * 0.5
    return out


def buffered_iou(margin: float) -> Measure:
    """IoU of boxes grown by ``margin`` of their size on every side (C-BIoU, Yang et al., 2023).

    Small and fast objects still meet.
    """

    def measure(a: Array, b: Array) -> Array:
        # Growing sizes and shrinking distances come to the same, as only ratios matter.
        width, height = shared(a, b, 1 / (1 + 2 * margin))
        inner: Array = width * height
        return inner / _union(a, b, inner)

    return measure


def likeness(margin: float) -> Measure:
    """Buffered IoU times the overlap of the vertical extents.

    The latter tells apart people who stand behind each other (Hybrid-SORT, Yang et al., 2024).

    Example:
        >>> a, b = np.array([[5.0, 10, 10, 20]]).T, np.array([[5.0, 10, 10, 20], [16.0, 10, 10, 20]]).T
        >>> likeness(0.3)(a, b).round(2).tolist()
        [1.0, 0.19]
    """

    def measure(a: Array, b: Array) -> Array:
        width, height = shared(a, b, 1 / (1 + 2 * margin))
        width *= height
        either: Array = a[HEIGHT] + b[HEIGHT]
        either -= height
        either *= _union(a, b, width)
        width *= height
        out: Array = width / either
        return out

    return measure


def _union(a: Array, b: Array, inner: Array) -> Array:
    union: Array = a[WIDTH] * a[HEIGHT] + b[WIDTH] * b[HEIGHT]
    union -= inner
    return np.maximum(union, 1e-9, out=union)
