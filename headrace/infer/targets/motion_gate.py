"""Frames in which nothing moves need no model: a cheap look at the luma of each source."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.frames import Frame

#: About how many cells across a picture is averaged into; sensor noise is gone then.
_ACROSS = 160
#: Rows of pixels that a cell is averaged from at most; more cost more and show no more.
_ROWS = 4
#: Levels (0–255) by which a cell must change: more than compression changes still pictures.
_LEVELS = 12


@dataclass(slots=True)
class _Seen:
    cells: NDArray[np.uint8]
    moved: int  # number of the last frame in which something moved


class MotionGate:
    """Lets frames through that differ from the last one of their source that it let through.

    Slow changes add up until they count, and a picture that comes to rest is looked at once more as it is. Used by
    one thread.

    Args:
        share: Share of the picture (0–1) that must have changed.
        hold: Frames of a source that still go through after the last that showed motion.

    Example:
        >>> gate = MotionGate(hold=0)
        >>> dark, bright = (Frame.from_array(np.full((90, 160), level, np.uint8), "GRAY8") for level in (0, 99))
        >>> [gate.opens(0, number, frame) for number, frame in enumerate([dark, dark, bright, bright])]
        [True, False, True, False]
    """

    def __init__(self, share: float = 0.0005, hold: int = 5) -> None:
        self._share, self._hold = share, hold
        self._sources: dict[int, _Seen] = {}

    def opens(self, source: int, number: int, frame: Frame) -> bool:
        """Whether a model should look at a frame.

        Args:
            source: Number of its source.
            number: Number of the frame in its source.
            frame: The frame, of any format and size.
        """
        cells = _cells(frame.host())
        seen = self._sources.get(source)
        if seen is None or seen.cells.shape != cells.shape or number < seen.moved:
            self._sources[source] = _Seen(cells, number)
            return True
        moved = float((cv2.absdiff(cells, seen.cells) > _LEVELS).mean()) >= self._share
        if moved:
            seen.moved = number
        elif number - seen.moved > self._hold:
            return False
        seen.cells = cells
        return True

    def forget(self, source: int) -> None:
        """A source has gone."""
        self._sources.pop(source, None)


def _cells(frame: Frame) -> NDArray[np.uint8]:
    """The luma, or green, of a frame in cells; their sides are whole numbers of pixels, which is quick."""
    side = max(round(frame.width / _ACROSS), 1)
    step = max(side // _ROWS, 1)
    plane, high = frame.planes[0][::step], max(side // step, 1)
    columns, rows = frame.width // side, max(len(plane) // high, 1)
    some = plane[: rows * high, : columns * side]
    picture = cv2.resize(some, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(picture if picture.ndim == 2 else picture[..., 1], np.uint8)
