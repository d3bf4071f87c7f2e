"""Constant-velocity Kalman filters over all tracks at once, as rows of one array, in several state spaces.

A column is a track. Its four coordinates move independently, each with its velocity, so the filter is four
two-state filters per track and every step is arithmetic on whole rows: no matrix is ever inverted. Where the
noise of all four is the same, one covariance serves them. Quantities are rows because NumPy is quickest on
what lies together.

Boxes are rows centre x, centre y, width, height of one array ``(4, n)``: the *centre form*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CENTRE = slice(0, 2)
SIZE = slice(2, 4)
WIDTH, HEIGHT = 2, 3
POSITION = slice(0, 4)
VELOCITY = slice(4, 8)
SMALLEST = 1e-3  # pixels; a shrinking object that is not seen must not turn inside out


def to_centre(xyxy: NDArray[np.floating], rows: int = 4) -> Array:
    """Corners ``(n, 4)`` as centre form ``(4, n)``; further rows are left to the caller.

    Example:
        >>> to_centre(np.array([[0.0, 0, 4, 8]])).ravel().tolist()
        [2.0, 4.0, 4.0, 8.0]
    """
    out = np.empty((rows, len(xyxy)))
    out[POSITION] = xyxy.T
    size = out[SIZE]
    size -= out[CENTRE]
    out[CENTRE] += size * 0.5
    return out


def to_corners(centre: Array) -> NDArray[np.float32]:
    """Centre form ``(4, n)`` as corners ``(n, 4)``; the inverse of `to_centre`."""
    out = np.empty((centre.shape[1], 4), np.float32)
    middle, half = centre[CENTRE], centre[SIZE] * 0.5
    rows = out.T
    rows[:2] = middle - half
    rows[2:] = middle + half
    return out


@dataclass(frozen=True, eq=False)
class Space:
    """What a filter's four coordinates are, and how noisy each is.

    Attributes:
        encode: Boxes in centre form to coordinates ``(4, n)``.
        decode: The inverse; sizes are at least `SMALLEST`.
        unit: Of coordinates, what noise is measured in: ``(1, n)`` if the same for all four, or ``(4, n)``.
        position: Standard deviation that a frame adds to the position, in units; a number or ``(4, 1)``.
        velocity: The same for the velocity, per frame.
        detection: That of a detection.
        start: That of the velocity of an object seen for the first time.
    """

    encode: Callable[[Array], Array]
    decode: Callable[[Array], Array]
    unit: Callable[[Array], Array]
    position: Array | float
    velocity: Array | float
    detection: Array | float
    start: Array | float


class Kalman:
    """The filter of a space: moves and corrects the columns of a state array in place.

    A state's rows are position (4), velocity (4), and variance of the position, covariance and variance of the
    velocity (``k`` rows each, 1 or 4). `rows` is their number; the caller may keep more rows behind them.

    Example:
        >>> kalman = Kalman(XYWH)
        >>> state = kalman.start(np.array([[5.0, 5, 4, 8]]).T, kalman.rows)
        >>> kalman.correct(state, np.array([[6.0, 5, 4, 8]]).T)
        >>> bool(5 < state[0, 0] < 6 and state[4, 0] == 0)
        True
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        k = len(space.unit(np.ones((4, 1))))
        self._variance = slice(8, 8 + k)
        self._covariance = slice(8 + k, 8 + 2 * k)
        self._drift = slice(8 + 2 * k, 8 + 3 * k)
        self.rows = 8 + 3 * k
        noises = (space.position, space.velocity, space.detection, space.start)
        self._position2, self._velocity2, self._detection2, self._start2 = (np.square(one) for one in noises)

    def start(self, boxes: Array, rows: int) -> Array:
        """New columns for objects first seen at ``boxes`` (centre form), at rest; further rows are 0."""
        state = np.zeros((rows, boxes.shape[1]))
        state[POSITION] = self.space.encode(boxes)
        unit2 = np.square(self.space.unit(state[POSITION]))
        state[self._variance] = self._detection2 * unit2
        state[self._drift] = self._start2 * unit2
        return state

    def boxes(self, state: Array) -> Array:
        """Where the tracks are: centre form ``(4, n)``, perhaps a view."""
        return self.space.decode(state[POSITION])

    def predict(self, state: Array) -> None:
        """Move every track on by one frame."""
        space, position = self.space, state[POSITION]
        unit2 = np.square(space.unit(position))
        position += state[VELOCITY]
        size = state[SIZE]
        np.maximum(size, SMALLEST, out=size)
        covariance, drift = state[self._covariance], state[self._drift]
        # One step of time: var += 2 cov + drift, cov += drift, and each its noise.
        grown = state[self._variance]
        grown += covariance
        covariance += drift
        grown += covariance
        grown += unit2 * self._position2
        unit2 *= self._velocity2
        drift += unit2

    def correct(self, state: Array, boxes: Array, trust: Array | None = None) -> None:
        """Take into account that the tracks were seen at ``boxes`` (centre form).

        Args:
            state: The columns of the tracks.
            boxes: ``(4, n)``, one for each.
            trust: ``(n,)`` factors of the detections' variance: below 1 for those to rely on.
        """
        space, position = self.space, state[POSITION]
        variance, covariance = state[self._variance], state[self._covariance]
        total = np.square(space.unit(position))
        total *= self._detection2
        if trust is not None:
            total *= trust
        total += variance
        gain, velocity_gain = variance / total, covariance / total
        error = space.encode(boxes) - position
        state[VELOCITY] += velocity_gain * error
        error *= gain
        position += error
        state[self._drift] -= velocity_gain * covariance
        np.subtract(1, gain, out=gain)
        variance *= gain
        covariance *= gain


