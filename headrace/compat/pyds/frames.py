"""NvDsFrameMeta: a frame of a batch."""

from __future__ import annotations

from typing import Any

from headrace.compat.pyds.base import NvDsBaseMeta, spare_numbers
from headrace.compat.pyds.columns import Columns
from headrace.compat.pyds.display import NvDsDisplayMeta
from headrace.compat.pyds.enums import NvDsMetaType
from headrace.compat.pyds.fields import shown, unsigned, whole
from headrace.compat.pyds.handles import Handle
from headrace.compat.pyds.lists import GList
from headrace.compat.pyds.objects import NvDsObjectMeta
from headrace.compat.pyds.user import NvDsUserMeta
from headrace.meta.batch import BatchMetadata
from headrace.meta.display import DisplayMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.user import UserMetadata


class NvDsFrameMeta(Handle):
    """A frame of a batch (pyds, §2.1); without arguments one of a batch of its own."""

    __slots__ = ("_c", "_p")

    def __init__(self, columns: Columns | None = None, frame: FrameMetadata | None = None) -> None:
        if columns is None or frame is None:
            columns = Columns(BatchMetadata.new(1))
            frame = columns.meta.frames[0]
        self._c, self._p = columns, frame

    pad_index = shown("pad_index", unsigned)
    batch_id = shown("batch_id", unsigned)
    frame_num = shown("frame_number", whole)
    buf_pts = shown("buffer_pts", unsigned)
    ntp_timestamp = shown("ntp_timestamp", unsigned)
    source_id = shown("source_id", unsigned)
    source_frame_width = shown("source_width", unsigned)
    source_frame_height = shown("source_height", unsigned)
    bInferDone = shown("infer_done", bool)
    misc_frame_info = spare_numbers("misc_frame_info")
    reserved = spare_numbers("reserved")
    num_surfaces_per_frame = shown("num_surfaces_per_frame", unsigned)
    surface_type = shown("surface_type", unsigned)
    surface_index = shown("surface_index", unsigned)

    @property
    def base_meta(self) -> NvDsBaseMeta:
        """Type of the meta, and its batch."""
        return NvDsBaseMeta(NvDsMetaType.NVDS_FRAME_META, self._c)

    @property
    def num_obj_meta(self) -> int:
        """Number of objects; counted, so that writing it changes nothing."""
        return self._p.n_objects

    @num_obj_meta.setter
    def num_obj_meta(self, value: int) -> None:
        unsigned(value)

    @property
    def obj_meta_list(self) -> GList | None:
        """The objects in the order in which they were added."""
        columns = self._c
        rows = columns.table.rows_of(self._p._row).tolist()
        return GList(rows, 0, lambda row: NvDsObjectMeta(columns, row)) if rows else None

    @property
    def display_meta_list(self) -> GList | None:
        """Display metas that were added to the frame."""
        displays = [display for display in self._c.meta.displays if display.frame == self._p._row]
        return GList.of(displays, self._display)

    @property
    def frame_user_meta_list(self) -> GList | None:
        """User metas of the frame."""
        return GList.of(list(self._p.user), self._user)

    def _display(self, meta: DisplayMetadata) -> NvDsDisplayMeta:
        return NvDsDisplayMeta(meta, self._c)

    def _user(self, meta: UserMetadata) -> NvDsUserMeta:
        return NvDsUserMeta(meta, self._c)

    def _extras(self) -> dict[str, Any]:
        return self._p.extras
