"""Colours: a distinct one for every class, and black or white to write on it."""

from __future__ import annotations

import colorsys
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RGBA = tuple[float, float, float, float]

_GOLDEN = 0.6180339887  # the fraction of a turn that spreads any number of hues most evenly
_TONES = ((0.85, 1.0), (0.62, 1.0), (1.0, 0.80))  # (saturation, value), taken in turn


@lru_cache(maxsize=1)
def class_palette() -> NDArray[np.float32]:
    """The colours of classes 0–255 as ``(256, 4)`` opaque RGBA in 0–1, not writable."""
    rows = [
        (*colorsys.hsv_to_rgb((0.36 + index * _GOLDEN) % 1.0, *_TONES[index % 3]), 1.0)
        for index in range(256)
    ]
    table = np.array(rows, np.float32)
    table.setflags(write=False)
    return table


def class_color(class_id: int) -> RGBA:
    """The colour of a class: opaque RGBA in 0–1, the same in every run; any integer is taken.

    Example:
        >>> class_color(0) == class_color(256) != class_color(1)
        True
    """
    r, g, b, a = class_palette()[class_id % 256].tolist()
    return r, g, b, a


def class_colors(class_id: NDArray[np.integer]) -> NDArray[np.float32]:
    """The colours of ``(n,)`` class ids as ``(n, 4)`` RGBA in 0–1."""
    colors: NDArray[np.float32] = class_palette()[np.asarray(class_id) % 256]
    return colors


def contrasting(rgba: RGBA) -> RGBA:
    """Opaque black or white, whichever is the easier to read on ``rgba`` (luma of ITU-R BT.601)."""
    luma = 0.299 * rgba[0] + 0.587 * rgba[1] + 0.114 * rgba[2]
    return (0.0, 0.0, 0.0, 1.0) if luma > 0.5 else (1.0, 1.0, 1.0, 1.0)


def rgba_from_int(value: int) -> RGBA:
    """The colour of an integer ``0xRRGGBBAA``, the form of nvdsosd's ``clock-color``.

    Example:
        >>> rgba_from_int(0xFF0000FF)
        (1.0, 0.0, 0.0, 1.0)
    """
    r, g, b, a = ((value >> shift & 255) / 255 for shift in (24, 16, 8, 0))
    return r, g, b, a
