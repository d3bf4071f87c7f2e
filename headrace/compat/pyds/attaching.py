"""Metas from the pool, attached to and removed from batch, frame, object and classifier (pyds, §1.2)."""

from __future__ import annotations

from typing import Any

from headrace.compat.pyds.batch import NvDsBatchMeta
from headrace.compat.pyds.classifiers import NvDsClassifierMeta, NvDsLabelInfo
from headrace.compat.pyds.columns import Columns
from headrace.compat.pyds.display import NvDsDisplayMeta
from headrace.compat.pyds.frames import NvDsFrameMeta
from headrace.compat.pyds.handles import expect
from headrace.compat.pyds.objects import NvDsObjectMeta
from headrace.compat.pyds.user import NvDsUserMeta, PooledUserMetadata
from headrace.meta.batch import BatchMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.user import ClassifierMetadata, Label


def nvds_create_batch_meta(max_batch_size: int) -> NvDsBatchMeta:
    """Metadata of a batch without frames, for up to `max_batch_size` of them."""
    return NvDsBatchMeta(Columns(BatchMetadata.new()))


def nvds_destroy_batch_meta(batch_meta: NvDsBatchMeta) -> bool:
    """Nothing to do: a batch goes when nobody refers to it."""
    expect(batch_meta, NvDsBatchMeta, "nvds_destroy_batch_meta")
    return True


def nvds_acquire_meta_lock(batch_meta: NvDsBatchMeta) -> None:
    """Nothing to lock: user code of all streams takes turns, because it holds the interpreter."""
    expect(batch_meta, NvDsBatchMeta, "nvds_acquire_meta_lock")


def nvds_release_meta_lock(batch_meta: NvDsBatchMeta) -> None:
    """The counterpart of `nvds_acquire_meta_lock`."""
    expect(batch_meta, NvDsBatchMeta, "nvds_release_meta_lock")


def nvds_get_current_metadata_info(batch_meta: NvDsBatchMeta) -> bool:
    """Whether there is metadata to tell of."""
    return expect(batch_meta, NvDsBatchMeta, "nvds_get_current_metadata_info").num_frames_in_batch > 0


def nvds_acquire_frame_meta_from_pool(batch_meta: NvDsBatchMeta) -> NvDsFrameMeta:
    """A new frame, to be added to the batch before anything is added to it."""
    columns = expect(batch_meta, NvDsBatchMeta, "nvds_acquire_frame_meta_from_pool")._c
    return NvDsFrameMeta(columns, FrameMetadata._new(columns.table, _UNPLACED))


_UNPLACED = -2  # -1 is an object that is in no frame


def nvds_add_frame_meta_to_batch(batch_meta: NvDsBatchMeta, frame_meta: NvDsFrameMeta) -> None:
    """Append a frame; its ``batch_id`` becomes its place."""
    columns = expect(batch_meta, NvDsBatchMeta, "nvds_add_frame_meta_to_batch")._c
    frame = expect(frame_meta, NvDsFrameMeta, "nvds_add_frame_meta_to_batch")._p
    if frame._objects is not columns.table:
        raise ValueError("the frame belongs to another batch; acquire one from this batch_meta")
    if frame._row == _UNPLACED:
        frame._row = frame.batch_id = 1 + max((other._row for other in columns.meta.frames), default=-1)
    columns.meta.frames.append(frame)


def nvds_remove_frame_meta_from_batch(batch_meta: NvDsBatchMeta, frame_meta: NvDsFrameMeta) -> None:
    """Take a frame and its objects out of the batch's metadata; its pixels stay."""
    columns = expect(batch_meta, NvDsBatchMeta, "nvds_remove_frame_meta_from_batch")._c
    frame = expect(frame_meta, NvDsFrameMeta, "nvds_remove_frame_meta_from_batch")._p
    columns.table.remove(columns.table.rows_of(frame._row))
    _drop(columns.meta.frames, frame)


def nvds_acquire_obj_meta_from_pool(batch_meta: NvDsBatchMeta) -> NvDsObjectMeta:
    """A new object: all zero, without a track."""
    columns = expect(batch_meta, NvDsBatchMeta, "nvds_acquire_obj_meta_from_pool")._c
    return NvDsObjectMeta(columns, columns.table.add(1).start)


