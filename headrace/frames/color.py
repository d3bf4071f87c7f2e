"""Colour conversion of frames: matrices of ITU-R BT.601-7 and BT.709-6, pixels through OpenCV.

Chroma is taken to lie in the middle of its four pixels. Conversions that OpenCV has no routine for go through
a 3x4 matrix, in strips of rows that stay in the processor's cache.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.frames.frame import Colorimetry, Frame, PixelFormat, plane_shapes

_Order = Literal["RGB", "BGR"]

_KR_KB = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}  # weights of red and blue in luma
_CV_NAMES = {"RGB": "RGB", "BGR": "BGR", "RGBA": "RGBA", "BGRx": "BGRA", "GRAY8": "GRAY"}
_STRIP = 128  # rows, even
_YUV = ("NV12", "I420")


def yuv_matrix(color: Colorimetry) -> NDArray[np.float64]:
    """The 3x4 matrix that maps ``(Y, U, V, 1)`` in 0–255 to ``(R, G, B)`` in 0–255."""
    kr, kb = _KR_KB[color.matrix]
    kg = 1.0 - kr - kb
    y_gain, c_gain, y_low = (1.0, 1.0, 0.0) if color.full_range else (255 / 219, 255 / 224, 16.0)
    rows = np.array(
        [
            [y_gain, 0.0, 2 * (1 - kr) * c_gain],
            [y_gain, -2 * kb * (1 - kb) / kg * c_gain, -2 * kr * (1 - kr) / kg * c_gain],
            [y_gain, 2 * (1 - kb) * c_gain, 0.0],
        ]
    )
    return np.column_stack([rows, -rows @ (y_low, 128.0, 128.0)])


def rgb_matrix(color: Colorimetry) -> NDArray[np.float64]:
    """The 3x4 matrix that maps ``(R, G, B, 1)`` in 0–255 to ``(Y, U, V)`` in 0–255."""
    kr, kb = _KR_KB[color.matrix]
    luma = np.array([kr, 1.0 - kr - kb, kb])
    y_gain, c_gain, y_low = (1.0, 1.0, 0.0) if color.full_range else (219 / 255, 224 / 255, 16.0)
    blue, red = np.array([0.0, 0.0, 1.0]) - luma, np.array([1.0, 0.0, 0.0]) - luma
    rows = np.array([y_gain * luma, c_gain / (2 * (1 - kb)) * blue, c_gain / (2 * (1 - kr)) * red])
    return np.column_stack([rows, (y_low, 128.0, 128.0)])


def to_rgb(frame: Frame) -> NDArray[np.uint8]:
    """The frame as an RGB array ``(H, W, 3)``; a view when it is RGB already, otherwise a copy."""
    return _packed(frame, "RGB")


def to_bgr(frame: Frame) -> NDArray[np.uint8]:
    """The frame as a BGR array ``(H, W, 3)``; a view when it is BGR already, otherwise a copy."""
    return _packed(frame, "BGR")


def convert(frame: Frame, format: PixelFormat, color: Colorimetry | None = None) -> Frame:
    """The frame in another pixel format; the same object when nothing changes.

    Args:
        frame: Any frame; it is only read, but the result may share planes with it.
        format: Format of the result. Grey spans 0–255; alpha and padding become 255.
        color: Colorimetry of an NV12 or I420 result; by default that of a YUV frame, and video-range BT.601
            for others.
    """
    if format not in _YUV:
        return frame if frame.format == format else _to_packed(frame, format)
    if color is None:
        color = frame.color if frame.format in _YUV else Colorimetry()
    if frame.format not in _YUV or frame.color != color:
        return _from_rgb(to_rgb(frame), format, color)
    return frame if frame.format == format else _repacked(frame, format)


def _to_packed(frame: Frame, format: PixelFormat) -> Frame:
    if format == "GRAY8":
        array = _gray(frame)
    elif format == "RGBA":
        array = np.asarray(cv2.cvtColor(to_rgb(frame), cv2.COLOR_RGB2RGBA), np.uint8)
    elif format == "BGRx":
        array = np.asarray(cv2.cvtColor(to_bgr(frame), cv2.COLOR_BGR2BGRA), np.uint8)
    else:
        array = _packed(frame, "RGB" if format == "RGB" else "BGR")
    return Frame(format, frame.width, frame.height, (array,))


def _packed(frame: Frame, order: _Order) -> NDArray[np.uint8]:
    first = frame.planes[0]
    if frame.format == order:
        return first
    if frame.format not in _YUV:
        return np.asarray(cv2.cvtColor(first, _code(f"{_CV_NAMES[frame.format]}2{order}")), np.uint8)
    even = frame.width % 2 == 0 and frame.height % 2 == 0
    if not even or frame.color != Colorimetry("bt601", False):
        return _through_matrix(frame, order)
    if frame.format == "NV12":
        code = _code(f"YUV2{order}_NV12")
        return np.asarray(cv2.cvtColorTwoPlane(first, frame.planes[1], code), np.uint8)
    joined = np.concatenate([plane.reshape(-1) for plane in frame.planes])
    joined = joined.reshape(frame.height * 3 // 2, frame.width)
    return np.asarray(cv2.cvtColor(joined, _code(f"YUV2{order}_I420")), np.uint8)


def _code(name: str) -> int:
    return int(getattr(cv2, f"COLOR_{name}"))


def _gray(frame: Frame) -> NDArray[np.uint8]:
    if frame.format in _YUV:
        luma = frame.planes[0]
        if frame.color.full_range:
            return luma
        return np.asarray(cv2.LUT(luma, _full_range_table()), np.uint8)
    code = _code(f"{_CV_NAMES[frame.format]}2GRAY")
    return np.asarray(cv2.cvtColor(frame.planes[0], code), np.uint8)


def _full_range_table() -> NDArray[np.uint8]:
    table = np.clip(np.rint((np.arange(256) - 16) * (255 / 219)), 0, 255)
    return np.asarray(table, np.uint8)


def _through_matrix(frame: Frame, order: _Order) -> NDArray[np.uint8]:
    matrix = yuv_matrix(frame.color)
    matrix = matrix if order == "RGB" else np.ascontiguousarray(matrix[::-1])
    luma, chroma = frame.planes[0], frame.planes[1:]
    rows = chroma[0].shape[0]
    out = np.empty((frame.height, frame.width, 3), np.uint8)
    for begin in range(0, frame.height, _STRIP):
        end = min(begin + _STRIP, frame.height)
        # One chroma row more on either side, so that strips meet without a seam.
        first, last = max(begin // 2 - 1, 0), min((end + 1) // 2 + 1, rows)
        strip = [part[first:last] for part in chroma]
        size = (2 * strip[0].shape[1], 2 * (last - first))
        parts = strip if len(strip) == 2 else cv2.split(strip[0])
        u, v = (cv2.resize(part, size, interpolation=cv2.INTER_LINEAR) for part in parts)
        window = slice(begin - 2 * first, end - 2 * first), slice(frame.width)
        yuv = cv2.merge([luma[begin:end], u[window], v[window]])
        cv2.transform(yuv, matrix, dst=out[begin:end])
    return out


def _from_rgb(rgb: NDArray[np.uint8], format: PixelFormat, color: Colorimetry) -> Frame:
    """NV12 or I420 of an RGB array; a chroma sample is that of the mean of its four pixels."""
    height, width = rgb.shape[:2]
    matrix = rgb_matrix(color)
    luma, *chroma = (np.empty(shape, np.uint8) for shape in plane_shapes("I420", width, height))
    for begin in range(0, height, _STRIP):
        strip = rgb[begin : begin + _STRIP]
        rows = len(strip)
        cv2.extractChannel(cv2.transform(strip, matrix), 0, dst=luma[begin : begin + rows])
        if rows % 2 or width % 2:
            strip = np.pad(strip, ((0, rows % 2), (0, width % 2), (0, 0)), mode="edge")
        size = (strip.shape[1] // 2, strip.shape[0] // 2)
        half = cv2.transform(cv2.resize(strip, size, interpolation=cv2.INTER_AREA), matrix)
        for channel, plane in enumerate(chroma, 1):
            cv2.extractChannel(half, channel, dst=plane[begin // 2 : begin // 2 + size[1]])
    frame = Frame("I420", width, height, (luma, *chroma), color)
    return frame if format == "I420" else _repacked(frame, format)


def _repacked(frame: Frame, format: PixelFormat) -> Frame:
    """NV12 as I420 or the reverse; luma is shared."""
    luma, *chroma = frame.planes
    parts = cv2.split(chroma[0]) if format == "I420" else (cv2.merge(chroma),)
    planes = (luma, *(np.asarray(part, np.uint8) for part in parts))
    return Frame(format, frame.width, frame.height, planes, frame.color)
