"""A frame as data: format, planes, strides; colour and size conversion."""

from headrace.frames.color import convert, resize, rgb_matrix, to_bgr, to_rgb, yuv_matrix
from headrace.frames.frame import PIXEL_FORMATS, Colorimetry, Frame, PixelFormat, plane_shapes

__all__ = [
    "PIXEL_FORMATS",
    "Colorimetry",
    "Frame",
    "PixelFormat",
    "convert",
    "plane_shapes",
    "resize",
    "rgb_matrix",
    "to_bgr",
    "to_rgb",
    "yuv_matrix",
]
