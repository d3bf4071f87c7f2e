"""Resizing frames, every plane by itself."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.frames.frame import Frame, plane_shapes


def resize(frame: Frame, width: int, height: int) -> Frame:
    """The frame at another size, in its own format; the same object when it has that size already.

    Raises:
        FrameError: A size that is not positive.
    """
    if (frame.width, frame.height) == (width, height):
        return frame
    planes = tuple(
        scale_plane(plane, shape[1], shape[0])
        for plane, shape in zip(frame.planes, plane_shapes(frame.format, width, height), strict=True)
    )
    return Frame(frame.format, width, height, planes, frame.color)


def scale_plane(
    plane: NDArray[np.uint8], width: int, height: int, out: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Stretch one plane, without aliasing: means where it shrinks by 2 or more, bilinear below.

    Shrinking by much first halves the plane as often as it can: that is up to 20 times as fast as taking
    means over areas of odd sizes.

    Args:
        plane: ``(h, w)`` or ``(h, w, c)``; only read.
        width: New width in pixels.
        height: New height in pixels.
        out: Where to write to; may be a part of a larger plane.

    Returns:
        ``out``, or a new array.
    """
    while _halves(plane, width, height):
        plane = _half(plane)
    shrinks = plane.shape[1] >= 2 * width and plane.shape[0] >= 2 * height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    if plane.shape[:2] == (height, width) and out is not None:
        np.copyto(out, plane)
        return out
    return np.asarray(cv2.resize(plane, (width, height), dst=out, interpolation=method), np.uint8)


def _halves(plane: NDArray[np.uint8], width: int, height: int) -> bool:
    rows, columns = int(plane.shape[0]), int(plane.shape[1])
    return rows >= 2 * height and columns >= 2 * width and rows % 2 == 0 and columns % 2 == 0


def _half(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (plane.shape[1] // 2, plane.shape[0] // 2)
    if plane.ndim == 2 or plane.shape[2] != 2:
        return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
    # OpenCV has no fast path for two channels: one by one is five times as fast.
    parts = [cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in cv2.split(plane)]
    return np.asarray(cv2.merge(parts), np.uint8)
