"""The metadata of one frame of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from headrace.meta.detections import Detections
from headrace.meta.display import DisplayMetadata
from headrace.meta.object import MAX_LABEL, ObjectMetadata
from headrace.meta.objects import ATTACHED, UNTRACKED, ObjectTable
from headrace.meta.osd import Mask
from headrace.meta.user import Segmentation, TensorOutput, UserMetadata, of_type

_BORDER = 3
_MASK_THRESHOLD = 0.5


class FrameMetadata:
    """One frame: where it comes from and what was found in it (contract §4.2).

    Attributes:
        frame_number: Number of the frame in its source, from 0.
        pad_index: Index of the muxer's sink pad.
        batch_id: Position in the batch, for `Buffer.extract`.
        source_id: Id of the source; the pad index unless it was mapped.
        source_width: Width in pixels before the muxer.
        source_height: Height in pixels before the muxer.
        pipeline_width: Width in pixels as the elements see the frame.
        pipeline_height: Height in pixels as the elements see the frame.
        buffer_pts: Presentation time in ns, 2**64-1 when unset.
        ntp_timestamp: Wall clock in ns since 1970.
        infer_done: Whether a primary model ran on this frame.
        infer_skipped: Whether a primary model left this frame out on purpose (``interval``).
        user: User metas in the order they were appended.
    """

    __slots__ = (
        "_objects", "_row", "batch_id", "buffer_pts", "frame_number", "infer_done", "infer_skipped",
        "ntp_timestamp", "pad_index", "pipeline_height", "pipeline_width", "source_height", "source_id",
        "source_width", "user",
    )  # fmt: skip

    _objects: ObjectTable
    _row: int
    frame_number: int
    pad_index: int
    batch_id: int
    source_id: int
    source_width: int
    source_height: int
    pipeline_width: int
    pipeline_height: int
    buffer_pts: int
    ntp_timestamp: int
    infer_done: bool
    infer_skipped: bool
    user: list[UserMetadata]

    def __init__(self) -> None:
        raise TypeError("a FrameMetadata comes from batch_meta.acquire_frame_meta(), not from its class")

    @classmethod
    def _new(cls, objects: ObjectTable, row: int, **fields: Any) -> FrameMetadata:
        frame = object.__new__(cls)
        frame._objects, frame._row, frame.user = objects, row, []
        frame.infer_done = frame.infer_skipped = False
        for name in _NUMBERS:
            setattr(frame, name, fields.get(name, 0))
        return frame

    def fork(self, objects: ObjectTable) -> FrameMetadata:
        """A copy over another table."""
        fields = {name: getattr(self, name) for name in _NUMBERS}
        copy = FrameMetadata._new(objects, self._row, **fields)
        copy.infer_done, copy.infer_skipped = self.infer_done, self.infer_skipped
        copy.user = [meta.copy() for meta in self.user]
        return copy

    @property
    def table(self) -> ObjectTable:
        """The object table of the batch; the frame's rows are ``table.rows_of(frame.batch_id)``."""
        return self._objects

    @property
    def object_items(self) -> Iterator[ObjectMetadata]:
        """The objects of the frame, a new iterator each time; ones added meanwhile are not seen by it."""
        table = self._objects
        return iter([ObjectMetadata._at(table, row) for row in table.rows_of(self._row).tolist()])

    @property
    def n_objects(self) -> int:
        """Number of objects."""
        return len(self._objects.rows_of(self._row))

    @property
    def detections(self) -> Detections:
        """The objects as arrays (copies), corners in pipeline pixels; untracked ones have track id -1."""
        table = self._objects
        rows = table.rows_of(self._row)
        ltwh = table.column("rect")[rows]
        xyxy = np.concatenate([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]], axis=1)
        ids = table.column("object_id")[rows]
        return Detections(
            xyxy,
            table.column("confidence")[rows],
            table.column("class_id")[rows],
            np.where(ids == np.uint64(UNTRACKED), np.int64(-1), ids.astype(np.int64)),
        )

    def add_detections(
        self,
        detections: Detections,
        labels: Sequence[str] | np.ndarray[Any, Any] = (),
        component_id: int = 0,
        parent: int = -1,
    ) -> slice:
        """Append objects, one assignment for all.

        Args:
            detections: Corners in pipeline pixels.
            labels: Name of each class; a class without one is labelled by its number.
            component_id: Id of the element that found them.
            parent: Row of the object they lie in, -1 for none.

        Returns:
            Their rows in the batch's object table.
        """
        ltwh = detections.xyxy.copy()
        ltwh[:, 2:] -= ltwh[:, :2]
        rows = self._objects.add(
            len(detections),
            frame=self._row,
            class_id=detections.class_id,
            confidence=detections.confidence,
            component_id=component_id,
            parent=parent,
            rect=ltwh,
            detector_box=ltwh,
            border_width=_BORDER,
            border_color=(1.0, 0.0, 0.0, 1.0),
            label=_names(labels, detections.class_id),
        )
        tracked = detections.track_id >= 0
        if tracked.any():
            ids = self._objects.column("object_id")[rows]
            ids[tracked] = detections.track_id[tracked].astype(np.uint64)
        if detections.masks is not None:
            for row, mask in zip(range(rows.start, rows.stop), detections.masks, strict=True):
                self._objects.masks[row] = Mask(_MASK_THRESHOLD, np.asarray(mask, np.float32))
        return rows

    def append(self, meta: Any) -> None:
        """Attach an object, display, user or event-message meta to the frame.

        Raises:
            TypeError: Something else was given.
            ValueError: An object of another batch.
        """
        if isinstance(meta, ObjectMetadata):
            if meta._table is not self._objects:
                raise ValueError(
                    "the object belongs to another batch; acquire one from this frame's batch_meta"
                )
            meta._table.set_cell("frame", meta._row, self._row)
            meta._table.set_cell("state", meta._row, ATTACHED)
        elif isinstance(meta, DisplayMetadata):
            meta.frame = self._row
        elif isinstance(meta, UserMetadata):
            self.user.append(meta)
        else:
            raise TypeError("Invalid type for FrameMetadata.append")

    @property
    def tensor_items(self) -> Iterator[TensorOutput]:
        """Raw model outputs for the frame, a new iterator each time."""
        return iter([meta.data for meta in self.user if isinstance(meta.data, TensorOutput)])

    @property
    def segmentation_items(self) -> Iterator[Segmentation]:
        """Segmentations of the frame, a new iterator each time."""
        return iter([meta.data for meta in self.user if isinstance(meta.data, Segmentation)])

    def user_meta_items(self, meta_type: int) -> Iterator[UserMetadata]:
        """User metas of one type, a new iterator each time."""
        return of_type(self.user, meta_type)

    def __repr__(self) -> str:
        return f"<FrameMetadata source {self.source_id} frame {self.frame_number} objects {self.n_objects}>"


_NUMBERS = (
    "frame_number", "pad_index", "batch_id", "source_id", "source_width", "source_height", "pipeline_width",
    "pipeline_height", "buffer_pts", "ntp_timestamp",
)  # fmt: skip


def _names(labels: Sequence[str] | np.ndarray[Any, Any], class_id: np.ndarray[Any, Any]) -> Any:
    count = len(labels)
    return [labels[c][:MAX_LABEL] if 0 <= c < count else str(c) for c in class_id.tolist()]
