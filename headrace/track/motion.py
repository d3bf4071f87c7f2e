"""Constant-velocity Kalman filter over all tracks at once, as rows of one array.

A column is a track. Centre x, centre y, width and height move independently, each with its velocity, so the
filter is four two-state filters per track and every step is arithmetic on whole rows: no matrix is ever
inverted. Noise grows with the object's height, as in DeepSORT (Wojke et al., 2017), and is the same for all
four, so that one covariance serves them. Quantities are rows because NumPy is quickest on what lies together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POSITION = slice(0, 4)
CENTRE = slice(0, 2)
SIZE = slice(2, 4)
WIDTH, HEIGHT = 2, 3
VELOCITY = slice(4, 8)
VAR_POSITION, COVARIANCE, VAR_VELOCITY = 8, 9, 10
ROWS = 11

# Standard deviations as shares of the object's height, per frame.
POSITION_NOISE = 0.025
VELOCITY_NOISE = 1 / 160
DETECTION_NOISE = 0.08
START_VELOCITY_NOISE = 1 / 16
SMALLEST = 1e-3  # pixels; a shrinking object that is not seen must not turn inside out


def to_centre(xyxy: NDArray[np.floating], rows: int = 4) -> Array:
    """Corners ``(n, 4)`` as centre x, centre y, width, height ``(4, n)``; further rows are left to the caller.

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
    """Centre x, centre y, width, height ``(4, n)`` as corners ``(n, 4)``; the inverse of `to_centre`."""
    out = np.empty((centre.shape[1], 4), np.float32)
    middle, half = centre[CENTRE], centre[SIZE] * 0.5
    np.subtract(middle, half, out=out.T[:2])
    np.add(middle, half, out=out.T[2:])
    return out


def start(boxes: Array, rows: int = ROWS) -> Array:
    """New columns for objects first seen at ``boxes`` (centre form), at rest; further rows are 0."""
    state = np.zeros((rows, boxes.shape[1]))
    height2 = np.square(boxes[HEIGHT])
    state[POSITION] = boxes
    state[VAR_POSITION] = DETECTION_NOISE**2 * height2
    state[VAR_VELOCITY] = START_VELOCITY_NOISE**2 * height2
    return state


def predict(state: Array) -> None:
    """Move every track on by one frame, in place."""
    height2 = np.square(state[HEIGHT])
    covariance, variance = state[COVARIANCE], state[VAR_VELOCITY]
    position = state[POSITION]
    position += state[VELOCITY]
    size = state[SIZE]
    np.maximum(size, SMALLEST, out=size)
    # One step of time: var += 2 cov + var_velocity, cov += var_velocity, and each its noise.
    grown = state[VAR_POSITION]
    grown += covariance
    covariance += variance
    grown += covariance
    grown += height2 * POSITION_NOISE**2
    height2 *= VELOCITY_NOISE**2
    variance += height2


def correct(state: Array, boxes: Array) -> None:
    """Take into account, in place, that the tracks were seen at ``boxes`` (centre form)."""
    variance, covariance = state[VAR_POSITION], state[COVARIANCE]
    total = np.square(state[HEIGHT])
    total *= DETECTION_NOISE**2
    total += variance
    gain, velocity_gain = variance / total, covariance / total
    position = state[POSITION]
    error = boxes - position
    state[VELOCITY] += velocity_gain * error
    error *= gain
    position += error
    state[VAR_VELOCITY] -= velocity_gain * covariance
    np.subtract(1, gain, out=gain)
    variance *= gain
    covariance *= gain
