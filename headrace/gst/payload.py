"""A Python object on a GstBuffer: attached, found, freed with the buffer, forked when the buffer is copied.

The carrier is a GstCustomMeta whose structure holds a boxed reference to the object. It goes wherever the
buffer goes (queue, tee, videoconvert, videoscale, encoders); ``compositor`` and other elements that make new
buffers from several drop it.
"""

from __future__ import annotations

import ctypes
import logging
from typing import Protocol, runtime_checkable

from headrace.gst.native import CUSTOM_META_TRANSFORM, GValue, gobject, gst, gst_quick, make_writable
from headrace.gst.threads import keep_thread_state

_log = logging.getLogger(__name__)

META_NAME = b"HeadracePayload"
_FIELD = b"object"
_py_object_type = 0


@runtime_checkable
class Payload(Protocol):
    """What can ride on a buffer."""

    def fork(self) -> Payload:
        """A payload for a copy of the buffer, sharing nothing that can be written."""
        ...


def _transform(copy: int, meta: int, _source: int, _kind: int, _data: int, _user: int) -> int:
    keep_thread_state()
    try:
        payload = _object_of(meta)
        if payload is not None:
            _set(copy, payload.fork())
    except Exception:  # noqa: BLE001 - C cannot raise; without metadata the copy is still a valid buffer
        _log.exception("the metadata of a copied buffer was lost")
        return 0
    return 1


_transform_callback = CUSTOM_META_TRANSFORM(_transform)


def register() -> None:
    """Register the meta with GStreamer; needs ``Gst.init`` first, does nothing the second time."""
    global _py_object_type
    if _py_object_type:
        return
    no_tags = (ctypes.c_char_p * 1)(None)
    gst.gst_meta_register_custom(META_NAME, no_tags, _transform_callback, None, None)
    _py_object_type = gobject.g_type_from_name(b"PyObject")


def attach(buffer: int, payload: Payload) -> int:
    """Attach a payload, in place of one already there.

    Args:
        buffer: Address of a GstBuffer; this call takes over the reference.
        payload: The object; the buffer keeps a reference to it.

    Returns:
        Address of the buffer with the payload: the same, or a copy if the buffer was shared.
    """
    buffer = make_writable(buffer)
    detach(buffer)
    _set(buffer, payload)
    return buffer


def find(buffer: int) -> Payload | None:
    """The payload of the GstBuffer at this address, or ``None``; the buffer goes on owning it."""
    meta = gst_quick.gst_buffer_get_custom_meta(buffer, META_NAME)
    return _object_of(meta) if meta else None


def detach(buffer: int) -> None:
    """Remove the payload of a writable buffer, if it has one."""
    meta = gst_quick.gst_buffer_get_custom_meta(buffer, META_NAME)
    if meta:
        gst.gst_buffer_remove_meta(buffer, meta)


def _set(buffer: int, payload: Payload) -> None:
    meta = gst_quick.gst_buffer_add_custom_meta(buffer, META_NAME)
    structure = gst_quick.gst_custom_meta_get_structure(meta)
    value = GValue()
    gobject.g_value_init(value, _py_object_type)
    gobject.g_value_set_boxed(value, id(payload))
    gst_quick.gst_structure_take_value(structure, _FIELD, value)


def _object_of(meta: int) -> Payload | None:
    structure = gst_quick.gst_custom_meta_get_structure(meta)
    value = gst_quick.gst_structure_get_value(structure, _FIELD)
    address = gobject.g_value_get_boxed(value) if value else None
    if not address:
        return None
    payload: Payload = ctypes.cast(address, ctypes.py_object).value
    return payload
