"""Motion as colours: the hue says where to, the brightness how fast."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.frames import Frame


def paint_flow(vectors: NDArray[np.float32], size: tuple[int, int], full: float = 16.0) -> Frame:
    """A picture of the motion of blocks.

    Args:
        vectors: ``(rows, cols, 2)`` pixels to the right and down.
        size: Width and height of the picture in pixels.
        full: Speed in pixels from which on colours are as bright as can be.

    Returns:
        An RGBA frame: black where nothing moves, red for motion to the right, the other hues clockwise.

    Example:
        >>> still = paint_flow(np.zeros((2, 2, 2), np.float32), (8, 8))
        >>> still.planes[0][0, 0].tolist()
        [0, 0, 0, 255]
    """
    speed, angle = cv2.cartToPolar(
        np.ascontiguousarray(vectors[..., 0], np.float32),
        np.ascontiguousarray(vectors[..., 1], np.float32),
        angleInDegrees=True,
    )
    value = np.minimum(speed * (255 / full), 255)
    parts = (angle / 2, np.full_like(value, 255), value)
    hsv = np.stack([np.rint(part) for part in parts], axis=2).astype(np.uint8)
    hsv[..., 0] %= 180
    colors = cv2.cvtColor(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), cv2.COLOR_RGB2RGBA)
    return Frame.from_array(
        np.asarray(cv2.resize(colors, size, interpolation=cv2.INTER_NEAREST), np.uint8), "RGBA"
    )
