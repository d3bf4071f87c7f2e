"""Who is who: the pairs that may belong together, and the best one-to-one choice among them.

Pairs are two index arrays, tracks and detections, over all sources of a batch. Only tracks and detections of
one *block* (a source, or a class in a source) are paired, so one pass over the pairs serves the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import lap
import numpy as np
from numpy.typing import NDArray

from headrace.track.motion import WIDTH, Array

Rows = NDArray[np.intp]
Blocks = NDArray[np.int64]
Mask = NDArray[np.bool_]

#: With so few combinations, trying all is quicker than looking for neighbours.
_FEW = 1024
#: Pixels to either side that neighbours are looked for in; what lies outside counts as lying at the edge.
_REACH = 1 << 20
#: The part of a block's number that neighbours are sorted by; it leaves room for the place in 64 bits.
_BLOCKS = (1 << 40) - 1
#: Pairs that are measured at a time: of larger arrays each time the system is asked for memory, which costs more.
_AT_ONCE = 4096
#: Most cells of a table that is solved as it is.
_TABLE = 2048
#: Most pairs that the solver gets without looking for certain ones first.
_SPARSE = 64


def alike(
    a: Array,
    a_block: Blocks,
    b: Array,
    b_block: Blocks,
    margin: float,
    measure: Callable[[Array, Array], Array],
) -> tuple[Rows, Rows, Array]:
    """The pairs that `nearby` finds, with what ``measure`` says of each."""
    n, m = a.shape[1], b.shape[1]
    if n * m <= _FEW and _of_one_block(a_block, b_block):
        first, second = _grid(n, m)
        return first, second, measure(a[:, :, None], b[:, None, :]).ravel()
    first, second = nearby(a, a_block, b, b_block, margin)
    if len(first) <= _AT_ONCE:
        return first, second, measure(a.take(first, axis=1), b.take(second, axis=1))
    score = np.empty(len(first))
    for start in range(0, len(first), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        score[part] = measure(a.take(first[part], axis=1), b.take(second[part], axis=1))
    return first, second, score


def _of_one_block(a: Blocks, b: Blocks) -> bool:
    return len(a) > 0 and len(b) > 0 and np.count_nonzero(a != b[0]) + np.count_nonzero(b != b[0]) == 0


def nearby(a: Array, a_block: Blocks, b: Array, b_block: Blocks, margin: float) -> tuple[Rows, Rows]:
    """Pairs of one block whose horizontal extents, grown by ``margin`` on every side, meet.

    Pairs that do not meet may be among them; none that meets is missing.

    Args:
        a: Boxes ``(4, n)`` in centre form.
        a_block: Their blocks ``(n,)``.
        b: Boxes ``(4, m)``.
        b_block: Their blocks ``(m,)``.
        margin: Share of each box's width.

    Example:
        >>> boxes = np.array([[5.0, 5, 10, 10], [8, 5, 10, 10], [99, 5, 10, 10]]).T
        >>> [rows.tolist() for rows in nearby(boxes, np.array([0, 1, 0]), boxes, np.array([0, 0, 0]), 0.0)]
        [[0, 0, 0, 2, 2, 2], [0, 1, 2, 0, 1, 2]]
    """
    n, m = a.shape[1], b.shape[1]
    if n * m <= _FEW:
        first, second = _grid(n, m)
        same = a_block[first] == b_block[second]
        return (first, second) if np.count_nonzero(same) == len(same) else (first[same], second[same])
    places = _place(b[0]) + (b_block & _BLOCKS) * (4 * _REACH)
    order = places.argsort()
    places = places[order]
    reach = (a[WIDTH] + b[WIDTH].max()) * (0.5 + margin) + 1
    base = (a_block & _BLOCKS) * (4 * _REACH)
    start = base + _place(a[0] - reach)
    turn = start.argsort()  # who is looked for in order is found in half the time
    low = places.searchsorted(start[turn])
    count = places.searchsorted((base + _place(a[0] + reach))[turn], "right") - low
    first = np.repeat(turn, count)
    second = order[np.arange(len(first)) + np.repeat(low - count.cumsum() + count, count)]
    same = (a_block[first] == b_block[second]).nonzero()[0]
    return (first, second) if len(same) == len(first) else (first[same], second[same])


@lru_cache(512)
def _grid(n: int, m: int) -> tuple[Rows, Rows]:
    """All combinations, to be read only."""
    return np.repeat(np.arange(n), m), np.tile(np.arange(m), n)


def _place(x: Array) -> Blocks:
    return np.clip(x, -_REACH, _REACH).astype(np.int64) + _REACH


def assign(
    first: Rows, second: Rows, score: Array, minimum: float, shape: tuple[int, int]
) -> tuple[Rows, Rows]:
    """Choose pairs, each row once at most, so that the sum of ``score - minimum`` is greatest.

    Pairs that score less than ``minimum``, or nothing, are never chosen. Pairs that nobody competes for are
    taken as they are. Of many pairs those that are certain are chosen first; only the rest goes to the
    Jonker-Volgenant solver.

    Args:
        first: Index of each pair's track.
        second: Index of each pair's detection.
        score: Of each pair.
        minimum: Least score.
        shape: How many tracks and how many detections there are.

    Returns:
        The chosen pairs in any order.

    Example:
        >>> first, second, score = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([0.9, 0.8, 0.7, 0.1])
        >>> [rows.tolist() for rows in assign(first, second, score, 0.2, (2, 2))]
        [[0, 1], [1, 0]]
    """
    kept = (score >= max(minimum, 1e-9)).nonzero()[0]
    if not len(kept):
        return kept, kept
    if len(kept) < len(score):
        first, second, score = first[kept], second[kept], score[kept]
    n, m = shape
    if len(first) <= min(n, m) and _distinct(first, n) and _distinct(second, m):
        return first, second
    gain = score - minimum
    if n * m <= _TABLE:
        cost = np.zeros(shape)
        cost[first, second] = -gain  # a cost of 0 is as good as no match
        picked = lap.lapjv(cost, extend_cost=True, return_cost=False)[0]
        chosen = (picked[first] == second).nonzero()[0]
    else:
        chosen = _choose(first, second, gain, n, m)
    return first[chosen], second[chosen]


def _distinct(index: Rows, size: int) -> bool:
    if len(index) < 32:
        return len(set(index.tolist())) == len(index)
    there = np.zeros(size, bool)
    there[index] = True
    return bool(np.count_nonzero(there) == len(index))


def _choose(first: Rows, second: Rows, gain: Array, n: int, m: int) -> Rows:
    """The best choice among many pairs, of ``n`` tracks and ``m`` detections.

    A pair is certain if it gains no less than the next best pair of its track and that of its detection
    together: whoever left it out could take it instead of these two. That settles nearly all, a few rounds long.
    """
    left = _ascending(gain)
    done: list[Rows] = []
    while True:
        track, found, worth = first[left], second[left], gain[left]
        wanted, track_else = _best_of_each(track, worth, n)
        best = wanted.nonzero()[0]
        if _distinct(found[best], m):
            return np.concatenate([*done, left[best]])
        if len(left) <= _SPARSE:
            break
        wanting, found_else = _best_of_each(found, worth, m)
        sure = (wanted & wanting).nonzero()[0]
        sure = sure[worth[sure] >= track_else[track[sure]] + found_else[found[sure]]]
        if not len(sure):
            break
        done.append(left[sure])
        taken, given = np.zeros(n, bool), np.zeros(m, bool)
        taken[track[sure]] = given[found[sure]] = True
        left = left[~(taken[track] | given[found])]
    track, n = _ranks(first[left], n)
    found, m = _ranks(second[left], m)
    done.append(left[_sparse(track, found, gain[left], n, m)])
    return np.concatenate(done)


def _ascending(gain: Array) -> Rows:
    """Pairs by gain, of equal ones the first first, whichever others there are: `argsort`, but several times quicker.

    Whole numbers are sorted that hold the gain and the place; what the gain loses is less than rounding errors.
    """
    bits = len(gain).bit_length()
    key = (gain * 2.0 ** (60 - bits)).astype(np.int64)
    key <<= bits
    key |= np.arange(len(gain))
    key.sort()
    key &= (1 << bits) - 1
    return key


def _best_of_each(index: Rows, worth: Array, size: int) -> tuple[Mask, Array]:
    """Of pairs in order of worth which are the best of their row, and what the next best is worth to each row."""
    last = np.empty(size, np.intp)
    number = np.arange(len(index))
    last[index] = number  # the last one written stays
    best: Mask = last[index] == number
    others = (~best).nonzero()[0]
    next_best = np.zeros(size)
    next_best[index[others]] = worth[others]
    return best, next_best


def _ranks(index: Rows, size: int) -> tuple[Rows, int]:
    """Small numbers for the entries of an index in place of those below ``size``, and how many."""
    there = np.zeros(size, bool)
    there[index] = True
    rank = there.cumsum()
    return rank[index] - 1, int(rank[-1])


def _sparse(first: Rows, second: Rows, gain: Array, n: int, m: int) -> Rows:
    """The best choice by the solver for sparse tables.

    It wants to match everybody. So each track may also have a column of its own, each detection a row of its
    own, and these each other where their owners may; no such match gains anything.
    """
    size, top = n + m, gain.max()
    own = np.arange(size)
    row, column = (
        np.concatenate((first, own, second + n)),
        np.concatenate((second, (own + m) % size, first + m)),
    )
    cost = np.full(len(row), top)  # the solver takes no negative costs
    cost[: len(gain)] -= gain
    order = (row * size + column).argsort()
    starts = np.zeros(size + 1, np.int32)
    np.bincount(row).cumsum(out=starts[1:])
    picked = lap.lapmod(size, cost[order], starts, column[order].astype(np.int32), return_cost=False)[0]
    chosen: Rows = (picked[first] == second).nonzero()[0]
    return chosen
