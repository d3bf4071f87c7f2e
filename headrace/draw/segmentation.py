"""Class maps painted as pictures, alone or over the frame they were made of."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.draw.palette import class_palette
from headrace.frames import Frame
from headrace.frames.scale import fit


def paint_segmentation(
    class_map: NDArray[np.integer[Any]],
    size: tuple[int, int],
    background: Frame | None = None,
    alpha: float = 0.5,
) -> Frame:
    """A picture in which every class has its colour.

    Args:
        class_map: ``(h, w)`` class of each pixel, negative for none; scaled to the size without mixing classes.
        size: Width and height of the picture in pixels.
        background: What shines through where there is a class, and shows where there is none; scaled to the size.
            Without it there is black where there is no class.
        alpha: Weight of the class's colour over the background, 0–1.

    Returns:
        An RGBA frame with memory of its own.

    Example:
        >>> picture = paint_segmentation(np.array([[-1, 0]]), (4, 2)).planes[0]
        >>> picture[0, 0].tolist(), bool(picture[0, 3, :3].any())
        ([0, 0, 0, 255], True)
    """
    classes = np.where(class_map < 0, 0, class_map % _COLORS + 1).astype(np.uint8)
    classes = np.asarray(cv2.resize(classes, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    colors = _table()[classes]
    if background is not None:
        below = fit(background, *size, "RGBA").planes[0]
        mixed = cv2.addWeighted(colors, alpha, below, 1 - alpha, 0)
        colors = np.where(classes[..., None] == 0, below, np.asarray(mixed, np.uint8))
    return Frame.from_array(colors, "RGBA")


#: Colours there are; one more byte value says that there is no class.
_COLORS = 255


@lru_cache(maxsize=1)
def _table() -> NDArray[np.uint8]:
    """Black, then the colours of the classes: ``(256, 4)`` RGBA bytes."""
    colors = np.rint(class_palette() * 255).astype(np.uint8)
    return np.vstack([np.array([[0, 0, 0, 255]], np.uint8), colors[:_COLORS]])
