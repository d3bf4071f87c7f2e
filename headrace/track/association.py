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

#: With so few combinations, trying all is quicker than looking for neighbours.
_FEW = 1024
#: Pixels to either side that neighbours are looked for in; what lies outside counts as lying at the edge.
_REACH = 1 << 20
#: The part of a block's number that neighbours are sorted by; it leaves room for the place in 64 bits.
_BLOCKS = (1 << 40) - 1
#: Most pairs that the solver gets at once where they can be split by block.
_SOLVE = 64


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
    return first, second, measure(a.take(first, axis=1), b.take(second, axis=1))


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
    low = places.searchsorted(base + _place(a[0] - reach))
    count = places.searchsorted(base + _place(a[0] + reach), "right") - low
    first = np.repeat(np.arange(n), count)
    offset = low - count.cumsum() + count
    second = order[np.arange(len(first)) + offset[first]]
    same = (a_block[first] == b_block[second]).nonzero()[0]
    return (first, second) if len(same) == len(first) else (first[same], second[same])


@lru_cache(512)
def _grid(n: int, m: int) -> tuple[Rows, Rows]:
    """All combinations, to be read only."""
    return np.repeat(np.arange(n), m), np.tile(np.arange(m), n)


def _place(x: Array) -> Blocks:
    return np.clip(x, -_REACH, _REACH).astype(np.int64) + _REACH


def assign(first: Rows, second: Rows, score: Array, minimum: float, block: Blocks) -> tuple[Rows, Rows]:
    """Choose pairs, each row once at most, so that the sum of ``score - minimum`` is greatest.

    Pairs that score less than ``minimum``, or nothing, are never chosen. Pairs that nobody competes for are
    taken as they are; so are the best pairs of a block's rows where they do not get in each other's way, as
    they mostly do not. Only the rest goes to the Jonker-Volgenant solver.

    Args:
        first: Index of each pair's track.
        second: Index of each pair's detection.
        score: Of each pair.
        minimum: Least score.
        block: Of each track; the tracks and detections of one block compete.

    Returns:
        The chosen pairs in any order.

    Example:
        >>> first, second, score = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([0.9, 0.8, 0.7, 0.1])
        >>> [rows.tolist() for rows in assign(first, second, score, 0.2, np.array([0, 0]))]
        [[0, 1], [1, 0]]
    """
    kept = (score >= max(minimum, 1e-9)).nonzero()[0]
    if not len(kept):
        return kept, kept
    if len(kept) < len(score):
        first, second, score = first[kept], second[kept], score[kept]
    if len(set(first.tolist())) == len(set(second.tolist())) == len(first):
        return first, second
    gain = score - minimum
    best = _best_of_each(first, gain)
    wanted = second[best]
    clash = (np.bincount(wanted)[wanted] > 1).nonzero()[0]
    if not len(clash):
        return first[best], wanted
    if len(first) <= _SOLVE:
        chosen = _solve(np.arange(len(first)), first, second, gain, first)[0]
    else:
        chosen = _by_block(first, second, gain, best, clash, block)
    return first[chosen], second[chosen]


def _best_of_each(first: Rows, gain: Array) -> Rows:
    """For each row the pair that gains most."""
    order = gain.argsort(kind="stable")
    best = np.full(int(first.max()) + 1, -1)
    best[first[order]] = order  # the last one written stays
    return best[best >= 0]


def _by_block(first: Rows, second: Rows, gain: Array, best: Rows, clash: Rows, block: Blocks) -> Rows:
    """The best pairs where a block's rows do not clash; there, pairs that nobody competes for, and the solver's."""
    blocks = block[first]
    disputed = np.isin(blocks, blocks[best[clash]])
    rivals = np.maximum(np.bincount(first)[first], np.bincount(second)[second])
    alone, hard = (disputed & (rivals == 1)).nonzero()[0], (disputed & (rivals > 1)).nonzero()[0]
    return np.concatenate([best[~disputed[best]], alone, *_solve(hard, first, second, gain, blocks)])


def _solve(pairs: Rows, first: Rows, second: Rows, gain: Array, blocks: Blocks) -> list[Rows]:
    """The best of some pairs, by blocks if they are many."""
    if len(pairs) > _SOLVE:
        own = blocks[pairs]
        lower = own < np.median(own)
        if np.count_nonzero(lower):
            halves = pairs[lower], pairs[~lower]
            return [done for half in halves for done in _solve(half, first, second, gain, blocks)]
    (rows, row), (columns, column) = _ranks(first[pairs]), _ranks(second[pairs])
    table = np.full((rows, columns), -1)
    table[row, column] = pairs
    cost = np.zeros(table.shape)
    cost[row, column] = -gain[pairs]  # a cost of 0 is as good as no match
    picked = lap.lapjv(cost, extend_cost=True, return_cost=False)[0]
    found = (picked >= 0).nonzero()[0]
    chosen = table[found, picked[found]]
    return [chosen[chosen >= 0]]


def _ranks(index: Rows) -> tuple[int, Rows]:
    """Small numbers for the entries of an index, and how many."""
    most = int(index.max()) + 1
    if most <= _SOLVE:
        return most, index
    known, rank = np.unique(index, return_inverse=True)
    return len(known), rank
