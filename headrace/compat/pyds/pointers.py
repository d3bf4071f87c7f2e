"""Memory helpers of pyds (§1.5): addresses of things, texts at addresses, buffers."""

from __future__ import annotations

from typing import Any

import numpy as np

from headrace.compat.pyds.batch import NvDsBatchMeta
from headrace.compat.pyds.classifiers import NvDsClassifierMeta, NvDsLabelInfo
from headrace.compat.pyds.display import NvDsDisplayMeta
from headrace.compat.pyds.events import NvDsEventMsgMeta, NvDsPersonObject, NvDsVehicleObject
from headrace.compat.pyds.fields import whole
from headrace.compat.pyds.frames import NvDsFrameMeta
from headrace.compat.pyds.handles import Capsule, Handle, as_stored
from headrace.compat.pyds.inference import NvDsInferTensorMeta
from headrace.compat.pyds.memory import (
    Block,
    address_of,
    alloc_buffer,
    free_buffer,
    memdup,
    register,
    strdup,
    string_at,
    thing_at,
)
from headrace.compat.pyds.objects import NvDsObjectMeta
from headrace.compat.pyds.surfaces import NvBufSurfaceParams
from headrace.compat.pyds.user import NvDsUserMeta


def get_string(ptr: int) -> str | None:
    """The text at an address that a text field gave, ``None`` for 0.

    Raises:
        ValueError: No text lives there (any more).
    """
    return string_at(whole(ptr))


def get_ptr(ptr: Any) -> int:
    """The address of a handle or of what a capsule holds; arrays and buffers give that of their memory.

    Raises:
        TypeError: Something else.
    """
    thing = ptr.thing if isinstance(ptr, Capsule) else ptr
    if isinstance(thing, np.ndarray):
        return register(thing.ctypes.data, thing)
    if isinstance(thing, Block):
        return thing.address
    if isinstance(ptr, Handle):
        return address_of(ptr)
    if isinstance(ptr, Capsule):
        return register(id(ptr), ptr)
    raise TypeError(f"a {type(ptr).__name__} has no address; give what a pyds field gave")


def get_detections(ptr: Any, index: int) -> float:
    """One float of a host array: ``layer.buffer`` itself, or the address that `get_ptr` gave for it.

    Raises:
        ValueError: No array lives there.
        IndexError: It is shorter.
    """
    array = ptr.thing if isinstance(ptr, Capsule) else thing_at(whole(ptr))
    if not isinstance(array, np.ndarray):
        raise ValueError(f"this points to a {type(array).__name__}, not to an array of floats")
    if not 0 <= index < array.size:
        raise IndexError(f"element {index} of an array of {array.size}")
    return float(array.reshape(-1)[index])


def strdup2str(ptr: int) -> str | None:
    """The same as `get_string`: a Python text is a copy anyway."""
    return get_string(ptr)


def alloc_char_buffer(size: int) -> int:
    """The same as `alloc_buffer`."""
    return alloc_buffer(size)


def free_gbuffer(buffer: Any) -> None:
    """Free what a capsule or handle stands for; it goes with its last reference anyway."""
    as_stored(buffer)


glist_get_nvds_batch_meta = NvDsBatchMeta.cast
glist_get_nvds_frame_meta = NvDsFrameMeta.cast
glist_get_nvds_object_meta = NvDsObjectMeta.cast
glist_get_nvds_user_meta = NvDsUserMeta.cast
glist_get_nvds_classifier_meta = NvDsClassifierMeta.cast
glist_get_nvds_display_meta = NvDsDisplayMeta.cast
glist_get_nvds_label_info = NvDsLabelInfo.cast
glist_get_nvds_event_msg_meta = NvDsEventMsgMeta.cast
glist_get_nvds_vehicle_object = NvDsVehicleObject.cast
glist_get_nvds_person_object = NvDsPersonObject.cast
glist_get_nvds_tensor_meta = NvDsInferTensorMeta.cast
glist_get_nvds_Surface_Params = NvBufSurfaceParams.cast

__all__ = ["alloc_buffer", "free_buffer", "memdup", "strdup"]
