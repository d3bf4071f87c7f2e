"""Constant-velocity Kalman filter over all tracks at once, as columns of one array.

A row is a track. Centre x, centre y, width and height move independently, each with its velocity, so the
filter is four two-state filters per row and every step is arithmetic on columns: no matrix is ever inverted.
Noise grows with the object's height, as in DeepSORT (Wojke et al., 2017).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POSITION = slice(0, 4)
SIZE = slice(2, 4)
VELOCITY = slice(4, 8)
VAR_POSITION = slice(8, 12)
COVARIANCE = slice(12, 16)
VAR_VELOCITY = slice(16, 20)
COLUMNS = 20

# Standard deviations as shares of the object's height, per frame.
POSITION_NOISE = 0.025
VELOCITY_NOISE = 1 / 160
DETECTION_NOISE = 0.08
START_VELOCITY_NOISE = 1 / 16
SMALLEST = 1e-3  # pixels; a shrinking object that is not seen must not turn inside out


def to_centre(xyxy: NDArray[np.floating]) -> Array:
    """Corners ``(n, 4)`` as centre x, centre y, width, height."""
    out = np.empty((len(xyxy), 4))
    np.subtract(xyxy[:, 2:], xyxy[:, :2], out=out[:, 2:])
    np.add(xyxy[:, :2], xyxy[:, 2:], out=out[:, :2])
    out[:, :2] *= 0.5
    return out


def to_corners(centre: Array) -> Array:
    """Centre x, centre y, width, height ``(n, 4)`` as corners; the inverse of `to_centre`."""
    out = np.empty((len(centre), 4))
    half = centre[:, 2:] * 0.5
    np.subtract(centre[:, :2], half, out=out[:, :2])
    np.add(centre[:, :2], half, out=out[:, 2:])
    return out


def start(boxes: Array, columns: int = COLUMNS) -> Array:
    """New rows for objects first seen at ``boxes`` (centre form), at rest; further columns are 0."""
    state = np.zeros((len(boxes), columns))
    height2 = boxes[:, 3:4] ** 2
    state[:, POSITION] = boxes
    state[:, VAR_POSITION] = DETECTION_NOISE**2 * height2
    state[:, VAR_VELOCITY] = START_VELOCITY_NOISE**2 * height2
    return state


def predict(state: Array) -> None:
    """Move every row on by one frame, in place."""
    height2 = state[:, 3:4] ** 2
    covariance, variance = state[:, COVARIANCE], state[:, VAR_VELOCITY]
    state[:, POSITION] += state[:, VELOCITY]
    state[:, VAR_POSITION] += 2 * covariance + variance + POSITION_NOISE**2 * height2
    covariance += variance
    variance += VELOCITY_NOISE**2 * height2
    np.maximum(state[:, SIZE], SMALLEST, out=state[:, SIZE])


def correct(state: Array, boxes: Array) -> None:
    """Take into account, in place, that the rows were seen at ``boxes`` (centre form)."""
    variance, covariance = state[:, VAR_POSITION], state[:, COVARIANCE]
    scale = 1 / (variance + DETECTION_NOISE**2 * state[:, 3:4] ** 2)
    gain = variance * scale
    velocity_gain = covariance * scale
    error = boxes - state[:, POSITION]
    state[:, POSITION] += gain * error
    state[:, VELOCITY] += velocity_gain * error
    state[:, VAR_VELOCITY] -= velocity_gain * covariance
    gain -= 1
    variance *= -gain
    covariance *= -gain
