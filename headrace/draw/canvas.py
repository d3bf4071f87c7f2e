"""Canvas: a frame's planes prepared for drawing, and the few ways to lay ink on them.

Whatever is drawn goes straight onto the planes: in 4:2:0 formats onto luma and, at half the coordinates, onto
chroma. Nothing is converted. Everything is clipped at the frame's edge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np

from headrace.draw.ink import Bytes, Channels, Ink, Inks, inks
from headrace.errors import FrameError
from headrace.frames import Frame

#: Coordinates are held within ± this before they become integers: OpenCV's polygon filler visits every row.
LIMIT = 1 << 15

#: Draws a shape onto an image: ``(image, x0, y0, halved, value)``; ``x0, y0`` is the image's origin in the
#: frame and ``halved`` says that the image is a chroma plane.
Painter: TypeAlias = Callable[[Bytes, int, int, bool, Channels], None]

#: What a patch adds to and leaves of each plane; ``None`` for nothing left, so the patch is just copied.
Stamp: TypeAlias = tuple[tuple[Bytes, "Bytes | None"], ...]


class Canvas:
    """A frame that is drawn on; light, made anew for each call and dropped.

    Attributes:
        frame: The frame.
        inks: Its colours.
        layers: Per plane the array, the array with one element per pixel (uint8, uint16 or uint32; RGB and
            BGR have no such element and stay as they are), and 1 for halved planes, otherwise 0.

    Raises:
        FrameError: The frame cannot be written to.

    Example:
        >>> frame = Frame.empty("NV12", 64, 48)
        >>> canvas = Canvas(frame)
        >>> canvas.fill(8, 8, 16, 16, canvas.inks.ink((1.0, 1.0, 1.0, 1.0)))
        >>> int(frame.planes[0][10, 10]), frame.planes[1][5, 5].tolist()
        (235, [128, 128])
    """

    __slots__ = ("frame", "height", "inks", "layers", "width")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.width = frame.width
        self.height = frame.height
        self.inks = inks(frame.format, frame.color)
        self.layers = tuple(
            (plane, _cells(plane), int(index > 0)) for index, plane in enumerate(frame.planes)
        )

    def fill(self, x0: int, y0: int, x1: int, y1: int, ink: Ink) -> None:
        """Lay ink over the pixels ``x0 <= x < x1``, ``y0 <= y < y1``."""
        x0, y0 = max(x0, 0), max(y0, 0)
        x1, y1 = min(x1, self.width), min(y1, self.height)
        if x0 >= x1 or y0 >= y1 or not ink.alpha:
            return
        opaque = ink.alpha >= 1.0
        for (plane, cells, half), value, table in zip(self.layers, ink.cells, ink.tables, strict=True):
            rows = slice(y0 >> half, (y1 + half) >> half)
            columns = slice(x0 >> half, (x1 + half) >> half)
            if opaque:
                cells[rows, columns] = value
            else:
                region = plane[rows, columns]
                cv2.LUT(region, table, dst=region)

    def stroke(self, bounds: tuple[int, int, int, int], ink: Ink, painter: Painter) -> None:
        """Lay ink over a shape that a painter draws; ``bounds`` is ``x0, y0, x1, y1`` around all of it."""
        x0, y0 = max(bounds[0], 0) & ~1, max(bounds[1], 0) & ~1
        x1, y1 = min(bounds[2], self.width), min(bounds[3], self.height)
        if x0 >= x1 or y0 >= y1 or not ink.alpha:
            return
        if ink.alpha >= 1.0:
            for (plane, _, half), values in zip(self.layers, ink.channels, strict=True):
                region = plane[y0 >> half : (y1 + half) >> half, x0 >> half : (x1 + half) >> half]
                _paint(region, x0, y0, bool(half), values, painter)
            return
        cover = np.zeros((y1 - y0, x1 - x0), np.uint8)
        painter(cover, x0, y0, False, (255,))
        self.place(x0, y0, make_stamp(self.inks, cover, ink))

    def place(self, x: int, y: int, stamp: Stamp) -> None:
        """Lay a patch with its corner at ``x, y``; both must be even in 4:2:0 formats."""
        height, width = stamp[0][0].shape[:2]
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + width, self.width), min(y + height, self.height)
        if x0 >= x1 or y0 >= y1:
            return
        for (plane, _, half), (added, kept) in zip(self.layers, stamp, strict=True):
            rows, columns = slice(y0 >> half, (y1 + half) >> half), slice(x0 >> half, (x1 + half) >> half)
            top, left = (y0 - y) >> half, (x0 - x) >> half
            region = plane[rows, columns]
            part = (slice(top, top + region.shape[0]), slice(left, left + region.shape[1]))
            if kept is None:
                region[...] = added[part]
            else:
                cv2.multiply(region, kept[part], dst=region, scale=1 / 255)
                cv2.add(region, added[part], dst=region)


def _paint(region: Bytes, x0: int, y0: int, halved: bool, values: Channels, painter: Painter) -> None:
    if len(values) != 2:
        painter(region, x0, y0, halved, values)
        return
    parts = cv2.split(region)  # OpenCV smooths edges on 1, 3 and 4 channels only
    for part, value in zip(parts, values, strict=True):
        painter(np.asarray(part, np.uint8), x0, y0, halved, (value,))
    cv2.merge(parts, dst=region)


def make_stamp(inks: Inks, cover: Bytes, ink: Ink, ground: Ink | None = None) -> Stamp:
    """Make a patch from coverage ``(h, w)`` 0–255; good for every frame that the inks are for."""
    tables = inks.coverage(ink, ground)
    halved = _halve(cover) if len(tables) > 1 else cover
    return tuple(
        _blend_patch(halved if index else cover, added, kept) for index, (added, kept) in enumerate(tables)
    )


def _cells(plane: Bytes) -> Bytes:
    if not plane.flags.writeable:
        raise FrameError(
            "the frame is read-only and cannot be drawn on; map its buffer for writing, or copy it"
        )
    if plane.ndim == 2 or plane.shape[2] == 3:
        return plane
    wide = plane.view(np.uint16 if plane.shape[2] == 2 else np.uint32)[..., 0]
    return wide  # type: ignore[return-value]  # indexed and assigned only


def _halve(cover: Bytes) -> Bytes:
    height, width = cover.shape
    if height % 2 or width % 2:
        cover = np.pad(cover, ((0, height % 2), (0, width % 2)), mode="edge")
    size = (cover.shape[1] // 2, cover.shape[0] // 2)
    return np.asarray(cv2.resize(cover, size, interpolation=cv2.INTER_AREA), np.uint8)


def _blend_patch(cover: Bytes, added: Bytes, kept: Bytes) -> tuple[Bytes, Bytes | None]:
    channels = len(added)
    patch = [cv2.LUT(cover, table) for table in added]
    merged = patch[0] if channels == 1 else cv2.merge(patch)
    if not kept.any():
        return np.asarray(merged, np.uint8), None
    rest = cv2.LUT(cover, kept)
    rest = rest if channels == 1 else cv2.merge([rest] * channels)
    return np.asarray(merged, np.uint8), np.asarray(rest, np.uint8)
