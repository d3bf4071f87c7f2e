"""Outlines of instance masks as polygons, which is how messages carry them."""

from __future__ import annotations

import cv2
import numpy as np

from headrace.meta.osd import Mask

# Corners that lie closer than this to the straight line between their neighbours are left out, in cells of the mask.
_STRAIGHT = 0.7


def outline(
    mask: Mask, left: float, top: float, width: float, height: float
) -> tuple[tuple[float, ...], ...]:
    """The outer edges of a mask that lies over a box.

    Args:
        mask: Scores and threshold.
        left: The box, in pixels.
        top: As ``left``.
        width: As ``left``.
        height: As ``left``.

    Returns:
        Polygons of three corners or more, the largest first, each x, y, x, y, ... in pixels with one decimal place.

    Example:
        >>> outline(Mask(0.5, np.ones((10, 10), np.float32)), 100, 50, 20, 40)
        ((100.0, 50.0, 100.0, 90.0, 120.0, 90.0, 120.0, 50.0),)
    """
    scores = mask.mask_array
    if not scores.size:
        return ()
    # A ring of nothing around twice the cells, so that edges fall between cells and not on their centres.
    inside = np.pad(np.repeat(np.repeat(scores > mask.threshold, 2, axis=0), 2, axis=1).astype(np.uint8), 1)
    found, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rows, columns = inside.shape[0] - 3, inside.shape[1] - 3
    scale = width / max(columns, 1), height / max(rows, 1)
    polygons = []
    for contour in sorted(found, key=cv2.contourArea, reverse=True):
        corners = cv2.approxPolyDP(contour, 2 * _STRAIGHT, True).reshape(-1, 2)
        if len(corners) > 2:
            places = np.round((corners - 1) * scale + (left, top), 1)
            polygons.append(tuple(places.ravel().tolist()))
    return tuple(polygons)
