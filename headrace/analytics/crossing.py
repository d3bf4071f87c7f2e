"""Crossings: which tracks have come across which lines, counted once for each time that they really did."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.tracks import Floats, Rows, Tracks

#: Half the width of the band about a line in which nobody changes sides, in sizes of the object; at least so many px.
BAND, _LEAST_BAND = 0.1, 1.0


class Crossing(NamedTuple):
    """A track has crossed a line.

    Attributes:
        at: The object in the frame; -1 if it is not there.
        row: Row of its track.
        line: Number of the line.
        sense: 1 to the line's second side, -1 to its first.
    """

    at: int
    row: int
    line: int
    sense: int


class Crossings:
    """Path of each track's foot against each line, with hysteresis.

    The path of the foot is followed from frame to frame: each time it meets a line between its ends the balance of
    that track and line changes by one, up or down by the sense. The balance counts once the foot is beyond a band
    about the line, on the side that the balance says; so who trembles on the line, stands on it, or turns back in
    the band does not cross, and who jumps over it does. Who is lost within the band is where it was last seen.

    Args:
        tracks: The source's tracks.
        lines: ``(m, 2, 2)`` ends of the lines in pixels; the second side (+1) is on the right hand of who walks from
            the first end to the second, with y downwards.
        endless: ``(m,)`` bool, lines that go on beyond their ends.
        band: Half the width of the band, in sizes of the object.

    Example:
        >>> tracks = Tracks()
        >>> gate = Crossings(tracks, np.array([[[0.0, 50], [100, 50]]]))
        >>> for top in (0.0, 80.0):
        ...     rows = tracks.update(np.array([1]), np.array([0]), np.array([[40.0, top, 50, top + 10]]), top)
        ...     sense = gate.update(rows)
        >>> sense[0].line, sense[0].sense
        (0, 1)
    """

    def __init__(
        self, tracks: Tracks, lines: Floats, endless: NDArray[np.bool_] | None = None, band: float = BAND
    ) -> None:
        lines = np.asarray(lines, np.float64).reshape(-1, 2, 2)
        self._tracks, self._band = tracks, band
        along = lines[:, 1] - lines[:, 0]
        self._length = np.hypot(along[:, 0], along[:, 1])
        unit = along / self._length[:, None]
        # One product gives the distances from all lines, and the places along them.
        self._axes = np.concatenate([np.stack([-unit[:, 1], unit[:, 0]], axis=1), unit])
        self._origin = (np.tile(lines[:, 0], (2, 1)) * self._axes).sum(axis=1)[:, None]
        self._endless = np.zeros(len(lines), bool) if endless is None else endless
        self._across = np.abs(unit[:, 0])
        self._place = tracks.lanes(2 * len(lines))
        self._side = tracks.lanes(len(lines))
        self._balance = tracks.column(len(lines), dtype=np.int8, fill=0)
        self._open = False  # whether any balance is not zero
        self._since = tracks.column(len(lines), 2)
        #: Where each track had come to the side of each line from which it crossed last, ``(2,)`` pixels by line.
        self.origin = tracks.column(len(lines), 2)

    def update(self, rows: Rows, reach: Floats | None = None) -> list[Crossing]:
        """Follow the tracks of a frame to where they are now.

        Args:
            rows: Their rows.
            reach: ``(n,)`` half widths of the objects in pixels, by which lines are longer for them.
        """
        if len(self._tracks.fresh):
            self._begin(self._tracks.fresh)
        return self._follow(rows, self._tracks.current[:2], self._band, reach)

    def settle(self, rows: Rows) -> list[Crossing]:
        """Tracks that were lost are where they were last seen, in the band or not; they are not in the frame."""
        found = self._follow(rows, self._tracks.raw.array[rows].T, 0.0, None)
        return [one._replace(at=-1) for one in found]

    def _begin(self, rows: Rows) -> None:
        foot = self._tracks.foot.array[rows]
        place = self._axes @ foot.T - self._origin
        self._place.array[:, rows] = place
        self._side.array[:, rows] = np.where(place[: len(self._length)] >= 0, 1.0, -1.0)
        self._since.array[rows] = foot[:, None]

    def _follow(self, rows: Rows, foot: Floats, band: float, reach: Floats | None) -> list[Crossing]:
        count = len(self._length)
        now, before = self._axes @ foot, self._place.array.take(rows, 1)
        now -= self._origin
        self._place.array[:, rows] = now
        side = self._side.array.take(rows, 1)
        # Only those are looked at closely who are, or were, on the other side than they count to.
        active = np.minimum(now[:count] * side, before[:count] * side) <= 0
        if self._open:
            active |= self._balance.array.take(rows, 0).T != 0
        if not np.count_nonzero(active):
            return []
        found = []
        for index, line in np.argwhere(active.T).tolist():
            row, slack = int(rows[index]), 0.0 if reach is None else float(reach[index] * self._across[line])
            edge = max(float(self._tracks.size.array[row]) * band, _LEAST_BAND) if band else 0.0
            sense = self._step(row, line, before[:, index], now[:, index], edge, slack)
            if sense:
                found.append(Crossing(index, row, line, sense))
        self._open = bool(self._balance.array.any())
        return found

    def _step(self, row: int, line: int, before: Floats, now: Floats, band: float, slack: float) -> int:
        """One step of one track against one line: 1 or -1 when it has crossed, otherwise 0."""
        count, balance = len(self._length), self._balance.array
        was, is_, side = float(before[line]), float(now[line]), float(self._side.array[line, row])
        if (was >= 0) != (is_ >= 0):
            start, end = float(before[count + line]), float(now[count + line])
            spot = start + (end - start) * was / (was - is_)
            if self._endless[line] or -slack <= spot <= self._length[line] + slack:
                balance[row, line] += 1 if is_ > was else -1
        if is_ * side >= band and (is_ >= 0) == (side > 0):
            balance[row, line] = 0  # back where it was
        if (is_ >= 0) == (side > 0) or abs(is_) < band:
            return 0
        crossed = balance[row, line] * -side > 0
        balance[row, line], self._side.array[line, row] = 0, -side
        self.origin.array[row, line] = self._since.array[row, line]
        self._since.array[row, line] = self._tracks.foot.array[row]
        return int(-side) if crossed else 0
