"""Repeated measurements as a median and a spread, and times as percentiles."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_MS = 1e3


class Spread(NamedTuple):
    """Median, least and greatest of repeated measurements.

    Example:
        >>> str(Spread.of([3.0, 1.0, 2.0]))
        '2 (1–3)'
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def scaled(self, factor: float) -> Spread:
        """The same in another unit."""
        return Spread(self.median * factor, self.low * factor, self.high * factor)

    def __str__(self) -> str:
        digits = 0 if abs(self.median) >= 10 or self.median == int(self.median) else 2
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}–{self.high:.{digits}f})"


def in_ms(
    seconds: Sequence[float] | NDArray[np.float64], percents: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Three percentiles of at least one time, in milliseconds; 100 is the longest.

    Example:
        >>> in_ms([0.001, 0.003, 0.002], (0, 50, 100))
        (1.0, 2.0, 3.0)
    """
    low, middle, high = (np.percentile(seconds, percents) * _MS).tolist()
    return low, middle, high
