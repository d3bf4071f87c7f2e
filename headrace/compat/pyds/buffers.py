"""NvDsMeta: metadata attached to a buffer as such (pyds, §1.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headrace.compat.pyds.addresses import buffer_at
from headrace.compat.pyds.batch import NvDsBatchMeta
from headrace.compat.pyds.columns import Columns
from headrace.compat.pyds.enums import GstNvDsMetaType
from headrace.compat.pyds.fields import EnumField, PointerField, Struct
from headrace.compat.pyds.handles import as_stored
from headrace.compat.pyds.user import PooledUserMetadata
from headrace.gst import payload
from headrace.gst.native import gst_quick
from headrace.meta.batch import Batch, SourceItems
from headrace.meta.user import UserMetadata


class NvDsMeta(Struct):
    """What `gst_buffer_add_nvds_meta` attached."""

    __slots__ = ()
    meta: Any = PointerField()
    meta_data: Any = PointerField()
    user_data: Any = PointerField()
    meta_type: Any = EnumField(GstNvDsMetaType)


def gst_buffer_add_nvds_meta(
    buffer: int,
    meta_data: Any,
    user_data: Any,
    copy_func: Callable[[Any, Any], Any] | None,
    release_func: Callable[[Any, Any], None] | None,
) -> NvDsMeta:
    """Attach data to a buffer: a user meta of the batch, or before the muxer of the frame that the buffer becomes.

    Args:
        buffer: ``hash()`` of a ``Gst.Buffer``.
        meta_data: Any pyds object or capsule.
        user_data: Given to the functions, as their second argument.
        copy_func: Makes the data of a copied buffer.
        release_func: Is called when the buffer is freed.

    Raises:
        RuntimeError: The buffer is shared and carries nothing yet; only its owner can attach to it.
    """
    address = buffer_at(buffer)
    meta = PooledUserMetadata(data=as_stored(meta_data))
    if copy_func is not None:
        meta.copies = lambda source: as_stored(copy_func(source.data, user_data))
    if release_func is not None:
        meta.releases = lambda last: release_func(last.data, user_data)
    _hang(address, meta)
    attached = NvDsMeta()
    attached.meta_data, attached.user_data = meta_data, user_data
    return attached


def _hang(address: int, meta: UserMetadata) -> None:
    rider = payload.find(address)
    if isinstance(rider, Batch):
        rider.meta.append(meta)
    elif isinstance(rider, SourceItems):
        rider.items.append(meta)
    elif gst_quick.gst_mini_object_is_writable(address):
        payload.attach(address, SourceItems([meta]))
    else:
        raise RuntimeError(
            "the buffer is shared, so that nothing can be attached to it; attach behind the muxer"
        )


def nvds_batch_meta_copy_func(data: Any, user_meta: Any) -> NvDsBatchMeta:
    """A copy of a batch's metadata that shares nothing that can be written."""
    return NvDsBatchMeta(Columns(NvDsBatchMeta.cast(data)._c.meta.fork()))


def nvds_batch_meta_release_func(data: Any, user_data: Any) -> None:
    """Nothing to do: metadata goes when nobody refers to it."""
    NvDsBatchMeta.cast(data)
