"""Ink: a colour as the sample values of a frame's planes, with the tables to blend it."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from headrace.draw.palette import RGBA
from headrace.frames import Colorimetry, PixelFormat, rgb_matrix

Bytes: TypeAlias = NDArray[np.uint8]
Channels: TypeAlias = tuple[int, ...]

_LUMA_601 = (0.299, 0.587, 0.114)  # GRAY8 spans 0–255, as cv2.cvtColor makes it


class Ink:
    """One colour for one kind of frame; made by `inks`, cached and shared, never changed.

    Attributes:
        channels: Sample values per plane, for example ``((y,), (u, v))`` for NV12.
        cells: The same as one assignable value per pixel: an integer for 1, 2 and 4 channels (see
            `headrace.draw.canvas.Canvas`), an array for 3.
        alpha: Opacity 0–1.
    """

    __slots__ = ("alpha", "cells", "channels", "tables")

    def __init__(self, channels: tuple[Channels, ...], alpha: float) -> None:
        self.channels = channels
        self.alpha = alpha
        self.cells = tuple(_cell(values) for values in channels)
        self.tables = tuple(_tint_table(values, alpha) for values in channels)


class Inks:
    """All colours of one pixel format and colorimetry."""

    def __init__(self, format: PixelFormat, color: Colorimetry) -> None:
        self._format = format
        self._matrix = rgb_matrix(color)
        self.ink = lru_cache(maxsize=1024)(self._ink)
        self.coverage = lru_cache(maxsize=256)(coverage_tables)

    def _ink(self, rgba: RGBA) -> Ink:
        r, g, b, alpha = (min(c, 1.0) if c > 0 else 0.0 for c in rgba)  # NaN becomes 0
        if self._format in ("NV12", "I420"):
            y, u, v = self._yuv(r, g, b)
            return Ink(((y,), (u, v)) if self._format == "NV12" else ((y,), (u,), (v,)), alpha)
        if self._format == "GRAY8":
            return Ink(((round(255 * float(np.dot(_LUMA_601, (r, g, b)))),),), alpha)
        red, green, blue = (round(255 * c) for c in (r, g, b))
        order = (blue, green, red) if self._format in ("BGR", "BGRx") else (red, green, blue)
        return Ink(((*order, 255) if self._format in ("RGBA", "BGRx") else order,), alpha)

    def _yuv(self, r: float, g: float, b: float) -> tuple[int, int, int]:
        values = self._matrix @ np.array([255 * r, 255 * g, 255 * b, 1.0])
        y, u, v = np.clip(np.rint(values), 0, 255).astype(int).tolist()
        return y, u, v


@lru_cache(maxsize=64)
def inks(format: PixelFormat, color: Colorimetry) -> Inks:
    """The colours of a pixel format and colorimetry."""
    return Inks(format, color)


def _cell(values: Channels) -> int | Bytes:
    if len(values) == 3:
        return np.array(values, np.uint8)
    return int(np.array(values, np.uint8).view(f"u{len(values)}")[0])


def _tint_table(values: Channels, alpha: float) -> Bytes:
    """``(1, 256, C)``: what a sample becomes when the ink is laid over it."""
    old = np.arange(256)[:, None] * (1.0 - alpha)
    return np.rint(old + alpha * np.array(values)).astype(np.uint8)[None]


def coverage_tables(ink: Ink, ground: Ink | None) -> tuple[tuple[Bytes, Bytes], ...]:
    """Per plane, what coverage 0–255 by ``ink`` adds to a sample and what it leaves of it.

    Args:
        ink: Colour of the covered part.
        ground: Colour laid under the whole patch first, or ``None``.

    Returns:
        Per plane ``added (C, 256)`` and ``kept (256,)``: new sample = added + old * kept / 255.
    """
    cover = np.arange(256) / 255.0 * ink.alpha
    under = 0.0 if ground is None else ground.alpha
    kept = np.rint(255 * (1.0 - cover) * (1.0 - under)).astype(np.uint8)
    tables = []
    for plane, values in enumerate(ink.channels):
        added = np.multiply.outer(np.array(values, float), cover)
        if ground is not None:
            added += np.multiply.outer(np.array(ground.channels[plane], float), (1.0 - cover) * under)
        tables.append((np.rint(added).astype(np.uint8), kept))
    return tuple(tables)
