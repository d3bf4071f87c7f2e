"""The few functions of libgstreamer and libgobject that are called through ctypes.

PyGObject marshals every buffer through a boxed wrapper that holds a reference of its own, which makes a
buffer look shared (and so be copied) downstream. On the data path we therefore handle addresses.

`gst` releases the GIL around a call; use it for what can block. `gst_quick` keeps the GIL and is for short calls
that cannot: letting go of it costs far more, because each time another streaming thread takes it, and this one has
to wait until it is given back.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p

_GST = "libgstreamer-1.0.so.0"
_GOBJECT = "libgobject-2.0.so.0"

gst = ctypes.CDLL(_GST)
gst_quick = ctypes.PyDLL(_GST)
gobject = ctypes.PyDLL(_GOBJECT)

#: `GST_CLOCK_TIME_NONE`: a timestamp that is not set.
CLOCK_TIME_NONE = 2**64 - 1

FLOW_OK = 0
FLOW_NOT_LINKED = -1
FLOW_FLUSHING = -2
FLOW_EOS = -3
FLOW_NOT_NEGOTIATED = -4
FLOW_ERROR = -5

MAP_READ = 1
MAP_WRITE = 2

BUFFER_COPY_FLAGS = 1
BUFFER_COPY_TIMESTAMPS = 2
BUFFER_COPY_MEMORY = 8


class MapInfo(Structure):
    """`GstMapInfo`."""

    _fields_ = [
        ("memory", c_void_p),
        ("flags", c_int),
        ("data", c_void_p),
        ("size", c_size_t),
        ("maxsize", c_size_t),
        ("user_data", c_void_p * 4),
        ("_reserved", c_void_p * 4),
    ]


class MiniObject(Structure):
    """`GstMiniObject`, the head of every buffer, event and caps."""

    _fields_ = [
        ("type", c_size_t),
        ("refcount", c_int),
        ("lockstate", c_int),
        ("flags", c_uint),
        ("copy", c_void_p),
        ("dispose", c_void_p),
        ("free", c_void_p),
        ("priv_uint", c_uint),
        ("priv_pointer", c_void_p),
    ]


class BufferStruct(Structure):
    """`GstBuffer`: timestamps in nanoseconds, `CLOCK_TIME_NONE` when unset."""

    _fields_ = [
        ("mini_object", MiniObject),
        ("pool", c_void_p),
        ("pts", c_uint64),
        ("dts", c_uint64),
        ("duration", c_uint64),
        ("offset", c_uint64),
        ("offset_end", c_uint64),
    ]


class GValue(Structure):
    """`GValue`."""

    _fields_ = [("g_type", c_size_t), ("data", c_uint64 * 2)]


CHAIN_FUNCTION = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p)
CUSTOM_META_TRANSFORM = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_uint, c_void_p, c_void_p)


def _declare(library: ctypes.CDLL, name: str, result: object, *arguments: object) -> None:
    function = getattr(library, name)
    function.restype = result
    function.argtypes = list(arguments)


_declare(gst_quick, "gst_mini_object_unref", None, c_void_p)
_declare(gst, "gst_mini_object_make_writable", c_void_p, c_void_p)
_declare(gst, "gst_object_unref", None, c_void_p)
_declare(gst, "gst_pad_push", c_int, c_void_p, c_void_p)
_declare(gst, "gst_buffer_map", c_int, c_void_p, POINTER(MapInfo), c_int)
_declare(gst_quick, "gst_buffer_map", c_int, c_void_p, POINTER(MapInfo), c_int)
_declare(gst, "gst_buffer_new_allocate", c_void_p, c_void_p, c_size_t, c_void_p)
_declare(
    gst, "gst_meta_register_custom", c_void_p, c_char_p, c_void_p, CUSTOM_META_TRANSFORM, c_void_p, c_void_p
)
_declare(gst, "gst_pad_set_chain_function_full", None, c_void_p, CHAIN_FUNCTION, c_void_p, c_void_p)
_declare(gst_quick, "gst_mini_object_ref", c_void_p, c_void_p)
_declare(gst_quick, "gst_mini_object_is_writable", c_int, c_void_p)
_declare(gst_quick, "gst_pad_check_reconfigure", c_int, c_void_p)
_declare(gst_quick, "gst_segment_to_running_time", c_uint64, c_void_p, c_int, c_uint64)
_declare(gst_quick, "gst_buffer_new", c_void_p)
_declare(gst_quick, "gst_buffer_unmap", None, c_void_p, POINTER(MapInfo))
_declare(gst_quick, "gst_buffer_copy_into", c_int, c_void_p, c_void_p, c_uint, c_size_t, c_size_t)
_declare(gst, "gst_buffer_copy_region", c_void_p, c_void_p, c_uint, c_size_t, c_size_t)
_declare(gst_quick, "gst_buffer_get_custom_meta", c_void_p, c_void_p, c_char_p)
_declare(gst_quick, "gst_buffer_add_custom_meta", c_void_p, c_void_p, c_char_p)
_declare(gst, "gst_buffer_remove_meta", c_int, c_void_p, c_void_p)
_declare(gst_quick, "gst_custom_meta_get_structure", c_void_p, c_void_p)
_declare(gst_quick, "gst_structure_get_value", c_void_p, c_void_p, c_char_p)
_declare(gst_quick, "gst_structure_take_value", None, c_void_p, c_char_p, POINTER(GValue))
_declare(gst_quick, "gst_query_writable_structure", c_void_p, c_void_p)
_declare(gobject, "g_value_set_int", None, POINTER(GValue), c_int)
_declare(gobject, "g_value_init", c_void_p, POINTER(GValue), c_size_t)
_declare(gobject, "g_value_set_boxed", None, POINTER(GValue), c_void_p)
_declare(gobject, "g_value_get_boxed", c_void_p, c_void_p)
_declare(gobject, "g_type_from_name", c_size_t, c_char_p)
_declare(gobject, "g_object_ref", c_void_p, c_void_p)
_declare(gobject, "g_object_is_floating", c_int, c_void_p)
_declare(gobject, "g_object_force_floating", None, c_void_p)


def buffer_struct(address: int) -> BufferStruct:
    """The fields of the GstBuffer at `address`, live; valid as long as the buffer is."""
    return BufferStruct.from_address(address)


def make_writable(address: int) -> int:
    """Take over a buffer reference and return one to a buffer that may be written, a copy if shared."""
    if gst_quick.gst_mini_object_is_writable(address):
        return address
    return int(gst.gst_mini_object_make_writable(address))


def make_floating(address: int) -> None:
    """Give a freshly constructed GObject back the floating reference that PyGObject < 3.46 has sunk.

    Does nothing where it still is floating. Without it GStreamer >= 1.22 prints a CRITICAL line for each element that
    is written in Python.
    """
    if not gobject.g_object_is_floating(address):
        gobject.g_object_ref(address)
        gobject.g_object_force_floating(address)
