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
    cut = np.empty((len(masks), *sides), np.float32)
    for target, mask, box in zip(cut, masks, (xyxy * scale).tolist(), strict=True):
        target[...] = _cut_out(np.asarray(mask, np.float32), box, sides)
    return cut


def mixed_masks(
    factors: NDArray[np.float32],
    pictures: Sequence[NDArray[np.float32]],
    xyxy: NDArray[np.float32],
    network_size: tuple[float, float],
    side: int = 28,
) -> NDArray[np.float32]:
    """What weighted sums of pictures over the whole of a network's input show inside boxes.

    Only those parts of the pictures are added up that lie in a box.

    Args:
        factors: ``(n, m)`` weights.
        pictures: For each box the ``m`` pictures, ``(m, h, w)``.
        xyxy: ``(n, 4)`` boxes in pixels of the input.
        network_size: Width and height of the input.
        side: Height and width of the result.

    Returns:
        ``(n, side, side)`` float32, each over its box.

    Example:
        >>> pictures = np.stack([np.full((8, 8), 1.0), np.full((8, 8), 10.0)]).astype(np.float32)
        >>> boxes = np.array([[8, 8, 40, 24]], np.float32)
        >>> mixed_masks(np.array([[3, 0.5]], np.float32), [pictures], boxes, (64, 64), 2).tolist()
        [[[8.0, 8.0], [8.0, 8.0]]]
    """
    cut = np.empty((len(factors), side, side), np.float32)
    for target, weights, whole, box in zip(cut, factors, pictures, xyxy, strict=True):
        height, width = whole.shape[1:]
        left, top, right, bottom = box * np.array([width / network_size[0], height / network_size[1]] * 2)
        # Between two pixels both count, so that one more is needed on each side.
        x, y = (int(np.clip(low - 1, 0, most - 1)) for low, most in ((left, width), (top, height)))
        part = whole[:, y : max(int(bottom) + 2, y + 1), x : max(int(right) + 2, x + 1)]
        mask = np.tensordot(weights, part, 1)
        target[...] = _cut_out(mask, (left - x, top - y, right - x, bottom - y), (side, side))
    return cut


def _cut_out(mask: NDArray[np.float32], box: Sequence[float], size: tuple[int, int]) -> NDArray[np.float32]:
    """What a mask shows inside a box in its own pixels, in a size of height and width; its edges go on outside."""
    (left, top, right, bottom), (height, width) = box, size
    across, down = (right - left) / width, (bottom - top) / height
    moved = np.array([[across, 0, left + (across - 1) / 2], [0, down, top + (down - 1) / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(mask, moved, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.float32)


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
