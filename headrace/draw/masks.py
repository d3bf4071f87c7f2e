"""Instance masks laid over their boxes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from headrace.draw.canvas import Canvas, make_stamp
from headrace.draw.ink import Bytes
from headrace.frames import Frame
from headrace.meta.osd import Mask


def draw_masks(frame: Frame, ltwh: ArrayLike, masks: Sequence[Mask | None], rgba: ArrayLike) -> None:
    """Tint the pixels of each box where its mask, stretched over the box, is above the mask's threshold.

    Only the part of a box that is inside the frame is computed. Boxes with NaN or without area, empty masks
    and ``None`` are left out.

    Args:
        frame: Any format; its planes are written to.
        ltwh: ``(n, 4)`` left, top, width, height in pixels of the frame.
        masks: ``n`` masks, of any sizes.
        rgba: ``(n, 4)`` or one colour, 0–1; an alpha near 0.4 lets the picture through.

    Raises:
        FrameError: The frame is read-only.
        ValueError: The number of masks does not fit the number of boxes.

    Example:
        >>> frame = Frame.from_array(np.zeros((40, 40), np.uint8), "GRAY8")
        >>> draw_masks(frame, [[8, 8, 16, 16]], [Mask(0.5, np.ones((4, 4), np.float32))], (1, 1, 1, 0.5))
        >>> int(frame.planes[0][16, 16])
        128
    """
    boxes = np.asarray(ltwh, np.float64).reshape(-1, 4)
    n = len(boxes)
    if len(masks) != n:
        raise ValueError(f"{len(masks)} masks for {n} boxes; give one, or None, for each box")
    colors = np.broadcast_to(np.asarray(rgba, np.float64), (n, 4)).tolist()
    canvas = Canvas(frame)
    for mask, box, color in zip(masks, boxes, colors, strict=True):
        if mask is None or not mask.mask_array.size or not np.isfinite(box).all() or min(box[2:]) <= 0:
            continue
        x0, y0, cover = _visible(canvas, mask.mask_array, box, mask.threshold)
        if cover.size:
            canvas.place(x0, y0, make_stamp(canvas.inks, cover, canvas.inks.ink(tuple(color))))


def _visible(
    canvas: Canvas, mask: NDArray[np.float32], box: NDArray[np.float64], threshold: float
) -> tuple[int, int, Bytes]:
    """The mask's visible part at the frame's scale, 0 or 255, and where it begins (even)."""
    left, top = int(max(box[0], 0)), int(max(box[1], 0))
    right, bottom = (int(end) for end in np.minimum(box[:2] + box[2:], (canvas.width, canvas.height)))
    x0, y0 = left & ~1, top & ~1
    if left >= right or top >= bottom:
        return x0, y0, np.empty((0, 0), np.uint8)
    cover = np.zeros((bottom - y0, right - x0), np.uint8)
    scores = _stretched(mask, box, (left, top, right, bottom))
    np.multiply(scores > threshold, np.uint8(255), out=cover[top - y0 :, left - x0 :])
    return x0, y0, cover


def _stretched(
    mask: NDArray[np.float32], box: NDArray[np.float64], seen: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """The scores at pixels ``left, top, right, bottom`` of a box that may be far larger than the frame."""
    left, top, right, bottom = seen
    size = (right - left, bottom - top)
    mask = np.ascontiguousarray(mask, np.float32)
    if abs(box[2] - size[0]) < 2 and abs(box[3] - size[1]) < 2:  # all of it: six times as fast
        return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR), np.float32)
    # Pixel centres of the frame to pixel centres of the mask.
    sx, sy = mask.shape[1] / box[2], mask.shape[0] / box[3]
    shift_x, shift_y = (left + 0.5 - box[0]) * sx - 0.5, (top + 0.5 - box[1]) * sy - 0.5
    matrix = np.array([[sx, 0, shift_x], [0, sy, shift_y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    scores = cv2.warpAffine(mask, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(scores, np.float32)