def nvds_add_obj_meta_to_frame(
    frame_meta: NvDsFrameMeta, obj_meta: NvDsObjectMeta, obj_parent: NvDsObjectMeta | None
) -> None:
    """Append an object to a frame, as a part of another object or of none.

    Raises:
        ValueError: An object of another batch.
    """
    frame = _placed(frame_meta, "nvds_add_obj_meta_to_frame")
    added = expect(obj_meta, NvDsObjectMeta, "nvds_add_obj_meta_to_frame")
    frame.append(added._object)
    added.parent = obj_parent


def nvds_remove_obj_meta_from_frame(frame_meta: NvDsFrameMeta, obj_meta: NvDsObjectMeta) -> None:
    """Take an object out of a frame; its handles stay valid."""
    frame = expect(frame_meta, NvDsFrameMeta, "nvds_remove_obj_meta_from_frame")._p
    thing = expect(obj_meta, NvDsObjectMeta, "nvds_remove_obj_meta_from_frame")
    if thing._c.table is not frame._objects or thing._row not in frame._objects.rows_of(frame._row):
        raise ValueError("the object is not in this frame")
    frame._objects.remove(thing._row)


def nvds_acquire_display_meta_from_pool(batch_meta: NvDsBatchMeta) -> NvDsDisplayMeta:
    """A new, empty display meta; it is drawn on the first frame unless it is added to another."""
    columns = expect(batch_meta, NvDsBatchMeta, "nvds_acquire_display_meta_from_pool")._c
    return NvDsDisplayMeta(columns.meta.acquire_display_meta(), columns)


def nvds_add_display_meta_to_frame(frame_meta: NvDsFrameMeta, display_meta: NvDsDisplayMeta) -> None:
    """Draw a display meta on a frame; before the overlay, on the same buffer."""
    frame = _placed(frame_meta, "nvds_add_display_meta_to_frame")
    display = expect(display_meta, NvDsDisplayMeta, "nvds_add_display_meta_to_frame")
    if display._columns is not None and display._columns.table is not frame._objects:
        raise ValueError(
            "the display meta belongs to another batch; acquire one from this frame's batch_meta"
        )
    frame.append(display._p)


def nvds_remove_display_meta_from_frame(frame_meta: NvDsFrameMeta, display_meta: NvDsDisplayMeta) -> None:
    """Draw a display meta no more."""
    columns = expect(frame_meta, NvDsFrameMeta, "nvds_remove_display_meta_from_frame")._c
    display = expect(display_meta, NvDsDisplayMeta, "nvds_remove_display_meta_from_frame")
    _drop(columns.meta.displays, display._p)


def nvds_acquire_classifier_meta_from_pool(batch_meta: NvDsBatchMeta) -> NvDsClassifierMeta:
    """A new classifier meta without labels."""
    columns = expect(batch_meta, NvDsBatchMeta, "nvds_acquire_classifier_meta_from_pool")._c
    return NvDsClassifierMeta(ClassifierMetadata(0), columns)


def nvds_add_classifier_meta_to_object(obj_meta: NvDsObjectMeta, classifier_meta: NvDsClassifierMeta) -> None:
    """Append what a classifier says to an object."""
    thing = expect(obj_meta, NvDsObjectMeta, "nvds_add_classifier_meta_to_object")._object
    thing.append(expect(classifier_meta, NvDsClassifierMeta, "nvds_add_classifier_meta_to_object")._p)


def nvds_remove_classifier_meta_from_obj(
    obj_meta: NvDsObjectMeta, classifier_meta: NvDsClassifierMeta
) -> None:
    """Take a classifier meta from an object."""
    thing = expect(obj_meta, NvDsObjectMeta, "nvds_remove_classifier_meta_from_obj")
    meta = expect(classifier_meta, NvDsClassifierMeta, "nvds_remove_classifier_meta_from_obj")._p
    _drop(thing._c.table.classifiers.get(thing._row, []), meta)


def nvds_acquire_label_info_meta_from_pool(batch_meta: NvDsBatchMeta) -> NvDsLabelInfo:
    """A new, empty label."""
    columns = expect(batch_meta, NvDsBatchMeta, "nvds_acquire_label_info_meta_from_pool")._c
    return NvDsLabelInfo(Label(""), columns)


