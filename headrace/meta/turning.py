"""Turned boxes: their corners, the upright boxes around them, and what becomes of them in stretched pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]


def turned_corners(xyxy: ArrayLike, degrees: ArrayLike) -> NDArray[np.float64]:
    """Corners of boxes that are turned about their centres.

    Args:
        xyxy: ``(n, 4)`` left, top, right, bottom before they are turned.
        degrees: ``(n,)`` clockwise on the screen.

    Returns:
        ``(n, 4, 2)``, beginning with what was the left top corner, clockwise.

    Example:
        >>> np.rint(turned_corners([[0, 0, 4, 2]], [90])).astype(int).tolist()
        [[[3, -1], [3, 3], [1, 3], [1, -1]]]
    """
    boxes, angle = np.asarray(xyxy, np.float64).reshape(-1, 4), np.radians(np.asarray(degrees, np.float64))
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    along, across = along * half[:, :1], across * half[:, 1:]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    corners = (-along - across, along - across, along + across, across - along)
    return np.stack([centre + corner for corner in corners], axis=1)


def enclosing(xyxy: ArrayLike, degrees: ArrayLike) -> Floats:
    """The smallest upright boxes ``(n, 4)`` around turned ones.

    Example:
        >>> enclosing([[0, 0, 4, 2]], [90]).tolist()
        [[1.0, -1.0, 3.0, 3.0]]
    """
    corners = turned_corners(xyxy, degrees)
    return np.hstack([corners.min(axis=1), corners.max(axis=1)]).astype(np.float32)


def stretched(
    xyxy: ArrayLike, degrees: ArrayLike, scale: tuple[float, float], offset: tuple[float, float] = (0.0, 0.0)
) -> tuple[Floats, Floats]:
    """Turned boxes in a picture that was scaled, by another factor across than down, and moved.

    A turned box becomes a parallelogram, which no box is: the result has the same centre, the direction of the box's
    upper edge, and the lengths of both edges.

    Returns:
        Boxes ``(n, 4)`` before they are turned, and degrees ``(n,)``.

    Example:
        >>> boxes, degrees = stretched([[10, 10, 14, 12]], [90], (2.0, 3.0))
        >>> boxes.tolist(), degrees.tolist()
        ([[18.0, 31.0, 30.0, 35.0]], [90.0])
    """
    boxes, angle = np.asarray(xyxy, np.float64).reshape(-1, 4), np.radians(np.asarray(degrees, np.float64))
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 * scale + offset
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1) * scale
    across = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * scale
    lengths = np.stack([np.hypot(*along.T), np.hypot(*across.T)], axis=1)
    half = (boxes[:, 2:] - boxes[:, :2]) * lengths / 2
    turned = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    return np.hstack([centre - half, centre + half]).astype(np.float32), turned.astype(np.float32)
