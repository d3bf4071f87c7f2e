"""Where the objects of one stream have been: rings of boxes in arrays, one row per track."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.tracks import Tracks


class History:
    """The last boxes of every track, as centre x, centre y, width and height.

    Args:
        tracks: The stream's tracks, which say who has which row.
        length: Frames that are remembered of each track.

    Example:
        >>> tracks = Tracks()
        >>> history = History(tracks, 50)
        >>> rows = tracks.update(np.array([7]), np.array([0]), np.array([[8.0, 16.0, 12.0, 24.0]]), 0.0)
        >>> history.update(rows, np.array([[10.0, 20.0, 4.0, 8.0]]))
        >>> history.seen[rows].tolist(), history.centre(rows).tolist()
        ([1], [[10.0, 20.0]])
    """

    def __init__(self, tracks: Tracks, length: int) -> None:
        self.length = length
        self._tracks = tracks
        self._ring = tracks.column(length, 4)

    @property
    def seen(self) -> NDArray[np.int64]:
        """How often each row's track was seen."""
        return self._tracks.seen.array.astype(np.int64)

    @property
    def _boxes(self) -> NDArray[np.float64]:
        return self._ring.array

    def update(self, rows: NDArray[np.intp], boxes: NDArray[np.float64]) -> None:
        """Add the boxes ``(n, 4)`` of this frame, after the tracks have been updated."""
        self._boxes[rows, (self.seen[rows] - 1) % self.length] = boxes

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
