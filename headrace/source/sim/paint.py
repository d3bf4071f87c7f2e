"""Drawing of polygons into the picture and into the map of who owns which pixel."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.source.sim.shapes import SHIFT, Polygon

#: Left, top, right, bottom in whole pixels; right and bottom are exclusive.
Window = tuple[int, int, int, int]
#: Left, top, right, bottom in pixels, frame or not.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Canvas:
    """A picture and, beside it, the owner of each pixel.

    Attributes:
        image: ``(H, W, 3)`` uint8 BGR.
        owner: ``(H, W)`` uint8: 0 for ground, otherwise who drew the pixel last.
    """

    image: NDArray[np.uint8]
    owner: NDArray[np.uint8]

    def draw(self, polygons: list[Polygon], owner: int) -> None:
        """Draw an object and take over the pixels of its solid polygons."""
        for polygon in polygons:
            cv2.fillConvexPoly(self.image, polygon.corners, polygon.color, cv2.LINE_AA, SHIFT)
            if polygon.solid:
                cv2.fillConvexPoly(self.owner, polygon.corners, owner, cv2.LINE_8, SHIFT)


def extent(polygons: list[Polygon]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom in pixels of the solid polygons, frame or not."""
    corners = np.concatenate([polygon.corners for polygon in polygons if polygon.solid])
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    unit = 1 << SHIFT
    # A corner names the middle of a pixel, a box the outer edges of its pixels.
    return left / unit, top / unit, right / unit + 1, bottom / unit + 1


def window(box: tuple[float, float, float, float], width: int, height: int, margin: int = 1) -> Window | None:
    """The whole pixels a box touches inside the frame, or ``None`` when there are none."""
    left, top = max(int(box[0]) - margin, 0), max(int(box[1]) - margin, 0)
    right, bottom = min(int(box[2]) + margin + 1, width), min(int(box[3]) + margin + 1, height)
    return (left, top, right, bottom) if right > left and bottom > top else None


def overlap(a: Window, b: Window) -> bool:
    """Whether two windows share a pixel."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
