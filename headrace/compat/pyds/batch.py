"""NvDsBatchMeta and the way to it from a buffer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headrace.compat.pyds.addresses import buffer_at
from headrace.compat.pyds.base import NvDsBaseMeta, spare_numbers
from headrace.compat.pyds.classifiers import NvDsClassifierMeta, NvDsLabelInfo
from headrace.compat.pyds.columns import Columns
from headrace.compat.pyds.display import NvDsDisplayMeta
from headrace.compat.pyds.enums import NvDsMetaType
from headrace.compat.pyds.fields import unsigned
from headrace.compat.pyds.frames import NvDsFrameMeta
from headrace.compat.pyds.handles import Handle
from headrace.compat.pyds.lists import GList
from headrace.compat.pyds.objects import NvDsObjectMeta
from headrace.compat.pyds.user import NvDsUserMeta
from headrace.gst import payload
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.user import ClassifierMetadata, UserMetadata


class NvDsMetaPool(Handle):
    """The metas of one kind that are in use; pools have no end, so nothing waits in ``empty_list``."""

    __slots__ = ("full_list", "meta_type", "num_full_elements")

    def __init__(
        self,
        meta_type: NvDsMetaType = NvDsMetaType.NVDS_INVALID_META,
        full_list: GList | None = None,
        num_full_elements: int = 0,
    ) -> None:
        self.meta_type, self.full_list, self.num_full_elements = meta_type, full_list, num_full_elements

    empty_list = property(lambda _self: None)
    num_empty_elements = element_size = property(lambda _self: 0)

    @property
    def max_elements_in_pool(self) -> int:
        """As many as there are: more are made when somebody asks."""
        return self.num_full_elements


class NvDsBatchMeta(Handle):
    """The root of everything that is known of a batch (pyds, §2.1); without arguments an empty one."""

    __slots__ = ("_c",)

    def __init__(self, columns: Columns | None = None) -> None:
        self._c = Columns(BatchMetadata.new()) if columns is None else columns

    misc_batch_info = spare_numbers("misc_batch_info")
    reserved = spare_numbers("reserved")
    meta_mutex = property(lambda _self: None, doc="Nothing to lock: pyds runs one thread at a time.")

    @property
    def base_meta(self) -> NvDsBaseMeta:
        """Type of the meta, and the batch itself."""
        return NvDsBaseMeta(NvDsMetaType.NVDS_BATCH_META, self._c)

    @property
    def num_frames_in_batch(self) -> int:
        """Number of frames; counted, so that writing it changes nothing."""
        return len(self._c.meta.frames)

    @num_frames_in_batch.setter
    def num_frames_in_batch(self, value: int) -> None:
        unsigned(value)

    max_frames_in_batch = num_frames_in_batch

    @property
    def frame_meta_list(self) -> GList | None:
        """The frames in batch order."""
        return GList.of(list(self._c.meta.frames), self._frame)

    @property
    def batch_user_meta_list(self) -> GList | None:
        """User metas of the batch."""
        return GList.of(list(self._c.meta.user), self._user)

    def _pool(self, kind: NvDsMetaType, items: Sequence[Any], view: Callable[[Any], Any]) -> NvDsMetaPool:
        return NvDsMetaPool(kind, GList.of(items, view), len(items))

    @property
    def frame_meta_pool(self) -> NvDsMetaPool:
        """The frames in use."""
        return self._pool(NvDsMetaType.NVDS_FRAME_META, list(self._c.meta.frames), self._frame)

    @property
    def obj_meta_pool(self) -> NvDsMetaPool:
        """The objects in use."""
        rows = self._c.table.attached().tolist()
        return self._pool(NvDsMetaType.NVDS_OBJ_META, rows, lambda row: NvDsObjectMeta(self._c, row))

    @property
    def display_meta_pool(self) -> NvDsMetaPool:
        """The display metas in use, added to a frame or not."""
        displays = list(self._c.meta.displays)
        view = lambda display: NvDsDisplayMeta(display, self._c)  # noqa: E731
        return self._pool(NvDsMetaType.NVDS_DISPLAY_META, displays, view)

    @property
    def classifier_meta_pool(self) -> NvDsMetaPool:
        """The classifier metas of all objects."""
        return self._pool(NvDsMetaType.NVDS_CLASSIFIER_META, self._classifiers(), self._classifier)

    @property
    def label_info_meta_pool(self) -> NvDsMetaPool:
        """The labels of all classifier metas."""
        labels = [label for meta in self._classifiers() for label in meta.labels]
        return self._pool(
            NvDsMetaType.NVDS_LABEL_INFO_META, labels, lambda label: NvDsLabelInfo(label, self._c)
        )

    @property
    def user_meta_pool(self) -> NvDsMetaPool:
        """The user metas of the batch, its frames and its objects."""
        meta = self._c.meta
        lists = [meta.user, *(frame.user for frame in meta.frames), *self._c.table.user.values()]
        return self._pool(
            NvDsMetaType.NVDS_USER_META, [item for items in lists for item in items], self._user
        )

    def _classifiers(self) -> list[ClassifierMetadata]:
        return [meta for metas in self._c.table.classifiers.values() for meta in metas]

    def _classifier(self, meta: ClassifierMetadata) -> NvDsClassifierMeta:
        return NvDsClassifierMeta(meta, self._c)

    def _frame(self, frame: FrameMetadata) -> NvDsFrameMeta:
        return NvDsFrameMeta(self._c, frame)

    def _user(self, meta: UserMetadata) -> NvDsUserMeta:
        return NvDsUserMeta(meta, self._c)

    def _extras(self) -> dict[str, Any]:
        return self._c.meta.extras


def gst_buffer_get_nvds_batch_meta(buffer: int) -> NvDsBatchMeta | None:
    """The metadata on a buffer, ``None`` before the muxer.

    Args:
        buffer: ``hash()`` of a ``Gst.Buffer``.

    Raises:
        ValueError: No buffer lives at the address.
    """
    batch = payload.find(buffer_at(buffer))
    return NvDsBatchMeta(Columns(batch.meta)) if isinstance(batch, Batch) else None
