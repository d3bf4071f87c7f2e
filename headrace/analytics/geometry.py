"""Points, polygons and lines in pixels; y grows downwards."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def inside(points: Points, polygon: Points) -> NDArray[np.bool_]:
    """Which of the points ``(n, 2)`` lie in the polygon ``(m, 2)``, by the even-odd rule.

    Example:
        >>> square = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], float)
        >>> inside(np.array([[5.0, 5.0], [15.0, 5.0]]), square).tolist()
        [True, False]
    """
    x, y = points[:, :1], points[:, 1:]
    x1, y1 = polygon.T
    x2, y2 = np.roll(polygon, -1, axis=0).T
    spans = (y1 > y) != (y2 > y)
    rise = np.where(y2 == y1, 1.0, y2 - y1)
    left_of = x < (x2 - x1) * (y - y1) / rise + x1
    return np.asarray((spans & left_of).sum(axis=1) % 2 == 1)


def side(points: Points, line: Points) -> NDArray[np.int8]:
    """On which side of the infinite line ``(2, 2)`` each point lies: -1, 0 (on it) or 1."""
    start, end = line
    along = end - start
    offset = points - start
    return np.asarray(np.sign(along[0] * offset[:, 1] - along[1] * offset[:, 0]), np.int8)


def cosine(moves: Points, arrow: Points) -> NDArray[np.float64]:
    """Cosine of the angle between each movement ``(n, 2)`` and the arrow ``(2, 2)``; 0 for no movement."""
    direction = arrow[1] - arrow[0]
    length = np.hypot(*moves.T) * np.hypot(*direction)
    dot = moves @ direction
    return np.asarray(np.divide(dot, length, out=np.zeros(len(moves)), where=length > 0))


def crosses_segment(before: Points, after: Points, segment: Points) -> NDArray[np.bool_]:
    """Which of the paths from ``before`` to ``after`` meet the line between the ends of the segment."""
    start, end = segment
    along, move = end - start, after - before
    across = move[:, 0] * along[1] - move[:, 1] * along[0]
    offset = start - before
    place = np.divide(
        offset[:, 0] * move[:, 1] - offset[:, 1] * move[:, 0],
        across,
        out=np.full(len(move), -1.0),
        where=across != 0,
    )
    return np.asarray((place >= 0) & (place <= 1))


def edge_distance(x: float, y: float, corners: Sequence[Sequence[float]]) -> float:
    """Pixels from a point to the nearest edge of a polygon; plain numbers, as it is asked for one object now and then.

    Example:
        >>> edge_distance(5, 2, [[0, 0], [10, 0], [10, 10], [0, 10]])
        2.0
    """
    nearest = math.inf
    x1, y1 = corners[-1]
    for x2, y2 in corners:
        dx, dy = x2 - x1, y2 - y1
        share = ((x - x1) * dx + (y - y1) * dy) / ((dx * dx + dy * dy) or 1.0)
        share = min(max(share, 0.0), 1.0)
        nearest = min(nearest, math.hypot(x - x1 - share * dx, y - y1 - share * dy))
        x1, y1 = x2, y2
    return nearest


def area(polygon: Points) -> float:
    """Signed area of a polygon in square pixels, positive where it goes round clockwise on the screen."""
    x, y = polygon.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def crosses_itself(polygon: Points) -> bool:
    """Whether any two edges of a polygon that are not neighbours meet, or two neighbours lie upon each other.

    Example:
        >>> crosses_itself(np.array([[0, 0], [9, 9], [9, 0], [0, 9]], float))
        True
    """
    count = len(polygon)
    ends = np.roll(polygon, -1, axis=0)
    for i in range(count):
        for j in range(i + 2, count - (i == 0)):
            one, other = np.array([polygon[i], ends[i]]), np.array([polygon[j], ends[j]])
            if side(one[:1], other)[0] * side(one[1:], other)[0] <= 0 and (
                side(other[:1], one)[0] * side(other[1:], one)[0] <= 0
            ):
                return True
    return False
