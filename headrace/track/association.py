"""Who is who: overlap of boxes and optimal one-to-one assignment.

Boxes are rows centre x, centre y, width, height of one array ``(4, n)``, as in `headrace.track.motion`.
"""

from __future__ import annotations

import lap
import numpy as np
from numpy.typing import NDArray

from headrace.track.motion import CENTRE, HEIGHT, SIZE, WIDTH

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


def iou(a: Array, b: Array) -> Array:
    """Intersection over union of boxes ``(4, n)`` and ``(4, m)``, as ``(n, m)`` in 0-1.

    Boxes without area overlap nothing.

    Example:
        >>> a, b = np.array([[1.0, 1, 2, 2]]).T, np.array([[1.0, 0.5, 2, 1], [5.5, 5.5, 1, 1]]).T
        >>> iou(a, b).tolist()
        [[0.5, 0.0]]
    """
    inner, _, union = _overlap(a, b)
    inner /= union
    return inner


def likeness(a: Array, b: Array, margin: float) -> Array:
    """How alike boxes are in place and height: ``(n, m)`` in 0-1, 1 for equal ones.

    It is the IoU of the boxes after each is grown by ``margin`` of its size on every side (C-BIoU, Yang et
    al., 2023), so that small and fast objects still meet, times the overlap of their vertical extents
    (Hybrid-SORT, Yang et al., 2024), which tells apart people who stand behind each other.
    """
    # Growing sizes and shrinking distances come to the same, as only ratios matter.
    inner, height, union = _overlap(a, b, 1 / (1 + 2 * margin))
    either: Array = a[HEIGHT][:, None] + b[HEIGHT]
    either -= height
    either *= union
    inner *= height
    inner /= either
    return inner


def _overlap(a: Array, b: Array, distance: float = 1.0) -> tuple[Array, Array, Array]:
    """Of each pair: area of the intersection, its height, and area of the union (never 0).

    Centres count ``distance`` times as far apart as they are.
    """
    a_centre, a_half = a[CENTRE] * distance, a[SIZE] * 0.5
    b_centre, b_half = b[CENTRE] * distance, b[SIZE] * 0.5
    shared = np.minimum((a_centre + a_half)[:, :, None], (b_centre + b_half)[:, None])
    shared -= np.maximum((a_centre - a_half)[:, :, None], (b_centre - b_half)[:, None])
    np.maximum(shared, 0, out=shared)
    width, height = shared
    width *= height
    union = (a[WIDTH] * a[HEIGHT])[:, None] + b[WIDTH] * b[HEIGHT]
    union -= width
    np.maximum(union, 1e-9, out=union)
    return width, height, union


def assign(score: Array, minimum: float) -> tuple[Rows, Rows]:
    """Match rows with columns one to one so that the sum of ``score - minimum`` is greatest.

    Pairs that score less than ``minimum``, or nothing, are never matched. Where the best columns of all rows
    differ, as they mostly do, they are the answer. Otherwise pairs that nobody competes for are taken and
    only the rest goes to the Jonker-Volgenant solver, which keeps scattered objects cheap.

    Returns:
        Matched rows and their columns, rows ascending.

    Example:
        >>> rows, columns = assign(np.array([[0.9, 0.8], [0.7, 0.1]]), 0.2)
        >>> rows.tolist(), columns.tolist()
        ([0, 1], [1, 0])
    """
    minimum = max(minimum, 1e-9)
    if not score.size:
        return _NOBODY, _NOBODY
    best = score.argmax(1)
    rows = (score[np.arange(len(best)), best] >= minimum).nonzero()[0]
    if len(rows) < len(best):
        best = best[rows]
    if len(set(best.tolist())) == len(best):
        return rows, best
    return _compete(score, minimum)


def _compete(score: Array, minimum: float) -> tuple[Rows, Rows]:
    """`assign` where rows want the same column."""
    allowed = score >= minimum
    rows, columns = np.nonzero(allowed)
    alone = (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1)
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


_NOBODY: Rows = np.empty(0, np.intp)
