"""Whole lists of metas, cleared and copied (pyds, §1.2)."""

from __future__ import annotations

from typing import Any

from headrace.compat.pyds.attaching import nvds_add_frame_meta_to_batch
from headrace.compat.pyds.batch import NvDsBatchMeta, NvDsMetaPool
from headrace.compat.pyds.display import NvDsDisplayMeta
from headrace.compat.pyds.frames import NvDsFrameMeta
from headrace.compat.pyds.handles import expect
from headrace.compat.pyds.lists import GList, items_from
from headrace.compat.pyds.objects import NvDsObjectMeta
from headrace.compat.pyds.user import NvDsUserMeta
from headrace.meta.frame import FrameMetadata


def nvds_get_nth_frame_meta(frame_meta_list: GList | None, index: int) -> NvDsFrameMeta | None:
    """The frame at a place in a list, ``None`` behind its end."""
    frames = items_from(frame_meta_list)
    return NvDsFrameMeta.cast(frames[index]) if 0 <= index < len(frames) else None


def nvds_clear_frame_meta_list(batch_meta: NvDsBatchMeta, meta_list: GList | None) -> None:
    """Remove the frames of a list from the batch, with their objects."""
    meta = expect(batch_meta, NvDsBatchMeta, "nvds_clear_frame_meta_list")._c.meta
    gone = [NvDsFrameMeta.cast(item)._p for item in items_from(meta_list)]
    for frame in gone:
        meta.objects.remove(meta.objects.rows_of(frame._row))
    meta.frames[:] = _without(meta.frames, gone)


def nvds_clear_obj_meta_list(frame_meta: NvDsFrameMeta, meta_list: GList | None) -> None:
    """Remove the objects of a list from a frame."""
    table = expect(frame_meta, NvDsFrameMeta, "nvds_clear_obj_meta_list")._c.table
    table.remove([NvDsObjectMeta.cast(item)._row for item in items_from(meta_list)])


def nvds_clear_display_meta_list(frame_meta: NvDsFrameMeta, meta_list: GList | None) -> None:
    """Remove the display metas of a list."""
    meta = expect(frame_meta, NvDsFrameMeta, "nvds_clear_display_meta_list")._c.meta
    meta.displays[:] = _without(
        meta.displays, [NvDsDisplayMeta.cast(item)._p for item in items_from(meta_list)]
    )


def nvds_clear_batch_user_meta_list(batch_meta: NvDsBatchMeta, meta_list: GList | None) -> None:
    """Remove the user metas of a list from the batch."""
    _clear_user(expect(batch_meta, NvDsBatchMeta, "nvds_clear_batch_user_meta_list")._c.meta.user, meta_list)


def nvds_clear_frame_user_meta_list(frame_meta: NvDsFrameMeta, meta_list: GList | None) -> None:
    """Remove the user metas of a list from a frame."""
    _clear_user(expect(frame_meta, NvDsFrameMeta, "nvds_clear_frame_user_meta_list")._p.user, meta_list)


def nvds_clear_obj_user_meta_list(object_meta: NvDsObjectMeta, meta_list: GList | None) -> None:
    """Remove the user metas of a list from an object."""
    thing = expect(object_meta, NvDsObjectMeta, "nvds_clear_obj_user_meta_list")
    _clear_user(thing._c.table.user.get(thing._row, []), meta_list)


def nvds_clear_meta_list(batch_meta: NvDsBatchMeta, meta_list: GList | None, meta_pool: NvDsMetaPool) -> None:
    """Remove the frames or display metas of a list from the batch, whichever the pool holds.

    Raises:
        TypeError: A pool of other metas; those are cleared where they are attached.
    """
    meta = expect(batch_meta, NvDsBatchMeta, "nvds_clear_meta_list")._c.meta
    kind = expect(meta_pool, NvDsMetaPool, "nvds_clear_meta_list").meta_type
    gone = items_from(meta_list)
    if kind.name == "NVDS_FRAME_META":
        nvds_clear_frame_meta_list(batch_meta, meta_list)
    elif kind.name == "NVDS_OBJ_META":
        meta.objects.remove([NvDsObjectMeta.cast(item)._row for item in gone])
    elif kind.name == "NVDS_DISPLAY_META":
        meta.displays[:] = _without(meta.displays, [NvDsDisplayMeta.cast(item)._p for item in gone])
    else:
        raise TypeError(f"nvds_clear_meta_list: {kind} is cleared where it is attached")


def nvds_copy_frame_meta_list(src_frame_meta_list: GList | None, dst_batch_meta: NvDsBatchMeta) -> None:
    """Append copies of frames, with objects, display and user metas."""
    columns = expect(dst_batch_meta, NvDsBatchMeta, "nvds_copy_frame_meta_list")._c
    for item in items_from(src_frame_meta_list):
        source = NvDsFrameMeta.cast(item)
        frame = source._p.fork(columns.table)
        frame._row = -2
        copy = NvDsFrameMeta(columns, frame)
        nvds_add_frame_meta_to_batch(dst_batch_meta, copy)
        nvds_copy_obj_meta_list(source.obj_meta_list, copy)
        nvds_copy_display_meta_list(source.display_meta_list, copy)


def nvds_copy_obj_meta_list(src_obj_meta_list: GList | None, dst_object_meta: NvDsFrameMeta) -> None:
    """Append copies of objects to a frame (the last argument's name is the reference's); parents are not copied."""
    frame = expect(dst_object_meta, NvDsFrameMeta, "nvds_copy_obj_meta_list")
    table = frame._c.table
    for item in items_from(src_obj_meta_list):
        source = NvDsObjectMeta.cast(item)
        row = table.add(1).start
        table._rows[row] = source._c.table._rows[source._row]
        table.set_cell("parent", row, -1)
        source._c.table._copy_extras(table, source._row, row)
        frame._p.append(NvDsObjectMeta(frame._c, row)._object)


def nvds_copy_display_meta_list(src_display_meta: GList | None, dst_frame_meta: NvDsFrameMeta) -> None:
    """Append copies of display metas to a frame."""
    target = expect(dst_frame_meta, NvDsFrameMeta, "nvds_copy_display_meta_list")
    for item in items_from(src_display_meta):
        copy = NvDsDisplayMeta.cast(item)._p.fork()
        target._c.meta.displays.append(copy)
        target._p.append(copy)


def nvds_copy_frame_user_meta_list(src_user_meta_list: GList | None, dst_frame_meta: NvDsFrameMeta) -> None:
    """Append copies of user metas to a frame."""
    frame: FrameMetadata = expect(dst_frame_meta, NvDsFrameMeta, "nvds_copy_frame_user_meta_list")._p
    frame.user.extend(NvDsUserMeta.cast(item)._meta.copy() for item in items_from(src_user_meta_list))


def nvds_copy_batch_user_meta_list(src_user_meta_list: GList | None, dst_batch_meta: NvDsBatchMeta) -> None:
    """Append copies of user metas to a batch."""
    meta = expect(dst_batch_meta, NvDsBatchMeta, "nvds_copy_batch_user_meta_list")._c.meta
    meta.user.extend(NvDsUserMeta.cast(item)._meta.copy() for item in items_from(src_user_meta_list))


def _clear_user(items: list[Any], meta_list: GList | None) -> None:
    items[:] = _without(items, [NvDsUserMeta.cast(item)._meta for item in items_from(meta_list)])


def _without(items: list[Any], gone: list[Any]) -> list[Any]:
    """The items but these, told apart by identity."""
    ids = {id(item) for item in gone}
    return [item for item in items if id(item) not in ids]
