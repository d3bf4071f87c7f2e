"""Constant-velocity Kalman filter over all tracks at once, as columns of one array.

A row is a track. Centre x, centre y, width and height move independently, each with its velocity, so the filter
is four two-state filters per row and every step is arithmetic on columns: no matrix is built or inverted.
Noise grows with the object's size, as in DeepSORT (Wojke et al., 2017).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

POSITION = slice(0, 4)
VELOCITY = slice(4, 8)
VAR_POSITION = slice(8, 12)
COVARIANCE = slice(12, 16)
VAR_VELOCITY = slice(16, 20)
COLUMNS = 20

POSITION_NOISE = 1 / 20
VELOCITY_NOISE = 1 / 160


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


def _scale(boxes: Array) -> Array:
    """One length per row that noise is proportional to: the height, or the mean side of flat boxes."""
    return boxes[:, 3:4]


def start(state: Array, boxes: Array) -> None:
    """Fill the rows of ``state`` with objects first seen at ``boxes`` (centre form), at rest."""
    size = _scale(boxes)
    state[:, POSITION] = boxes
    state[:, VELOCITY] = 0
    state[:, VAR_POSITION] = (2 * POSITION_NOISE * size) ** 2
    state[:, COVARIANCE] = 0
    state[:, VAR_VELOCITY] = (10 * VELOCITY_NOISE * size) ** 2


def predict(state: Array) -> None:
    """Move every row on by one frame."""
    size2 = _scale(state[:, POSITION]) ** 2
    covariance, variance = state[:, COVARIANCE], state[:, VAR_VELOCITY]
    state[:, POSITION] += state[:, VELOCITY]
    state[:, VAR_POSITION] += 2 * covariance + variance + POSITION_NOISE**2 * size2
    covariance += variance
    variance += VELOCITY_NOISE**2 * size2


def correct(state: Array, boxes: Array, doubt: Array) -> Array:
    """Rows of ``state`` after being seen at ``boxes``; ``doubt`` (n,) scales the measurement's variance."""
    out = state.copy()
    noise = (POSITION_NOISE * _scale(state[:, POSITION])) ** 2 * doubt[:, None]
    total = 1 / (state[:, VAR_POSITION] + noise)
    gain = state[:, VAR_POSITION] * total
    velocity_gain = state[:, COVARIANCE] * total
    error = boxes - state[:, POSITION]
    out[:, POSITION] += gain * error
    out[:, VELOCITY] += velocity_gain * error
    out[:, VAR_VELOCITY] -= velocity_gain * state[:, COVARIANCE]
    keep = 1 - gain
    out[:, VAR_POSITION] *= keep
    out[:, COVARIANCE] *= keep
    return out
