"""Tracks: what is remembered of the tracked objects of one source, as arrays with a row for each object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]
Floats = NDArray[np.float64]
_INITIAL = 64
#: Seconds between looks for tracks that have gone.
_SWEEP = 0.25
#: A new track may take the place of one that was lost so many seconds ago at most, and so near (in sizes).
_HEIR_SECONDS, _HEIR_REACH, _HEIR_SIZE = 1.0, 0.6, 1.7
#: Share of a new position that counts: the least, and its growth with the distance in sizes. A box that jitters is
#: smoothed to a third of its noise, one that moves by half its size is followed at once.
_CALM, _LIVELY = 0.25, 2.0
_SWIFT = 0.2  # share of a new velocity that counts


class Column:
    """An array with a row for each track; ``array`` changes when it grows, so it is not kept by others."""

    __slots__ = ("array", "fill")

    def __init__(self, rows: int, width: Sequence[int], dtype: Any, fill: Any) -> None:
        self.fill = fill
        self.array: NDArray[Any] = np.full((rows, *width), fill, dtype)

    def grow(self) -> None:
        """Make room for as many rows again."""
        self.array = np.concatenate([self.array, np.full_like(self.array, self.fill)])

    def clear(self, row: int) -> None:
        """Make a row new."""
        self.array[row] = self.fill


class Lanes(Column):
    """Numbers with a *column* for each track, for what is reckoned with in every frame: ten times as quick."""

    __slots__ = ()

    def __init__(self, rows: int, count: int) -> None:
        self.fill = 0.0
        self.array = np.zeros((count, rows))

    def grow(self) -> None:
        """Make room for as many tracks again."""
        self.array = np.concatenate([self.array, np.zeros_like(self.array)], axis=1)

    def clear(self, row: int) -> None:
        """Make a track's column new."""
        self.array[:, row] = 0.0


class Part:
    """Some lanes as a column of their own."""

    __slots__ = ("_of", "_which")

    def __init__(self, of: Lanes, which: slice | int) -> None:
        self._of, self._which = of, which

    @property
    def array(self) -> NDArray[Any]:
        """A view of these lanes, with a row for each track."""
        view: NDArray[Any] = self._of.array[self._which].T
        return view


