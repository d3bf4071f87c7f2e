"""Crossings: which tracks have come across which lines, counted once for each time that they really did."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.tracks import Floats, Rows, Tracks

#: Half the width of the band about a line in which nobody changes sides, in sizes of the object; at least so many px.
BAND, _LEAST_BAND = 0.1, 1.0


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
        >>> sense.tolist()
        [[1]]
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
        self._axes = np.concatenate([np.stack([-unit[:, 1], unit[:, 0]], axis=1), unit]).T
        self._origin = np.concatenate([(lines[:, 0] * axes).sum(axis=1) for axes in np.split(self._axes.T, 2)])
        self._endless = np.zeros(len(lines), bool) if endless is None else endless
        self._across = np.abs(unit[:, 0])
        self._place = tracks.column(2 * len(lines))
        self._side = tracks.column(len(lines), dtype=np.int8, fill=0)
        self._balance = tracks.column(len(lines), dtype=np.int8, fill=0)
        self._open = False  # whether any balance is not zero
        self._since = tracks.column(len(lines), 2)
        #: Where each track had come to the side of each line from which it crossed last, ``(2,)`` pixels by line.
        self.origin = tracks.column(len(lines), 2)

    def update(self, rows: Rows, reach: Floats | None = None) -> NDArray[np.int8]:
        """Follow the tracks of a frame to where they are now.

        Args:
            rows: Their rows.
            reach: ``(n,)`` half widths of the objects in pixels, by which lines are longer for them.

        Returns:
            ``(n, m)``: 1 or -1 for each track that has crossed a line, to its second or its first side; otherwise 0.
        """
        band = np.maximum(self._tracks.size.array[rows] * self._band, _LEAST_BAND)
        if len(self._tracks.fresh):
            self._begin(self._tracks.fresh)
        return self._follow(rows, self._tracks.foot.array[rows], band, reach)

    def settle(self, rows: Rows) -> NDArray[np.int8]:
        """Tracks that were lost are where they were last seen, in the band or not; as `update`."""
        return self._follow(rows, self._tracks.raw.array[rows], np.zeros(len(rows)), None)

    def _begin(self, rows: Rows) -> None:
        foot = self._tracks.foot.array[rows]
        place = foot @ self._axes - self._origin
        self._place.array[rows] = place
        self._side.array[rows] = np.where(place[:, : len(self._length)] >= 0, 1, -1)
        self._since.array[rows] = foot[:, None]

    def _follow(self, rows: Rows, foot: Floats, band: Floats, reach: Floats | None) -> NDArray[np.int8]:
        count = len(self._length)
        now, before = foot @ self._axes - self._origin, self._place.array[rows]
        self._place.array[rows] = now
        after, side = now[:, :count], self._side.array[rows]
        met = (before[:, :count] >= 0) != (after >= 0)
        beyond = after * side
        if met.any():
            self._balance.array[rows] += self._passed(met, before, now, reach)
            self._open = True
        if self._open:  # who is back beyond the band is where he was
            self._balance.array[rows] *= beyond < band[:, None]
            self._open = bool(self._balance.array.any())
        changed = (beyond < 0) & (beyond <= -band[:, None])
        if not changed.any():
            return np.zeros(met.shape, np.int8)
        balance = self._balance.array[rows]
        new_side = np.where(changed, -side, side)
        crossed = np.where(changed & (balance * new_side > 0), new_side, 0).astype(np.int8)
        self._side.array[rows] = new_side
        self._balance.array[rows] = np.where(changed, 0, balance)
        since, who = self._since.array, changed[:, :, None]
        self.origin.array[rows] = np.where(who, since[rows], self.origin.array[rows])
        since[rows] = np.where(who, foot[:, None], since[rows])
        return crossed

    def _passed(
        self, met: NDArray[np.bool_], before: Floats, now: Floats, reach: Floats | None
    ) -> NDArray[np.int8]:
        """Which steps met a line between its ends: 1 or -1 by the sense, otherwise 0."""
        count = len(self._length)
        gap = now[:, :count] - before[:, :count]
        share = np.divide(-before[:, :count], gap, out=np.zeros_like(gap), where=met)
        spot = before[:, count:] + share * (now[:, count:] - before[:, count:])
        slack = 0.0 if reach is None else reach[:, None] * self._across
        within = ((spot >= -slack) & (spot <= self._length + slack)) | self._endless
        return np.where(met & within, np.sign(gap), 0).astype(np.int8)
