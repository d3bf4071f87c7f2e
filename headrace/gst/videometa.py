"""GstVideoMeta: where a decoder has put the planes of one particular buffer."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_int, c_size_t, c_uint, c_void_p

_video = ctypes.PyDLL("libgstvideo-1.0.so.0")


class _VideoMeta(Structure):
    _fields_ = [
        ("flags", c_int),
        ("info", c_void_p),
        ("buffer", c_void_p),
        ("video_flags", c_int),
        ("format", c_int),
        ("id", c_int),
        ("width", c_uint),
        ("height", c_uint),
        ("n_planes", c_uint),
        ("offset", c_size_t * 4),
        ("stride", c_int * 4),
    ]


_video.gst_buffer_get_video_meta.restype = POINTER(_VideoMeta)
_video.gst_buffer_get_video_meta.argtypes = [c_void_p]
_video.gst_buffer_add_video_meta_full.restype = c_void_p
_video.gst_buffer_add_video_meta_full.argtypes = [
    c_void_p, c_int, c_int, c_uint, c_uint, c_uint, c_size_t * 4, c_int * 4,
]  # fmt: skip


def planes_of(buffer: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Byte offsets and strides of the planes, or ``None`` when the buffer follows its caps."""
    found = _video.gst_buffer_get_video_meta(buffer)
    if not found:
        return None
    meta = found.contents
    count = meta.n_planes
    return tuple(meta.offset[:count]), tuple(meta.stride[:count])


def picture_of(buffer: int) -> tuple[int, int, int] | None:
    """GstVideoFormat, width and height in pixels, or ``None`` when the buffer does not say."""
    found = _video.gst_buffer_get_video_meta(buffer)
    return (found.contents.format, found.contents.width, found.contents.height) if found else None


def set_planes(
    buffer: int, format: int, width: int, height: int, offsets: tuple[int, ...], strides: tuple[int, ...]
) -> None:
    """Say where the planes of a writable buffer are, unless it says so already.

    Args:
        buffer: Address of the buffer.
        format: Value of GstVideoFormat.
        width: Width in pixels.
        height: Height in pixels.
        offsets: Byte offset of each plane.
        strides: Bytes per row of each plane.
    """
    if _video.gst_buffer_get_video_meta(buffer):
        return
    count = len(offsets)
    _video.gst_buffer_add_video_meta_full(
        buffer, 0, format, width, height, count, (c_size_t * 4)(*offsets), (c_int * 4)(*strides)
    )
