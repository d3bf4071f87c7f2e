"""GstReferenceTimestampMeta: when a camera took a frame, by its own clock."""

from __future__ import annotations

from ctypes import POINTER, Structure, c_char_p, c_int, c_uint64, c_void_p

from gi.repository import Gst

from headrace.gst.native import gst_quick

#: Seconds from NTP's epoch, 1900, to 1970.
_EPOCH = 2_208_988_800
_PROPERTY = b"add-reference-timestamp-meta"


class _Meta(Structure):
    _fields_ = [
        ("flags", c_int),
        ("info", c_void_p),
        ("reference", c_void_p),
        ("timestamp", c_uint64),
        ("duration", c_uint64),
    ]


gst_quick.gst_buffer_get_reference_timestamp_meta.restype = POINTER(_Meta)
gst_quick.gst_buffer_get_reference_timestamp_meta.argtypes = [c_void_p, c_void_p]
gst_quick.gst_util_set_object_arg.restype = None
gst_quick.gst_util_set_object_arg.argtypes = [c_void_p, c_char_p, c_char_p]

_NTP = Gst.Caps.from_string("timestamp/x-ntp")


def note_sender_times(source: int) -> None:
    """Let an rtspsrc put its sender's times on frames; other elements, and GStreamer before 1.22, cannot.

    Args:
        source: Address of the element.
    """
    gst_quick.gst_util_set_object_arg(source, _PROPERTY, b"true")


def sender_time(buffer: int) -> int:
    """When the sender took a frame, ns since 1970 by its clock; 0 when it has not said so (yet).

    A sender tells with its first RTCP report, some seconds after it has begun.

    Args:
        buffer: Address of the buffer.
    """
    found = gst_quick.gst_buffer_get_reference_timestamp_meta(buffer, hash(_NTP))
    return max(int(found.contents.timestamp) - _EPOCH * Gst.SECOND, 0) if found else 0
