"""The rules of nvdsanalytics as functions of a stream's history (contract: configs §4, Algorithm)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.config import Direction, Line
from headrace.analytics.geometry import cosine, crosses_segment, side
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


def crosses(history: History, rows: Rows, sizes: NDArray[np.float64], rule: Line) -> Mask:
    """Which tracks have come across the line in the arrow's sense; whether they did before is not asked.

    Args:
        history: Where the objects were.
        rows: Their rows in it.
        sizes: Width and height of their boxes now, ``(n, 2)``.
        rule: The line.
    """
    distance, frames, least_cosine = LINE_LIMITS[rule.mode]
    move = history.centre(rows) - history.earlier(rows)
    far = (history.seen[rows] > frames) & ((move**2).sum(axis=1) > distance)
    half_width, to_bottom = sizes[:, 0] / 2, np.stack([np.zeros(len(sizes)), sizes[:, 1] / 2], axis=1)
    before, after = history.earlier(rows) + to_bottom, history.centre(rows) + to_bottom
    was, now = side(before, rule.ends), side(after, rule.ends)
    sense = _sense(rule)
    changed = (was != 0) & (now == -was)
    if rule.mode == "loose" and sense:
        came = changed & (now == sense)
    else:
        came = changed & (cosine(move, rule.arrow) >= least_cosine)
    if not rule.extended:
        came &= _within_ends(before, after, half_width, rule)
    return np.asarray(far & came)


def _sense(rule: Line) -> int:
    """The side of the line to which its arrow points; 0 for an arrow along the line."""
    along, arrow = rule.ends[1] - rule.ends[0], rule.arrow[1] - rule.arrow[0]
    return int(np.sign(along[0] * arrow[1] - along[1] * arrow[0]))


def _within_ends(
    before: NDArray[np.float64], after: NDArray[np.float64], half_width: NDArray[np.float64], rule: Line
) -> Mask:
    """Whether the bottom centre, or a bottom corner, met the line between its ends."""
    met = np.zeros(len(before), bool)
    for shift in (0.0, -1.0, 1.0):
        offset = np.stack([half_width * shift, np.zeros(len(before))], axis=1)
        met |= crosses_segment(before + offset, after + offset, rule.ends)
    return met
