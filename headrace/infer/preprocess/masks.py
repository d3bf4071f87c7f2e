"""Instance masks that lie over boxes: made of masks of whole pictures, and cut with their boxes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# More says little: masks are stretched over their boxes where they are used.
_LARGEST = 160


def cut_masks(masks: Floats, before: Floats, after: Floats) -> Floats:
    """Masks over boxes that were cut at the edge of a picture.

    Args:
        masks: ``(n, h, w)`` over the boxes as they were.
        before: ``(n, 4)`` those boxes.
        after: ``(n, 4)`` what is left of them.

    Returns:
        ``(n, h, w)``; the array given where no box was cut.

    Example:
        >>> mask = np.array([[[0, 0, 1, 1], [0, 0, 1, 1]]], np.float32)
        >>> (cut_masks(mask, np.array([[0, 0, 8, 8]]), np.array([[0, 0, 4, 8]])) > 0.5).any().item()
        False
    """
    left = (after[:, 2:] > after[:, :2]).all(axis=1)
    rows = np.flatnonzero((before != after).any(axis=1) & left)
    if not len(rows) or not masks.size:
        return masks
    cut = masks.copy()
    for row in rows.tolist():
        cut[row] = _sampled(masks[row], before[row], after[row], masks.shape[2], masks.shape[1])
    return cut


def masks_over_boxes(pictures: NDArray[np.bool_], boxes: Floats) -> Floats:
    """Masks of whole pictures ``(n, height, width)`` as masks ``(n, h, w)`` of one size over their boxes.

    The size is that of the widest and the highest box, at most 160 pixels.
    """
    sides = np.ceil((boxes[:, 2:] - boxes[:, :2]).max(axis=0, initial=1)).astype(int)
    width, height = np.minimum(sides, _LARGEST).tolist()
    masks = np.zeros((len(pictures), height, width), np.float32)
    for row, box in enumerate(boxes.astype(int).tolist()):
        part = pictures[row, box[1] : box[3], box[0] : box[2]].astype(np.float32)
        shrinks = part.shape[0] > height or part.shape[1] > width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        masks[row] = cv2.resize(part, (width, height), interpolation=how)
    return masks


def _sampled(mask: Floats, before: Floats, after: Floats, width: int, height: int) -> Floats:
    """The mask at the pixels of the smaller box."""
    share = (after[2:] - after[:2]) / (before[2:] - before[:2])
    start = (after[:2] - before[:2]) / (before[2:] - before[:2]) * (width, height)
    # Pixel centres of the part to pixel centres of the whole.
    shift = start + 0.5 * share - 0.5
    matrix = np.array([[share[0], 0, shift[0]], [0, share[1], shift[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    part = cv2.warpAffine(mask, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(part, np.float32)
