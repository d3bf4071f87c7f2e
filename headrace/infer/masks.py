"""Instance masks: one picture for each object, over its box."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# More says little: masks are stretched over their boxes where they are used.
_LARGEST = 160


def stack_masks(masks: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Masks of several sizes as one array, the `Detections.masks` of their objects.

    Args:
        masks: ``(h, w)`` for each object, values 0–1 over its box.

    Returns:
        ``(n, h, w)`` float32 in the size of the largest height and width; smaller masks are scaled up linearly,
        which does not move them: a mask covers its box whatever its size.

    Example:
        >>> stack_masks([np.ones((2, 2)), np.zeros((4, 3))]).shape
        (2, 4, 3)
    """
    if not masks:
        return np.empty((0, 0, 0), np.float32)
    height, width = np.max([mask.shape for mask in masks], axis=0)
    size = int(width), int(height)
    return np.stack([cv2.resize(np.asarray(mask, np.float32), size) for mask in masks]).astype(np.float32)


def crop_masks(
    masks: NDArray[np.float32],
    xyxy: NDArray[np.float32],
    network_size: tuple[float, float],
    side: int | tuple[int, int] = 28,
) -> NDArray[np.float32]:
    """What masks over the whole of a network's input show inside boxes.

    Args:
        masks: ``(n, h, w)``, each over the whole input.
        xyxy: ``(n, 4)`` boxes in pixels of the input.
        network_size: Width and height of the input.
        side: Height and width of the result, or both.

    Returns:
        ``(n, side, side)`` float32, each over its box.

    Example:
        >>> whole = np.zeros((1, 8, 8), np.float32)
        >>> whole[0, :4] = 1
        >>> crop_masks(whole, np.array([[0, 0, 64, 32]], np.float32), (64, 64), 4).mean()
        np.float32(1.0)
    """
    height, width = masks.shape[1:]
    scale = np.array([width / network_size[0], height / network_size[1]] * 2)
    sides = (side, side) if isinstance(side, int) else side
    down, across = ((np.arange(length) + 0.5) / length for length in sides)
    cut = np.empty((len(masks), *sides), np.float32)
    for target, mask, (left, top, right, bottom) in zip(cut, masks, xyxy * scale, strict=True):
        columns = (left + across * (right - left) - 0.5).astype(np.float32)
        rows = (top + down * (bottom - top) - 0.5).astype(np.float32)
        grid = np.meshgrid(columns, rows)
        target[...] = cv2.remap(
            np.asarray(mask, np.float32), grid[0], grid[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return cut


def cut_masks(
    masks: NDArray[np.float32], whole: NDArray[np.float32], part: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Masks of boxes that were cut, at a frame's edges for example: what they show inside what is left.

    Args:
        masks: ``(n, h, w)``, each over its box of ``whole``.
        whole: ``(n, 4)`` boxes.
        part: ``(n, 4)`` boxes within those.

    Returns:
        ``(n, h, w)``, each over its box of ``part``; masks of boxes that were not cut are as they were.

    Example:
        >>> masks = np.array([[[0, 0, 1, 1], [0, 0, 1, 1]]], np.float32)
        >>> cut_masks(masks, np.array([[0, 0, 8, 8]]), np.array([[4, 0, 8, 8]]))[0, 0].tolist()
        [0.75, 1.0, 1.0, 1.0]
    """
    rows = np.flatnonzero((whole != part).any(axis=1))
    if not len(rows):
        return masks
    start, size = whole[rows, :2], whole[rows, 2:] - whole[rows, :2]
    inside = (part[rows] - np.tile(start, 2)) / np.tile(size, 2)
    cut = masks.copy()
    cut[rows] = crop_masks(masks[rows], inside.astype(np.float32), (1, 1), masks.shape[1:])
    return cut


def masks_over_boxes(pictures: NDArray[np.bool_], boxes: NDArray[np.float32]) -> NDArray[np.float32]:
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
