"""Colour conversion and resizing of frames, with OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.frames.frame import Colorimetry, Frame, PixelFormat, plane_shapes

# (full-range luma gain, chroma contributions) per matrix: ITU-R BT.601-7 and BT.709-6.
_KR_KB = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}


def to_rgb(frame: Frame) -> NDArray[np.uint8]:
    """The frame as an RGB array ``(H, W, 3)``; a view when it is RGB already, otherwise a copy."""
    return _packed(frame, "RGB")


def to_bgr(frame: Frame) -> NDArray[np.uint8]:
    """The frame as a BGR array ``(H, W, 3)``; a view when it is BGR already, otherwise a copy."""
    return _packed(frame, "BGR")


def _packed(frame: Frame, order: str) -> NDArray[np.uint8]:
    first = frame.planes[0]
    if frame.format == order:
        return first
    if frame.format in ("NV12", "I420"):
        return yuv_to_packed(frame, order)
    code = getattr(cv2, f"COLOR_{_CV_NAMES[frame.format]}2{order}")
    return np.asarray(cv2.cvtColor(first, code), np.uint8)


_CV_NAMES = {"RGB": "RGB", "BGR": "BGR", "RGBA": "RGBA", "BGRx": "BGRA", "GRAY8": "GRAY"}


def yuv_to_packed(frame: Frame, order: str) -> NDArray[np.uint8]:
    """Convert NV12 or I420 to RGB or BGR with the frame's own colorimetry.

    Video-range BT.601 goes through OpenCV's fixed-point converters; the other three combinations
    through one 3x4 matrix on upsampled planes.
    """
    even = frame.width % 2 == 0 and frame.height % 2 == 0
    if even and frame.color == Colorimetry("bt601", False):
        luma, chroma = frame.planes[0], frame.planes[1]
        if frame.format == "NV12":
            code = getattr(cv2, f"COLOR_YUV2{order}_NV12")
            return np.asarray(cv2.cvtColorTwoPlane(luma, chroma, code), np.uint8)
        joined = np.concatenate([np.ascontiguousarray(p).reshape(-1) for p in frame.planes])
        code = getattr(cv2, f"COLOR_YUV2{order}_I420")
        return np.asarray(cv2.cvtColor(joined.reshape(frame.height * 3 // 2, frame.width), code), np.uint8)
    size = (frame.width, frame.height)
    if frame.format == "NV12":
        chroma = cv2.resize(frame.planes[1], size, interpolation=cv2.INTER_LINEAR)
        yuv = cv2.merge([np.ascontiguousarray(frame.planes[0]), chroma[..., 0], chroma[..., 1]])
    else:
        u, v = (cv2.resize(p, size, interpolation=cv2.INTER_LINEAR) for p in frame.planes[1:])
        yuv = cv2.merge([np.ascontiguousarray(frame.planes[0]), u, v])
    matrix = yuv_matrix(frame.color)
    return np.asarray(cv2.transform(yuv, matrix if order == "RGB" else matrix[::-1]), np.uint8)


def yuv_matrix(color: Colorimetry) -> NDArray[np.float32]:
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
    offset = -rows @ np.array([y_low, 128.0, 128.0])
    return np.column_stack([rows, offset]).astype(np.float32)


def rgb_matrix(color: Colorimetry) -> NDArray[np.float64]:
    """The 3x4 matrix that maps ``(R, G, B, 1)`` in 0–255 to ``(Y, U, V)`` in 0–255."""
    kr, kb = _KR_KB[color.matrix]
    luma = np.array([kr, 1.0 - kr - kb, kb])
    y_gain, c_gain, y_low = (1.0, 1.0, 0.0) if color.full_range else (219 / 255, 224 / 255, 16.0)
    rows = np.array(
        [
            y_gain * luma,
            c_gain / (2 * (1 - kb)) * (np.array([0.0, 0.0, 1.0]) - luma),
            c_gain / (2 * (1 - kr)) * (np.array([1.0, 0.0, 0.0]) - luma),
        ]
    )
    return np.column_stack([rows, [y_low, 128.0, 128.0]])


def resize(frame: Frame, width: int, height: int) -> Frame:
    """Scale a frame in its own format: every plane is resized by itself (bilinear, area when shrinking)."""
    if (frame.width, frame.height) == (width, height):
        return frame
    method = cv2.INTER_AREA if width < frame.width and height < frame.height else cv2.INTER_LINEAR
    planes = tuple(
        np.asarray(cv2.resize(plane, (shape[1], shape[0]), interpolation=method), np.uint8)
        for plane, shape in zip(frame.planes, plane_shapes(frame.format, width, height), strict=True)
    )
    return Frame(frame.format, width, height, planes, frame.color)


def convert(frame: Frame, format: PixelFormat) -> Frame:
    """The frame in another pixel format; the same object when it has it already."""
    if frame.format == format:
        return frame
    if format in ("NV12", "I420"):
        return _to_yuv(frame, format)
    if format == "GRAY8":
        gray = frame.planes[0] if frame.format in ("NV12", "I420") else cv2.cvtColor(to_rgb(frame), cv2.COLOR_RGB2GRAY)
        return Frame("GRAY8", frame.width, frame.height, (np.asarray(gray, np.uint8),), frame.color)
    if format in ("RGB", "BGR"):
        packed = _packed(frame, format)
    elif format == "RGBA":
        packed = np.asarray(cv2.cvtColor(to_rgb(frame), cv2.COLOR_RGB2RGBA), np.uint8)
    else:
        packed = np.asarray(cv2.cvtColor(to_bgr(frame), cv2.COLOR_BGR2BGRA), np.uint8)
    return Frame(format, frame.width, frame.height, (packed,))


def _to_yuv(frame: Frame, format: PixelFormat) -> Frame:
    if frame.format in ("NV12", "I420"):
        luma = frame.planes[0]
        if format == "I420":
            u, v = frame.planes[1][..., 0], frame.planes[1][..., 1]
            planes = (luma, np.ascontiguousarray(u), np.ascontiguousarray(v))
        else:
            planes = (luma, np.stack(frame.planes[1:], axis=-1))
        return Frame(format, frame.width, frame.height, planes, frame.color)
    height, width = frame.height, frame.width
    rgb = to_rgb(frame)
    if height % 2 or width % 2:
        rgb = cv2.copyMakeBorder(rgb, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    joined = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    even_h, even_w = rgb.shape[0], rgb.shape[1]
    chroma = joined[even_h:].reshape(2, even_h // 2, even_w // 2)
    luma = joined[:height, :width]
    if format == "I420":
        return Frame(format, width, height, (luma, chroma[0], chroma[1]))
    return Frame(format, width, height, (luma, np.ascontiguousarray(chroma.transpose(1, 2, 0))))
