"""Making boxes unrecognisable: faces, number plates."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import ArrayLike

from headrace.draw.canvas import Canvas
from headrace.draw.ink import Bytes
from headrace.frames import Frame

_SMALLEST = 4.0  # pixels of a cell, so that small boxes lose their detail too


def blur_boxes(
    frame: Frame, ltwh: ArrayLike, method: Literal["blur", "pixelate"] = "blur", cells: int = 6
) -> None:
    """Blur or pixelate the inside of boxes, in place, whatever their size.

    Each plane's region is reduced to a grid of means and scaled up again, so at most ``cells`` x ``cells``
    values are left of it and nothing can be sharpened back. In 4:2:0 formats the region grows to even pixels.

    Args:
        frame: Any format; its planes are written to.
        ltwh: ``(n, 4)`` left, top, width, height in pixels; boxes with NaN or without area are left out.
        method: ``blur`` scales up smoothly, ``pixelate`` shows the grid.
        cells: Cells of the grid along a box's longer side, at least 1; a cell is never smaller than 4 pixels.

    Raises:
        FrameError: The frame is read-only.

    Example:
        >>> frame = Frame.from_array(np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8), "GRAY8")
        >>> blur_boxes(frame, [[0, 0, 40, 40]], "pixelate", cells=4)
        >>> len(np.unique(frame.planes[0])) <= 16
        True
    """
    boxes = np.asarray(ltwh, np.float64).reshape(-1, 4)
    boxes = boxes[np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)]
    if not len(boxes):
        return
    canvas = Canvas(frame)
    shown = cv2.INTER_LINEAR if method == "blur" else cv2.INTER_NEAREST
    size = np.array([canvas.width, canvas.height])
    low = np.clip(np.floor(boxes[:, :2]), 0, size).astype(int) & ~1
    high = np.clip(np.ceil(boxes[:, :2] + boxes[:, 2:]), 0, size).astype(int) + 1 & ~1
    sides = np.maximum(boxes[:, 2:].max(axis=1) / max(cells, 1), _SMALLEST)
    for (x0, y0), (x1, y1), side in zip(low.tolist(), high.tolist(), sides.tolist(), strict=True):
        for plane, _, half in canvas.layers:
            _smear(plane[y0 >> half : y1 >> half, x0 >> half : x1 >> half], side / (1 + half), shown)


def _smear(region: Bytes, side: float, shown: int) -> None:
    """Replace a region by the means of cells of about ``side`` pixels."""
    height, width = region.shape[:2]
    if not height or not width:
        return
    grid = (max(1, int(width / side)), max(1, int(height / side)))
    means = cv2.resize(region, grid, interpolation=cv2.INTER_AREA)
    cv2.resize(means, (width, height), dst=region, interpolation=shown)
