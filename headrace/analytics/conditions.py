"""The rules of nvdsanalytics as functions of a stream's history (contract: configs §4, Algorithm)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.config import Direction, Line
from headrace.analytics.geometry import cosine
from headrace.analytics.history import History

#: Per mode of a line: squared displacement in square pixels, frames, cosine that must be passed.
LINE_LIMITS = {"loose": (1000, 3, 0.1), "balanced": (3000, 10, 0.5), "strict": (6000, 20, 0.8)}
#: Cosine per mode of a direction.
DIRECTION_COSINE = {"loose": 0.1, "balanced": 0.5, "strict": 0.8}
_DIRECTION_MOVE, _DIRECTION_FRAMES = 3000, 10
_STILL_X, _STILL_Y = 400.0, 0.01

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]


def stopped(history: History, rows: Rows) -> Mask:
    """Which tracks stand still: known for longer than the history, with hardly any variance."""
    variance = history.variance(rows)
    height = np.maximum(history.mean_height(rows), 1e-6)
    still = (variance[:, 0] <= _STILL_X) & (variance[:, 1] / height <= _STILL_Y)
    return np.asarray((history.seen[rows] > history.length) & still)


def moves_along(history: History, rows: Rows, rule: Direction) -> Mask:
    """Which tracks have moved far enough and in the direction of the arrow."""
    move = history.centre(rows) - history.earlier(rows)
    far = (history.seen[rows] > _DIRECTION_FRAMES) & ((move**2).sum(axis=1) > _DIRECTION_MOVE)
    return np.asarray(far & (cosine(move, rule.arrow) >= DIRECTION_COSINE[rule.mode]))


def goes_far(way: NDArray[np.float64], seen: NDArray[np.int64], rule: Line) -> Mask:
    """Which tracks have come far enough, for long enough and straight enough for the mode of a line.

    Args:
        way: From where each object came to its side of the line to where it is, ``(n, 2)`` pixels.
        seen: Frames that each was seen in.
        rule: The line.
    """
    distance, frames, least_cosine = LINE_LIMITS[rule.mode]
    far = (seen > frames) & ((way**2).sum(axis=1) > distance)
    if rule.mode != "loose" or not sense_of(rule):
        far &= cosine(way, rule.arrow) >= least_cosine
    return np.asarray(far)


def sense_of(rule: Line) -> int:
    """The side of the line to which its arrow points; 0 for an arrow along the line."""
    along, arrow = rule.ends[1] - rule.ends[0], rule.arrow[1] - rule.arrow[0]
    return int(np.sign(along[0] * arrow[1] - along[1] * arrow[0]))
