"""Text as coverage bitmaps: rendered once, kept as stamps that only need to be laid on the planes.

OpenCV 5 brings a TrueType renderer with a font of its own (Latin, Greek, Cyrillic, CJK). Older versions have
the Hershey strokes, ASCII only: those are drawn four times as large and scaled down, other characters become
``?``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

import cv2
import numpy as np

from headrace.draw.canvas import Canvas, Stamp, make_stamp
from headrace.draw.ink import Bytes, Inks
from headrace.draw.palette import RGBA

DEFAULT_SIZE = 12
_SIZES = (4, 200)
_LONGEST = 1000  # characters; what is beyond would be outside of any frame
_WEIGHT = 500  # of the TrueType font: a little bolder than regular survives video compression
_CACHED_AREA = 50_000  # characters x size²; larger stamps are not kept, which bounds the cache to some 60 MB
_SUPERSAMPLE = 4

_Measure: TypeAlias = Callable[[str, int], int]
_Render: TypeAlias = Callable[[Bytes, str, int, int, int], None]
_lock = threading.Lock()  # a FontFace caches its glyphs and is not made for several threads


def text_size(text: str, size: int = DEFAULT_SIZE) -> tuple[int, int]:
    """Width and height in pixels of the box that a text fills, its margin included.

    Example:
        >>> one, two = text_size("person"), text_size("person" + chr(10) + "car")
        >>> two[1] > one[1], two[0] == one[0]
        (True, True)
    """
    height, width = _cached_cover(text, _clamped(size)).shape
    return width, height


def draw_text(
    canvas: Canvas, text: str, x: int, y: int, size: int, rgba: RGBA, ground: RGBA | None = None
) -> None:
    """Write a text with the top left corner of its box at ``x, y``.

    The corner is moved to even pixels, so that one stamp serves every place in a 4:2:0 frame.

    Args:
        canvas: What to write on.
        text: Characters; line breaks begin a new line. Nothing is drawn when it is empty.
        x: Left edge of the box.
        y: Top edge of the box.
        size: Height of the font in pixels, held within 4–200; 0 is 12.
        rgba: Colour of the letters, 0–1.
        ground: Colour of the box behind them, or ``None``.
    """
    if not text:
        return
    size = _clamped(size)
    make = _cached_stamp if len(text) * size * size <= _CACHED_AREA else _stamp
    canvas.place(x & ~1, y & ~1, make(canvas.inks, text, size, rgba, ground))


def _clamped(size: int) -> int:
    return min(max(size, _SIZES[0]), _SIZES[1]) if size > 0 else DEFAULT_SIZE


def _stamp(inks: Inks, text: str, size: int, rgba: RGBA, ground: RGBA | None) -> Stamp:
    under = None if ground is None else inks.ink(ground)
    make = _cached_cover if len(text) * size * size <= _CACHED_AREA else _cover
    return make_stamp(inks, make(text, size), inks.ink(rgba), under)


def _cover(text: str, size: int) -> Bytes:
    """Coverage ``(h, w)`` of a text and the margin around it; both sizes even."""
    measure, render = _backend()
    # OpenCV's renderer crashes on lone surrogates (undecodable bytes) and stops at NUL: they become "?".
    lines = text[:_LONGEST].replace("\0", "?").encode("utf-8", "replace").decode().split("\n")
    margin, pitch = max(2, size // 5), round(size * 1.25)
    with _lock:
        width = max(measure(line, size) for line in lines) + 2 * margin
        cover = np.zeros((len(lines) * pitch + margin + 1 & ~1, width + 1 & ~1), np.uint8)
        for row, line in enumerate(lines):
            render(cover, line, margin, margin // 2 + row * pitch + size, size)
    cover.setflags(write=False)
    return cover


_cached_cover = lru_cache(maxsize=512)(_cover)
_cached_stamp = lru_cache(maxsize=512)(_stamp)


@lru_cache(maxsize=1)
def _backend() -> tuple[_Measure, _Render]:
    """How texts are measured and rendered with the installed OpenCV."""
    face = getattr(cv2, "FontFace", None)
    return (_hershey_width, _hershey_render) if face is None else _truetype(face("sans"))


def _truetype(face: Any) -> tuple[_Measure, _Render]:
    draw: Any = cv2.putText  # the stubs know one of the two overloads, depending on the version
    box: Any = cv2.getTextSize

    def measure(line: str, size: int) -> int:
        x, _, width, _ = box((0, 0), line, (0, 0), face, size, _WEIGHT)
        return int(x + width)

    def render(cover: Bytes, line: str, x: int, baseline: int, size: int) -> None:
        draw(cover, line, (x, baseline), (255,), face, size, _WEIGHT)

    return measure, render


def _hershey_width(line: str, size: int) -> int:
    return -(-_hershey_extent(line, size)[0] // _SUPERSAMPLE)


def _hershey_extent(line: str, size: int) -> tuple[int, float, int]:
    scale = size * _SUPERSAMPLE / 30.0  # Hershey capitals are 21 units high at scale 1, ascenders near 30
    thickness = max(1, round(size * _SUPERSAMPLE / 11))
    (width, _), _ = cv2.getTextSize(_ascii(line), cv2.FONT_HERSHEY_DUPLEX, scale, thickness)
    return width, scale, thickness


def _hershey_render(cover: Bytes, line: str, x: int, baseline: int, size: int) -> None:
    width, scale, thickness = _hershey_extent(line, size)
    big = np.zeros((2 * size * _SUPERSAMPLE, (-(-width // _SUPERSAMPLE) + 2) * _SUPERSAMPLE), np.uint8)
    origin = (0, size * _SUPERSAMPLE)
    cv2.putText(big, _ascii(line), origin, cv2.FONT_HERSHEY_DUPLEX, scale, (255,), thickness, cv2.LINE_AA)
    shape = (big.shape[1] // _SUPERSAMPLE, big.shape[0] // _SUPERSAMPLE)
    small = cv2.resize(big, shape, interpolation=cv2.INTER_AREA)
    top = baseline - size
    target = cover[top : top + small.shape[0], x : x + small.shape[1]]
    np.maximum(target, small[: target.shape[0], : target.shape[1]], out=target)


def _ascii(line: str) -> str:
    return line.encode("ascii", "replace").decode("ascii")
