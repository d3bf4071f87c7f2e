"""Zones: who is in which polygon, since when, without flicker at the edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.geometry import edge_distance
from headrace.analytics.tracks import Floats, Rows, Tracks

#: How far beyond the edge an object must be to have changed sides, in sizes of the object.
BAND = 0.05
#: Index of the object in the frame or -1, row of the track, zone.
Change = tuple[int, int, int]
Mask = NDArray[np.bool_]


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
        x1, self._y1, x2, self._y2 = np.concatenate([*edges, np.empty((0, 4))]).T[..., None].copy()
        slope = (x2 - x1) / np.where(self._y2 == self._y1, 1.0, self._y2 - self._y1)
        # A foot is left of an edge where x - slope * y is less than this.
        self._lean, self._shift = np.hstack([np.ones_like(slope), -slope]), x1 - slope * self._y1
        self._starts = np.cumsum([0, *(len(one) for one in self._polygons)])[:count]
        self._corners = [one.tolist() for one in self._polygons]
        self._member = tracks.column(count, dtype=bool, fill=False)
        self.since = tracks.column(count, fill=np.nan)
        self.inside: NDArray[np.bool_] = np.zeros((0, count), bool)
        self.entered: list[Change] = []
        self.left: list[Change] = []

    def update(self, rows: Rows) -> NDArray[np.bool_]:
        """Who of the objects of the tracks' last frame is in which zone; ``entered`` and ``left`` hold what changed."""
        self.entered, self.left = [], []
        if not self._polygons:
            return np.zeros((len(rows), 0), bool)
        foot = self._tracks.current[:2]
        y = foot[1]
        spans = (self._y1 > y) != (self._y2 > y)
        spans &= self._lean @ foot < self._shift
        inside = np.logical_xor.reduceat(spans, self._starts, axis=0).T
        member = self._member.array.take(rows, 0)
        changed = inside != member
        if np.count_nonzero(changed):
            self._change(rows, foot, inside, member, changed)
        self.inside = inside
        return inside

    def _change(self, rows: Rows, foot: Floats, inside: Mask, member: Mask, changed: Mask) -> None:
        """Take note of who is clear of the edge; leave the others, in ``inside`` too, where they were."""
        for index, zone in np.argwhere(changed).tolist():
            row = int(rows[index])
            if self._tracks.seen.array[row] > 1:
                x, y = foot[:, index].tolist()
                clear = edge_distance(x, y, self._corners[zone])
                if clear < self._tracks.size.array[row] * BAND:
                    inside[index, zone] = member[index, zone]
                    continue
            if inside[index, zone]:
                self.since.array[row, zone] = self._tracks.now
                self.entered.append((index, row, zone))
            else:
                self.left.append((index, row, zone))
        self._member.array[rows] = inside

    def settle(self, rows: Rows) -> None:
        """Tracks that were lost have left; adds to ``left``."""
        for row, zone in zip(*np.nonzero(self._member.array[rows]), strict=True):
            self.left.append((-1, int(rows[row]), int(zone)))
        self._member.array[rows] = False
