"""Buffers handed to GStreamer's Python binding."""

from __future__ import annotations

from gi.repository import Gst

from headrace.gst.buffer import BufferRef
from headrace.gst.native import BUFFER_COPY_FLAGS, BUFFER_COPY_MEMORY, BUFFER_COPY_TIMESTAMPS, gst_quick

_NO_SIZE = 2**64 - 1
_PARTS = BUFFER_COPY_FLAGS | BUFFER_COPY_TIMESTAMPS | BUFFER_COPY_MEMORY


def binding_buffer(source: BufferRef | None = None) -> Gst.Buffer:
    """A new buffer of the binding that nobody else holds: empty, or over another's memory, times and flags.

    Memory is shared, metas are left behind.
    """
    buffer = Gst.Buffer.new()
    if source is not None:
        gst_quick.gst_buffer_copy_into(hash(buffer), source.address, _PARTS, 0, _NO_SIZE)
    return buffer
