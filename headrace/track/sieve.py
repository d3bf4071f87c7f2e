"""The detections of a batch that trackers can use: the others are left out and counted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.track.association import Blocks, Rows
from headrace.track.motion import SIZE, Array, to_centre
from headrace.track.options import TrackerOptions
from headrace.track.tracker import Sightings

SOME = np.nextafter(0.0, 1.0)  # the least that is more than nothing


@dataclass
class Seen:
    """The usable detections of a batch: where each was in the input, its frame, its box and confidence."""

    row: Rows
    frame: NDArray[np.intp]
    table: Array  # box in centre form, confidence
    class_id: NDArray[np.integer]
    block: Blocks
    looks: Array | None  # of length 1, ``(d, n)``

    @property
    def confidence(self) -> Array:
        """Confidence of each."""
        confidence: Array = self.table[4]
        return confidence


class Sieve:
    """Sorts out detections that are not finite, have no area or are not sure enough.

    Attributes:
        dropped: How many detections were left out so far, by reason.
        look_size: Length of the embeddings, 0 before there are any.

    Example:
        >>> sieve = Sieve(TrackerOptions())
        >>> boxes, ones = np.array([[0, 0, 5, 9], [3, 3, 3, 9.0]]), np.ones(2, int)
        >>> seen = sieve.usable(Sightings((0,), ones * 0, boxes, ones, ones))
        >>> seen.row.tolist(), sieve.dropped
        ([0], {'no area': 1})
    """

    def __init__(self, options: TrackerOptions, looks: bool = False) -> None:
        self._options, self._looks = options, looks
        # Least width, height and confidence of a usable detection.
        self._least = np.array([[SOME], [SOME], [options.min_detector_confidence]])
        self.dropped: dict[str, int] = {}
        self.look_size = 0

    def usable(self, given: Sightings) -> Seen:
        """The detections of use, in a table."""
        with np.errstate(invalid="ignore", over="ignore"):
            table = to_centre(given.xyxy, rows=5)
        table[4] = given.confidence
        sizes = table[2:]
        # Corners that are not finite make a size that is not.
        good = (sizes >= self._least) & (sizes < np.inf)
        frame, class_id, row = given.frame, given.class_id, _numbers(len(given))
        if np.count_nonzero(good) < good.size:
            row = self._sort_out(given, table)
            table, frame, class_id = table[:, row], frame[row], class_id[row]
        looks = None
        if self._looks and given.embeddings is not None and len(row):
            looks = self._normal(given.embeddings[row])
        return Seen(row, frame, table, class_id, self.blocks(frame, class_id), looks)

    def blocks(self, frame: NDArray[np.integer], class_id: NDArray[np.integer]) -> Blocks:
        """Who competes with whom: all of a frame, or of a class in a frame."""
        if not self._options.check_class:
            return frame.astype(np.int64)
        return (class_id.astype(np.int64) << 16) + frame

    def drop(self, reason: str, count: int) -> None:
        """Count detections that are left out."""
        if count:
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def _sort_out(self, given: Sightings, table: Array) -> Rows:
        """Count the detections that are of no use; the rows of the others."""
        finite = np.isfinite(given.xyxy).all(1) & np.isfinite(table[4])
        area = (table[SIZE] > 0).all(0)
        sure = table[4] >= self._options.min_detector_confidence
        self.drop("not finite", int((~finite).sum()))
        self.drop("no area", int((finite & ~area).sum()))
        self.drop("low confidence", int((finite & area & ~sure).sum()))
        return np.flatnonzero(finite & area & sure)

    def _normal(self, embeddings: NDArray[np.float32]) -> Array:
        """Looks of length 1, or 0 where there is none.

        Raises:
            ConfigError: Embeddings of another length than those before.
        """
        size = embeddings.shape[1]
        if self.look_size not in (0, size):
            raise ConfigError(
                f"embeddings of {size} numbers where those before had {self.look_size}: "
                "the objects of one tracker need one model"
            )
        self.look_size = size
        looks = np.nan_to_num(embeddings.T.astype(np.float64))
        length = np.sqrt(np.square(looks).sum(0))
        normal: Array = looks / np.where(length > 0, length, 1)
        return normal


@lru_cache(512)
def _numbers(count: int) -> Rows:
    """The numbers from 0, to be read only."""
    return np.arange(count)
