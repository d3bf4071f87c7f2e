"""Addresses of GStreamer objects that user code took with ``hash()``; looked at before they are followed."""

from __future__ import annotations

import ctypes
import mmap

from headrace.gst.native import gobject, gst

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
_resident = ctypes.create_string_buffer(1)
_word = ctypes.c_size_t
gobject.g_type_is_a.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
gst.gst_buffer_get_type.restype = gst.gst_element_get_type.restype = ctypes.c_size_t
_types: dict[str, int] = {}


def buffer_at(address: int) -> int:
    """The address, once it is sure that a GstBuffer lives there.

    Raises:
        TypeError: It is no integer.
        ValueError: Something else lives there, or nothing.
    """
    if not isinstance(address, int):
        raise TypeError(f"pass hash(buffer), not a {type(address).__name__}")
    if "buffer" not in _types:
        _types["buffer"] = gst.gst_buffer_get_type()
    if not _mapped(address) or _word.from_address(address).value != _types["buffer"]:
        raise ValueError(
            f"no GstBuffer lives at {address:#x}; pass hash(buffer) of a buffer that you still hold"
        )
    return address


def element_at(address: int) -> int:
    """The address, once it is sure that a GstElement lives there.

    Raises:
        TypeError: It is no integer.
        ValueError: Something else lives there, or nothing.
    """
    if not isinstance(address, int):
        raise TypeError(f"pass hash(element), not a {type(address).__name__}")
    if "element" not in _types:
        _types["element"] = gst.gst_element_get_type()
    kind = 0
    if _mapped(address):
        instance = _word.from_address(address).value
        kind = _word.from_address(instance).value if _mapped(instance) else 0
    if not _mapped(kind) or not gobject.g_type_is_a(kind, _types["element"]):
        raise ValueError(f"no GstElement lives at {address:#x}; pass hash(element)")
    return address


def _mapped(address: int) -> bool:
    """Whether a pointer can be followed: it is aligned and its page belongs to this process."""
    if address <= mmap.PAGESIZE or address % 8 or address >= 1 << 63:
        return False
    return bool(_libc.mincore(address & -mmap.PAGESIZE, 1, _resident) == 0)
