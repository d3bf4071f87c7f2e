"""A frame as data: format, planes, strides; colour and size conversion."""

from headrace.frames.color import convert, rgb_matrix, to_bgr, to_rgb, yuv_matrix
from headrace.frames.frame import HOST, PIXEL_FORMATS, Colorimetry, Frame, PixelFormat, plane_shapes
from headrace.frames.planes import resize, scale_plane
from headrace.frames.tensor import ColorFormat, Tensor, as_tensor

__all__ = [
    "HOST",
    "PIXEL_FORMATS",
    "ColorFormat",
    "Colorimetry",
    "Frame",
    "PixelFormat",
    "Tensor",
    "as_tensor",
    "convert",
    "plane_shapes",
    "resize",
    "rgb_matrix",
    "scale_plane",
    "to_bgr",
    "to_rgb",
    "yuv_matrix",
]
