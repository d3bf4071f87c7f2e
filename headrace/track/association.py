"""Who is who: overlap of boxes and optimal one-to-one assignment."""

from __future__ import annotations

import lap
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


def iou(a: Array, b: Array) -> Array:
    """Intersection over union of corner boxes ``(n, 4)`` and ``(m, 4)``, as ``(n, m)`` in 0-1.

    Boxes without area overlap nothing.

    Example:
        >>> iou(np.array([[0.0, 0, 2, 2]]), np.array([[0.0, 0, 2, 1], [5, 5, 6, 6]])).tolist()
        [[0.5, 0.0]]
    """
    shared = _shared_sides(a, b)
    inner: Array = shared[..., 0] * shared[..., 1]
    inner /= _union(a, b, inner)
    return inner


def likeness(a: Array, b: Array, margin: float) -> Array:
    """How alike boxes are in place and height: ``(n, m)`` in 0-1, 1 for equal ones.

    It is the IoU of the boxes after each is grown by ``margin`` of its size on every side (C-BIoU, Yang et
    al., 2023), so that small and fast objects still meet, times the overlap of their vertical extents
    (Hybrid-SORT, Yang et al., 2024), which tells apart people who stand behind each other.
    """
    a, b = grow(a, margin), grow(b, margin)
    shared = _shared_sides(a, b)
    height = shared[..., 1]
    inner: Array = shared[..., 0] * height
    either: Array = (a[:, 3] - a[:, 1])[:, None] + (b[:, 3] - b[:, 1])
    either -= height
    either *= _union(a, b, inner)
    inner *= height
    inner /= either
    return inner


def grow(boxes: Array, margin: float) -> Array:
    """Corner boxes with ``margin`` times their width or height added on every side."""
    out: Array = boxes.copy()
    extra = (boxes[:, 2:] - boxes[:, :2]) * margin
    out[:, :2] -= extra
    out[:, 2:] += extra
    return out


def _shared_sides(a: Array, b: Array) -> Array:
    """Width and height of each intersection, ``(n, m, 2)``, 0 where there is none."""
    shared: Array = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared -= np.maximum(a[:, None, :2], b[None, :, :2])
    np.maximum(shared, 0, out=shared)
    return shared


def _union(a: Array, b: Array, inner: Array) -> Array:
    size_a, size_b = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    union: Array = (size_a[:, 0] * size_a[:, 1])[:, None] + size_b[:, 0] * size_b[:, 1]
    union -= inner
    np.maximum(union, 1e-9, out=union)
    return union


def assign(score: Array, minimum: float) -> tuple[Rows, Rows]:
    """Match rows with columns one to one so that the sum of ``score - minimum`` is greatest.

    Pairs that score less than ``minimum``, or nothing, are never matched. Pairs that nobody else competes for
    are taken at once; only the rest goes to the Jonker-Volgenant solver, which keeps scattered objects cheap.

    Returns:
        Matched rows and their columns, rows ascending.

    Example:
        >>> rows, columns = assign(np.array([[0.9, 0.8], [0.7, 0.1]]), 0.2)
        >>> rows.tolist(), columns.tolist()
        ([0, 1], [1, 0])
    """
    allowed = score >= max(minimum, 1e-9)
    rows, columns = np.nonzero(allowed)
    if len(rows) == 0:
        return rows, columns
    row_count, column_count = np.bincount(rows), np.bincount(columns)
    if row_count.max() == 1 and column_count.max() == 1:
        return rows, columns
    alone = (row_count[rows] == 1) & (column_count[columns] == 1)
    hard_rows, hard_columns = np.unique(rows[~alone]), np.unique(columns[~alone])
    cost = score[hard_rows[:, None], hard_columns]
    picked = _solve(np.minimum(minimum - cost, 0.0))
    found = np.flatnonzero(picked >= 0)
    chosen = hard_columns[picked[found]]
    valid = allowed[hard_rows[found], chosen]
    rows = np.concatenate((rows[alone], hard_rows[found[valid]]))
    columns = np.concatenate((columns[alone], chosen[valid]))
    order = np.argsort(rows, kind="stable")
    return rows[order], columns[order]


def _solve(cost: Array) -> NDArray[np.int32]:
    """Column of each row (-1: none) with the least total cost; a cost of 0 is as good as no match."""
    return lap.lapjv(cost, extend_cost=True, return_cost=False)[0]  # type: ignore[no-any-return]