class Tracks:
    """Rows by track id, smoothed positions and velocities; one source, one thread.

    An object stands at its *foot*, the middle of its box's lower edge. A new id that turns up where another one has
    just been lost is taken for the same object and gets its row, with all that rules remember there.

    Args:
        forget: Seconds without a detection after which a track is forgotten.
        lost: Seconds after which it counts as gone; it is there again when it is seen again.

    Attributes:
        skipped: Objects left out so far because their boxes are no boxes (not finite, or without a size).
        heirs: Ids so far that were taken for the continuation of another.

    Example:
        >>> tracks = Tracks()
        >>> rows = tracks.update(np.array([7]), np.array([0]), np.array([[8.0, 0, 12, 20]]), 0.0)
        >>> tracks.foot.array[rows].tolist()
        [[10.0, 20.0]]
    """

    def __init__(self, forget: float = 8.0, lost: float = 1.0) -> None:
        self._forget, self._lost = forget, lost
        self._capacity = _INITIAL
        self._columns: list[Column] = []
        self.id = self.column(dtype=np.uint64, fill=0)
        self.class_id = self.column(dtype=np.int32, fill=0)
        self.gone = self.column(dtype=bool, fill=False)
        # What changes with every frame is read and written at once.
        self._state = self.lanes(9)
        #: What is known of the objects of the last frame: foot, velocity, unsmoothed foot, size, ..., ``(9, n)``.
        self.current: Floats = np.empty((9, 0))
        self.foot, self.velocity = Part(self._state, slice(0, 2)), Part(self._state, slice(2, 4))
        self.raw, self.size = Part(self._state, slice(4, 6)), Part(self._state, 6)
        self.last, self.seen = Part(self._state, 7), Part(self._state, 8)
        self.skipped = self.heirs = 0
        self.reset()

    def reset(self) -> None:
        """Forget every track."""
        self._row_of: dict[int, int] = {}
        self._free = list(range(self._capacity - 1, -1, -1))
        self._known: tuple[bytes, Rows] = (b"", np.empty(0, np.intp))
        self.now = self._swept = -np.inf
        self.fresh: Rows = np.empty(0, np.intp)

    def __len__(self) -> int:
        return len(self._row_of)

    def column(self, *width: int, dtype: Any = np.float64, fill: Any = 0.0) -> Column:
        """A new array of the given width, ``fill`` in the rows of new tracks."""
        column = Column(self._capacity, width, dtype, fill)
        self._columns.append(column)
        return column

    def lanes(self, count: int) -> Lanes:
        """So many new numbers for each track, 0 for new ones."""
        lanes = Lanes(self._capacity, count)
        self._columns.append(lanes)
        return lanes

    def update(self, ids: NDArray[Any], class_ids: NDArray[Any], xyxy: Floats, now: float) -> Rows:
        """Take the objects of one frame; boxes ``(n, 4)`` have a size (see `usable`), ``now`` is in seconds.

        Returns:
            Row of each object. ``fresh`` holds those that are new. Time that runs backwards forgets all tracks.
        """
        if now < self.now:
            self.reset()
        self.now = now
        state = np.empty((9, len(ids)))
        left, top, right, bottom = xyxy.T.copy()
        np.add(left, right, out=state[4])
        state[4] *= 0.5
        state[5] = bottom
        np.maximum(right - left, bottom - top, out=state[6])
        key = ids.tobytes()
        if key == self._known[0]:
            rows = self._known[1]
            self.fresh = rows[:0]
        else:
            rows = self._locate(ids.tolist(), class_ids, state[4:6].T, state[6])
            self._known = key, rows
        self._move(rows, state)
        return rows

    def _move(self, rows: Rows, state: Floats) -> None:
        before = self._state.array.take(rows, 1)
        step = state[4:6] - before[:2]
        far = np.abs(step)
        share = np.maximum(far[0], far[1])
        share *= _LIVELY
        share /= state[6]
        np.maximum(share, _CALM, out=share)
        step *= np.minimum(share, 1.0, out=share)
        np.add(before[:2], step, out=state[:2])
        gap = self.now - before[7]
        step /= np.maximum(gap, 1e-3, out=gap)
        step *= _SWIFT
        np.add(before[2:4] * (1 - _SWIFT), step, out=state[2:4])
        state[7] = self.now
        np.add(before[8], 1, out=state[8])
        self._state.array[:, rows] = state
        self.current = state

    def _locate(self, ids: list[int], class_ids: NDArray[Any], raw: Floats, scale: Floats) -> Rows:
        rows = np.array([self._row_of.get(one, -1) for one in ids], np.intp)
        fresh: list[int] = []
        for index in np.flatnonzero(rows < 0).tolist():
            row = self._row_of.get(ids[index])  # an id that stands in the frame twice
            if row is None:
                row = self._heir(ids[index], rows, class_ids[index], raw[index], scale[index])
            if row is None:
                row = self._begin(ids[index], class_ids[index], raw[index])
                fresh.append(row)
            rows[index] = row
        self.fresh = np.array(fresh, np.intp)
        self.gone.array[rows] = False
        return rows

    def _begin(self, track: int, class_id: int, raw: Floats) -> int:
        if not self._free:
            self._free = list(range(2 * self._capacity - 1, self._capacity - 1, -1))
            self._capacity *= 2
            for column in self._columns:
                column.grow()
        row = self._row_of[track] = self._free.pop()
        for column in self._columns:
            column.clear(row)
        self.id.array[row], self.class_id.array[row] = track, class_id
        self.last.array[row], self.foot.array[row] = self.now, raw
        return row

    def _heir(self, track: int, taken: Rows, class_id: int, raw: Floats, scale: float) -> int | None:
        """The row of a lost track of which this one must be the continuation, now that of the new id."""
        rows = np.fromiter(self._row_of.values(), np.intp, len(self._row_of))
        if not len(rows):
            return None
        gap = self.now - self.last.array[rows]
        lost = (gap > 0) & (gap <= _HEIR_SECONDS) & (self.class_id.array[rows] == class_id)
        rows, gap = rows[lost], gap[lost]
        apart = np.hypot(*(self.foot.array[rows] + self.velocity.array[rows] * gap[:, None] - raw).T)
        ratio = self.size.array[rows] / scale
        fits = (apart < _HEIR_REACH * scale * (1 + gap)) & (ratio < _HEIR_SIZE) & (ratio > 1 / _HEIR_SIZE)
        fits &= ~np.isin(rows, taken)
        if not fits.any():
            return None
        row = int(rows[fits][np.argmin(apart[fits])])
        del self._row_of[int(self.id.array[row])]
        self._row_of[track] = row
        self.id.array[row] = track
        self.heirs += 1
        return row

    def sweep(self) -> Rows:
        """Rows of tracks that count as gone since the last call; those gone for long are forgotten."""
        if self.now - self._swept < _SWEEP:
            return self.fresh[:0]
        self._swept = self.now
        rows = np.fromiter(self._row_of.values(), np.intp, len(self._row_of))
        away = self.now - self.last.array[rows]
        for row in rows[(away > self._forget) & self.gone.array[rows]].tolist():
            del self._row_of[int(self.id.array[row])]
            self._free.append(row)
            self._known = b"", rows[:0]
        lost = rows[(away > self._lost) & ~self.gone.array[rows]]
        self.gone.array[lost] = True
        return np.asarray(lost)


def usable(xyxy: Floats) -> NDArray[np.bool_] | None:
    """Which boxes ``(n, 4)`` are finite and have a size; ``None`` for all of them."""
    good = xyxy[:, 2:] > xyxy[:, :2]
    # Counting and reducing are quicker than the methods all and sum, and this is asked for each frame.
    if np.count_nonzero(good) == good.size and math.isfinite(np.add.reduce(xyxy, axis=None)):
        return None
    return np.asarray(good.all(axis=1) & np.isfinite(xyxy).all(axis=1))