def nvds_add_label_info_meta_to_classifier(
    classifier_meta: NvDsClassifierMeta, label_info_meta: NvDsLabelInfo
) -> None:
    """Append a label to a classifier meta."""
    meta = expect(classifier_meta, NvDsClassifierMeta, "nvds_add_label_info_meta_to_classifier")._p
    meta.labels.append(expect(label_info_meta, NvDsLabelInfo, "nvds_add_label_info_meta_to_classifier")._p)


def nvds_remove_label_info_meta_from_classifier(
    classifier_meta: NvDsClassifierMeta, label_info_meta: NvDsLabelInfo
) -> None:
    """Take a label from a classifier meta."""
    meta = expect(classifier_meta, NvDsClassifierMeta, "nvds_remove_label_info_meta_from_classifier")._p
    _drop(
        meta.labels, expect(label_info_meta, NvDsLabelInfo, "nvds_remove_label_info_meta_from_classifier")._p
    )


def nvds_acquire_user_meta_from_pool(batch_meta: NvDsBatchMeta) -> NvDsUserMeta:
    """A new user meta, to be added to a batch, frame or object."""
    columns = expect(batch_meta, NvDsBatchMeta, "nvds_acquire_user_meta_from_pool")._c
    return NvDsUserMeta(PooledUserMetadata(), columns)


def nvds_add_user_meta_to_batch(batch_meta: NvDsBatchMeta, user_meta: NvDsUserMeta) -> None:
    """Append a user meta to the batch."""
    meta = expect(user_meta, NvDsUserMeta, "nvds_add_user_meta_to_batch")._meta
    expect(batch_meta, NvDsBatchMeta, "nvds_add_user_meta_to_batch")._c.meta.append(meta)


def nvds_add_user_meta_to_frame(frame_meta: NvDsFrameMeta, user_meta: NvDsUserMeta) -> None:
    """Append a user meta to a frame."""
    meta = expect(user_meta, NvDsUserMeta, "nvds_add_user_meta_to_frame")._meta
    expect(frame_meta, NvDsFrameMeta, "nvds_add_user_meta_to_frame")._p.append(meta)


def nvds_add_user_meta_to_obj(obj_meta: NvDsObjectMeta, user_meta: NvDsUserMeta) -> None:
    """Append a user meta to an object."""
    meta = expect(user_meta, NvDsUserMeta, "nvds_add_user_meta_to_obj")._meta
    expect(obj_meta, NvDsObjectMeta, "nvds_add_user_meta_to_obj")._object.append(meta)


def nvds_remove_user_meta_from_batch(batch_meta: NvDsBatchMeta, user_meta: NvDsUserMeta) -> None:
    """Take a user meta from the batch."""
    meta = expect(user_meta, NvDsUserMeta, "nvds_remove_user_meta_from_batch")._meta
    _drop(expect(batch_meta, NvDsBatchMeta, "nvds_remove_user_meta_from_batch")._c.meta.user, meta)


def nvds_remove_user_meta_from_frame(frame_meta: NvDsFrameMeta, user_meta: NvDsUserMeta) -> None:
    """Take a user meta from a frame."""
    meta = expect(user_meta, NvDsUserMeta, "nvds_remove_user_meta_from_frame")._meta
    _drop(expect(frame_meta, NvDsFrameMeta, "nvds_remove_user_meta_from_frame")._p.user, meta)


def nvds_remove_user_meta_from_object(obj_meta: NvDsObjectMeta, user_meta: NvDsUserMeta) -> None:
    """Take a user meta from an object."""
    thing = expect(obj_meta, NvDsObjectMeta, "nvds_remove_user_meta_from_object")
    meta = expect(user_meta, NvDsUserMeta, "nvds_remove_user_meta_from_object")._meta
    _drop(thing._c.table.user.get(thing._row, []), meta)


def _placed(frame_meta: Any, function: str) -> FrameMetadata:
    frame = expect(frame_meta, NvDsFrameMeta, function)._p
    if frame._row == _UNPLACED:
        raise ValueError(f"{function}: add the frame to the batch first")
    return frame


def _drop(items: list[Any], item: Any) -> None:
    """Remove by identity: metas that say the same are not the same."""
    for index, other in enumerate(items):
        if other is item:
            del items[index]
            return
    raise ValueError(f"this {type(item).__name__} is not attached here")
