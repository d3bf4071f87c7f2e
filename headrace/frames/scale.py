"""Frames brought to a given size and format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.frames.color import convert
from headrace.frames.frame import Frame, PixelFormat
from headrace.frames.planes import resize

_BLACK_CHROMA = 128


def fit(frame: Frame, width: int, height: int, format: PixelFormat, padding: bool = False) -> Frame:
    """The frame in another size and format; the same object when nothing changes.

    Args:
        frame: Any frame.
        width: Width in pixels.
        height: Height in pixels.
        format: Pixel format.
        padding: Keep the aspect ratio and add black at the right and the bottom, instead of stretching.
    """
    shrinks = width * height < frame.width * frame.height
    if not shrinks:
        frame = convert(frame, format)
    frame = _letterbox(frame, width, height) if padding else resize(frame, width, height)
    return convert(frame, format)


def _letterbox(frame: Frame, width: int, height: int) -> Frame:
    scale = min(width / frame.width, height / frame.height)
    inner = resize(frame, max(round(frame.width * scale), 1), max(round(frame.height * scale), 1))
    if (inner.width, inner.height) == (width, height):
        return inner
    target = Frame.empty(frame.format, width, height, frame.color)
    chroma = frame.format in ("NV12", "I420")
    for index, (plane, source) in enumerate(zip(target.planes, inner.planes, strict=True)):
        plane[...] = _BLACK_CHROMA if chroma and index else 0
        rows, columns = source.shape[:2]
        plane[:rows, :columns] = source
    return target


def crop(frame: Frame, left: int, top: int, width: int, height: int) -> Frame:
    """A part of the frame as views; left and top are rounded down to even numbers where chroma is shared.

    The part is clipped to the frame and has at least one pixel.
    """
    if frame.format in ("NV12", "I420"):
        left, top = left - left % 2, top - top % 2
    left, top = min(max(left, 0), frame.width - 1), min(max(top, 0), frame.height - 1)
    width, height = max(min(width, frame.width - left), 1), max(min(height, frame.height - top), 1)
    planes = []
    for index, plane in enumerate(frame.planes):
        half = 2 if index and frame.format in ("NV12", "I420") else 1
        x, y = left // half, top // half
        planes.append(plane[y : y + -(-height // half), x : x + -(-width // half)])
    return replace(frame, width=width, height=height, planes=tuple(planes))


def flip(frame: Frame, method: int) -> Frame:
    """Rotate or mirror a packed or grey frame.

    Args:
        frame: RGB, BGR, RGBA, BGRx or GRAY8.
        method: 0 none, 1 counter-clockwise, 2 by 180°, 3 clockwise, 4 horizontal mirror, 5 transposed over
            the rising diagonal, 6 vertical mirror, 7 transposed over the falling diagonal (contract:
            nvvideoconvert).
    """
    if method == 0:
        return frame
    picture = frame.planes[0]
    operations: dict[int, Callable[[NDArray[np.uint8]], Any]] = {
        1: lambda p: cv2.rotate(p, cv2.ROTATE_90_COUNTERCLOCKWISE),
        2: lambda p: cv2.rotate(p, cv2.ROTATE_180),
        3: lambda p: cv2.rotate(p, cv2.ROTATE_90_CLOCKWISE),
        4: lambda p: cv2.flip(p, 1),
        5: lambda p: cv2.flip(cv2.transpose(p), -1),
        6: lambda p: cv2.flip(p, 0),
        7: cv2.transpose,
    }
    return Frame.from_array(operations[method](picture), frame.format)
