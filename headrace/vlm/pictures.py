"""Small JPEGs of frames and of parts of them."""

from __future__ import annotations

import math

import cv2

from headrace.errors import FrameError
from headrace.frames import Frame
from headrace.frames.scale import crop, fit

Box = tuple[float, float, float, float]


def jpeg(frame: Frame, longest: int, quality: int, box: Box | None = None, margin: float = 0.0) -> bytes:
    """A JPEG of a frame or of a part of it; nothing of the frame's memory is kept.

    Args:
        frame: Any format.
        longest: Longer side in pixels; larger pictures are scaled down, smaller ones left as they are.
        quality: Of the JPEG, 1–100.
        box: Left, top, width, height of the part in pixels, clipped to the frame; ``None`` for all.
        margin: What is added around the box on each side, as a share of its size.

    Raises:
        FrameError: The picture cannot be coded.

    Example:
        >>> import numpy as np
        >>> grey = Frame.from_array(np.zeros((90, 160, 3), np.uint8), "RGB")
        >>> jpeg(grey, longest=64, quality=80)[:2].hex()
        'ffd8'
    """
    if box is not None:
        left, top, width, height = box
        left, top = left - margin * width, top - margin * height
        right, bottom = left + (1 + 2 * margin) * width, top + (1 + 2 * margin) * height
        x, y = max(math.floor(left), 0), max(math.floor(top), 0)
        frame = crop(frame, x, y, math.ceil(right) - x, math.ceil(bottom) - y)
    scale = min(longest / max(frame.width, frame.height), 1.0)
    size = (max(round(frame.width * scale), 1), max(round(frame.height * scale), 1))
    picture = fit(frame, *size, "BGR").planes[0]
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise FrameError(f"a picture of {size[0]}x{size[1]} pixels could not be coded as JPEG")
    return data.tobytes()
