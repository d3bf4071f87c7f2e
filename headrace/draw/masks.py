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
    canvas: Canvas,
    mask: NDArray[np.float32],
    box: NDArray[np.float64],
    threshold: float,
) -> tuple[int, int, Bytes]:
    """The mask's visible part at the frame's scale, 0 or 255, and where it begins (even)."""
    left, top, width, height = box.tolist()
    x0, y0 = int(max(left, 0)) & ~1, int(max(top, 0)) & ~1
    x1, y1 = int(min(left + width, canvas.width)), int(min(top + height, canvas.height))
    if x0 >= x1 or y0 >= y1:
        return x0, y0, np.empty((0, 0), np.uint8)
    # Pixel centres of the frame to pixel centres of the mask.
    sx, sy = mask.shape[1] / width, mask.shape[0] / height
    matrix = np.array([[sx, 0, (x0 + 0.5 - left) * sx - 0.5], [0, sy, (y0 + 0.5 - top) * sy - 0.5]])
    scores = cv2.warpAffine(
        np.ascontiguousarray(mask, np.float32), matrix, (x1 - x0, y1 - y0),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    cover = (scores > threshold).view(np.uint8) * np.uint8(255)
    _outside(cover, int(left) - x0, int(top) - y0)
    return x0, y0, cover


def _outside(cover: Bytes, columns: int, rows: int) -> None:
    """Clear the column and row that moving the corner to an even pixel added."""
    cover[:, : max(columns, 0)] = 0
    cover[: max(rows, 0)] = 0