def _same(boxes: Array) -> Array:
    return boxes


def _height(position: Array) -> Array:
    height: Array = position[3:4]
    return height


def _rows(*values: float) -> Array:
    return np.array(values)[:, None]


#: Width and height as they are; all noise grows with the height, as in DeepSORT (Wojke et al., 2017).
XYWH = Space(_same, _same, _height, 0.02, 1 / 160, 0.06, 1 / 16)


def _to_xyah(box: Array) -> Array:
    out = box.copy()
    out[2] /= out[3]
    return out


def _from_xyah(position: Array) -> Array:
    out: Array = np.maximum(position, np.array([[-np.inf], [-np.inf], [SMALLEST], [SMALLEST]]))
    out[2] *= out[3]
    return out


def _xyah_unit(position: Array) -> Array:
    unit = np.repeat(position[3:4], 4, axis=0)
    unit[2] = 1
    return unit


#: Aspect and height (DeepSORT; ByteTrack, Zhang et al., 2022); the aspect hardly changes.
XYAH = Space(
    _to_xyah, _from_xyah, _xyah_unit,
    _rows(1 / 20, 1 / 20, 1e-2, 1 / 20), _rows(1 / 160, 1 / 160, 1e-5, 1 / 160),
    _rows(1 / 20, 1 / 20, 1e-1, 1 / 20), _rows(1 / 16, 1 / 16, 1e-5, 1 / 16),
)  # fmt: skip


def _to_xysr(box: Array) -> Array:
    out = box.copy()
    out[2] = box[2] * box[3]
    out[3] = box[2] / box[3]
    return out


def _from_xysr(position: Array) -> Array:
    out = position.copy()
    area, ratio = np.maximum(position[2], SMALLEST**2), np.maximum(position[3], SMALLEST)
    out[2] = np.sqrt(area * ratio)
    out[3] = area / out[2]
    return out


def _xysr_unit(position: Array) -> Array:
    unit = np.empty_like(position)
    unit[0] = unit[1] = np.sqrt(position[2] / np.maximum(position[3], SMALLEST))
    unit[2], unit[3] = position[2], 1
    return unit


#: Area and a ratio that has no velocity (SORT, Bewley et al., 2016).
XYSR = Space(
    _to_xysr, _from_xysr, _xysr_unit,
    _rows(1 / 20, 1 / 20, 1 / 10, 1e-2), _rows(1 / 100, 1 / 100, 1 / 200, 0),
    _rows(1 / 20, 1 / 20, 1 / 5, 1e-1), _rows(1 / 8, 1 / 8, 1 / 16, 0),
)  # fmt: skip
