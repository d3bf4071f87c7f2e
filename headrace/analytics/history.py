"""Where the objects of one stream have been: rings of boxes in arrays, one row per track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: An object not seen for so long is forgotten, ms of stream time (contract: configs §4).
FORGET_MS = 8000
_INITIAL = 64


class History:
    """The last boxes of every track, as centre x, centre y, width and height.

    Args:
        length: Frames that are remembered of each track.
        lines: Number of lines, to remember which of them a track has crossed.

    Example:
        >>> history = History(50, lines=1)
        >>> rows = history.update(np.array([7]), np.array([[10.0, 20.0, 4.0, 8.0]]), 0.0)
        >>> history.seen[rows].tolist(), history.centre(rows).tolist()
        ([1], [[10.0, 20.0]])
    """

    def __init__(self, length: int, lines: int) -> None:
        self.length = length
        self._row_of: dict[int, int] = {}
        self._free: list[int] = []
        self._boxes = np.zeros((_INITIAL, length, 4))
        self.seen = np.zeros(_INITIAL, np.int64)
        self._last_ms = np.zeros(_INITIAL)
        self.crossed = np.zeros((_INITIAL, lines), bool)
        self._free.extend(range(_INITIAL - 1, -1, -1))

    def __len__(self) -> int:
        return len(self._row_of)

    def update(self, ids: NDArray[np.uint64], boxes: NDArray[np.float64], now_ms: float) -> NDArray[np.intp]:
        """Add the boxes ``(n, 4)`` of this frame; returns the rows of the tracks."""
        rows = np.array([self._row(track) for track in ids.tolist()], np.intp)
        self._boxes[rows, self.seen[rows] % self.length] = boxes
        self.seen[rows] += 1
        self._last_ms[rows] = now_ms
        self._forget(now_ms)
        return rows

    def _row(self, track: int) -> int:
        row = self._row_of.get(track)
        if row is None:
            if not self._free:
                self._grow()
            row = self._row_of[track] = self._free.pop()
            self.seen[row] = 0
            self.crossed[row] = False
        return row

    def _grow(self) -> None:
        old = len(self.seen)
        self._boxes = np.concatenate([self._boxes, np.zeros_like(self._boxes)])
        self.seen = np.concatenate([self.seen, np.zeros_like(self.seen)])
        self._last_ms = np.concatenate([self._last_ms, np.zeros_like(self._last_ms)])
        self.crossed = np.concatenate([self.crossed, np.zeros_like(self.crossed)])
        self._free.extend(range(2 * old - 1, old - 1, -1))

    def _forget(self, now_ms: float) -> None:
        gone = [track for track, row in self._row_of.items() if now_ms - self._last_ms[row] > FORGET_MS]
        for track in gone:
            self._free.append(self._row_of.pop(track))

    def centre(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Current centres ``(n, 2)``."""
        return np.asarray(self._boxes[rows, (self.seen[rows] - 1) % self.length, :2])

    def earlier(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Earlier centres ``(n, 2)``.

        The mean of the first two samples until the ring is full, then of the four oldest, so that the jitter of a
        single box does not count as movement.
        """
        seen = self.seen[rows]
        filling = seen < self.length
        start = np.where(filling, 0, seen % self.length)
        few, many = self._mean(rows, start, min(2, self.length)), self._mean(rows, start, min(4, self.length))
        return np.where(filling[:, None], few, many)

    def _mean(self, rows: NDArray[np.intp], start: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        places = (start[:, None] + np.arange(count)) % self.length
        return np.asarray(self._boxes[rows[:, None], places, :2].mean(axis=1))

    def mean_height(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Mean height of each track's remembered boxes, pixels."""
        return self._over_history(self._boxes[rows, :, 3], rows)

    def variance(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Variance of the remembered centres, ``(n, 2)`` in square pixels."""
        centres = self._boxes[rows, :, :2]
        mean = self._over_history(centres, rows)
        return self._over_history((centres - mean[:, None]) ** 2, rows)

    def _over_history(self, values: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        known = np.arange(self.length) < self.seen[rows][:, None]
        weight = known.reshape(known.shape + (1,) * (values.ndim - 2))
        return np.asarray((values * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1))


class CountSmoother:
    """The number of objects of each class, as the most frequent value of a short window.

    Args:
        window_ms: Length of the window in ms of stream time.

    Example:
        >>> smoother = CountSmoother(100)
        >>> [smoother.update({0: n}, ms)[0] for ms, n in ((0, 2), (33, 2), (66, 9))]
        [2, 2, 2]
    """

    def __init__(self, window_ms: float) -> None:
        self._window = window_ms
        self._samples: dict[int, list[tuple[float, int]]] = {}

    def update(self, counts: dict[int, int], now_ms: float) -> dict[int, int]:
        """Add this frame's counts; classes seen before and missing now count as 0."""
        smooth: dict[int, int] = {}
        for class_id in sorted({*counts, *self._samples}):
            samples = self._samples.setdefault(class_id, [])
            samples.append((now_ms, counts.get(class_id, 0)))
            while now_ms - samples[0][0] > self._window:
                samples.pop(0)
            smooth[class_id] = _most_frequent([value for _, value in samples])
        return smooth


def _most_frequent(values: Sequence[int]) -> int:
    """Of values equally frequent, the latest."""
    return max(reversed(values), key=values.count)
