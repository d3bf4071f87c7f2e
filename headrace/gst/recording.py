"""What smart recording hands over in C's terms: the arguments of ``start-sr`` and ``sr-done``."""

from __future__ import annotations

import ctypes
from typing import Any

_capsule = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


class RecordingInfoStruct(ctypes.Structure):
    """The structure whose address ``sr-done`` tells; ``container_type`` 0 is MP4, 1 MKV, duration is in ms."""

    _fields_ = [
        ("session_id", ctypes.c_uint32),
        ("file_name", ctypes.c_char_p),
        ("file_directory", ctypes.c_char_p),
        ("duration", ctypes.c_uint64),
        ("container_type", ctypes.c_int),
        ("width", ctypes.c_uint),
        ("height", ctypes.c_uint),
        ("contains_video", ctypes.c_int),
        ("channels", ctypes.c_uint),
        ("sampling_rate", ctypes.c_uint),
        ("contains_audio", ctypes.c_int),
    ]


def pointer_to(value: Any) -> Any:
    """A ctypes object's address as an argument of type pointer for ``GObject.emit``; keep the object alive."""
    return pointer_at(ctypes.addressof(value))


def pointer_at(address: int) -> Any:
    """The same for an address that is known, which must not be 0."""
    return _capsule(address, None, None)


def address_of(pointer: Any) -> int:
    """The address in a pointer argument that a signal's handler got; 0 for none."""
    return 0 if pointer is None else hash(pointer)
