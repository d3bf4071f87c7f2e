"""A frame as data: format, planes, strides; colour and size conversion."""

from headrace.frames.color import convert, resize, to_bgr, to_rgb
from headrace.frames.frame import PIXEL_FORMATS, Colorimetry, Frame, PixelFormat, plane_shapes

__all__ = [
    "PIXEL_FORMATS",
    "Colorimetry",
    "Frame",
    "PixelFormat",
    "convert",
    "plane_shapes",
    "resize",
    "to_bgr",
    "to_rgb",
]
