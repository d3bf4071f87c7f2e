"""Zones: who is in which polygon, since when, without flicker at the edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.geometry import boundary_distance
from headrace.analytics.tracks import Floats, Rows, Tracks

#: How far beyond the edge an object must be to have changed sides, in sizes of the object.
BAND = 0.05
#: Index of the object in the frame or -1, row of the track, zone.
Change = tuple[int, int, int]


class Zones:
    """Membership of each track in each polygon, by the even-odd rule; all polygons in one pass.

    Who is in, or out, stays so until its foot is clear of the edge. Who is lost has left.

    Args:
        tracks: The source's tracks.
        polygons: Corners ``(k, 2)`` of each zone in pixels.

    Attributes:
        inside: ``(n, m)`` bool, the objects of the last frame in each zone.
        since: Time at which each track came into each zone, by row.
        entered, left: What changed with the last call of `update` or `settle`.

    Example:
        >>> tracks = Tracks()
        >>> zones = Zones(tracks, [np.array([[0.0, 0], [50, 0], [50, 50], [0, 50]])])
        >>> rows = tracks.update(np.array([1]), np.array([0]), np.array([[10.0, 10, 20, 30]]), 0.0)
        >>> zones.update(rows).tolist(), zones.entered
        ([[True]], [(0, 0, 0)])
    """

    def __init__(self, tracks: Tracks, polygons: Sequence[Floats]) -> None:
        self._tracks, self._polygons = tracks, [np.asarray(one, np.float64) for one in polygons]
        count = len(self._polygons)
        edges = [np.hstack([one, np.roll(one, -1, axis=0)]) for one in self._polygons]
        starts = np.concatenate([*edges, np.empty((0, 4))])
        self._x1, self._y1, x2, self._y2 = starts.T.copy()
        rise = np.where(self._y2 == self._y1, 1.0, self._y2 - self._y1)
        self._slope = (x2 - self._x1) / rise
        self._shift = self._x1 - self._slope * self._y1
        owner = np.repeat(np.arange(count), [len(one) for one in self._polygons])
        self._of_edge = (owner[:, None] == np.arange(count)).astype(np.float32)
        self._member = tracks.column(count, dtype=bool, fill=False)
        self.since = tracks.column(count, fill=np.nan)
        self.inside: NDArray[np.bool_] = np.zeros((0, count), bool)
        self.entered: list[Change] = []
        self.left: list[Change] = []

    def update(self, rows: Rows) -> NDArray[np.bool_]:
        """Who is in which zone now; ``entered`` and ``left`` hold what changed."""
        self.entered, self.left = [], []
        foot = self._tracks.foot.array[rows]
        x, y = foot[:, :1], foot[:, 1:]
        spans = (self._y1 > y) != (self._y2 > y)
        spans &= x < self._slope * y + self._shift
        inside = (spans.astype(np.float32) @ self._of_edge).astype(np.int32) & 1 == 1
        member = self._member.array[rows]
        changed = inside != member
        if changed.any():
            inside = self._change(rows, foot, inside, member, changed)
        self.inside = inside
        return inside

    def _change(
        self, rows: Rows, foot: Floats, inside: NDArray[np.bool_], member: NDArray[np.bool_], changed: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        band = self._tracks.size.array[rows] * BAND
        new = self._tracks.seen.array[rows] == 1
        for index, zone in np.argwhere(changed).tolist():
            clear = boundary_distance(foot[index : index + 1], self._polygons[zone])[0]
            if not new[index] and clear < band[index]:
                inside[index, zone] = member[index, zone]
                continue
            row = int(rows[index])
            if inside[index, zone]:
                self.since.array[row, zone] = self._tracks.now
                self.entered.append((index, row, zone))
            else:
                self.left.append((index, row, zone))
        self._member.array[rows] = inside
        return inside

    def settle(self, rows: Rows) -> None:
        """Tracks that were lost have left; adds to ``left``."""
        for row, zone in zip(*np.nonzero(self._member.array[rows]), strict=True):
            self.left.append((-1, int(rows[row]), int(zone)))
        self._member.array[rows] = False
