"""The metadata of one frame of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

import numpy as np

from headrace.meta.columns import detections_of, write_optional
from headrace.meta.detections import Detections
from headrace.meta.display import DisplayMetadata
from headrace.meta.object import MAX_LABEL, ObjectMetadata
from headrace.meta.objects import ATTACHED, UNTRACKED, ObjectTable, copied
from headrace.meta.skeleton import Edges
from headrace.meta.user import MetaType, UserMetadata, embedding_of, of_type, structure_of

_BORDER = 3

_Frame = TypeVar("_Frame", bound="FrameMetadata")


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
        num_surfaces_per_frame: How many views of the source's frame there are (nvdewarper); each is a frame here.
        surface_type: Projection of this view, 0 for a picture as it came.
        surface_index: Tells views of the same projection apart.
        arrival: When the muxer got the frame, in ns of the monotonic clock; 0 when unknown.
        user: User metas in the order they were appended.
        extras: Anything else by name; values are copied with the frame, by `copy.copy`.

    ``pad_index`` tells the streams of a pipeline apart; ``source_id`` is what the application calls the source,
    and may differ once sources have come and gone.

    Example:
        >>> from headrace.meta import BatchMetadata
        >>> frame = BatchMetadata.new(1).frames[0]
        >>> frame.pad_index, frame.n_objects, list(frame.tensor_items)
        (0, 0, [])
    """

    __slots__ = (
        "_objects", "_row", "arrival", "batch_id", "buffer_pts", "extras", "frame_number", "infer_done",
        "infer_skipped", "ntp_timestamp", "num_surfaces_per_frame", "pad_index", "pipeline_height",
        "pipeline_width", "source_height", "source_id", "source_width", "surface_index", "surface_type", "user",
    )  # fmt: skip
    _defaults: ClassVar[dict[str, Any]] = {
        "frame_number": 0, "pad_index": 0, "batch_id": 0, "source_id": 0, "source_width": 0, "source_height": 0,
        "pipeline_width": 0, "pipeline_height": 0, "buffer_pts": 0, "ntp_timestamp": 0, "infer_done": False,
        "infer_skipped": False, "arrival": 0, "surface_type": 0, "surface_index": 0, "num_surfaces_per_frame": 1,
    }  # fmt: skip

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
    arrival: int
    surface_type: int
    surface_index: int
    num_surfaces_per_frame: int
    user: list[UserMetadata]
    extras: dict[str, Any]

    def __init__(self) -> None:
        raise TypeError("a FrameMetadata comes from batch_meta.acquire_frame_meta(), not from its class")

    @classmethod
    def _new(cls: type[_Frame], objects: ObjectTable, row: int, **fields: Any) -> _Frame:
        frame = object.__new__(cls)
        frame._objects, frame._row, frame.user, frame.extras = objects, row, [], {}
        for name, default in cls._defaults.items():
            setattr(frame, name, fields.get(name, default))
        return frame

    def fork(self: _Frame, objects: ObjectTable) -> _Frame:
        """A copy over another table."""
        copy = self._new(objects, self._row, **{name: getattr(self, name) for name in self._defaults})
        copy.user = [meta.copy() for meta in self.user]
        copy.extras = copied(self.extras)
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
        """The objects as arrays (copies), corners in pipeline pixels; untracked ones have track id -1.

        Masks, rotation, keypoints and embeddings are given where any object has some; others have zeros there.
        """
        return detections_of(self._objects, self._objects.rows_of(self._row))

    @property
    def embedding(self) -> np.ndarray[Any, np.dtype[np.float32]] | None:
        """What the frame looks like or means, ``(d,)``: the latest vector among its user metas, ``None`` without."""
        return embedding_of(self.user)

    def add_detections(
        self,
        detections: Detections,
        labels: Sequence[str] | np.ndarray[Any, Any] = (),
        component_id: int = 0,
        parent: int = -1,
        skeleton: Edges | None = None,
    ) -> slice:
        """Append objects, one assignment for all.

        Args:
            detections: Corners in pipeline pixels.
            labels: Name of each class; a class without one is labelled by its number.
            component_id: Id of the element that found them.
            parent: Row of the object they lie in, -1 for none.
            skeleton: Pairs of keypoints that a line joins, see `Skeleton`.

        Returns:
            Their rows in the batch's object table.
        """
        return append_detections(self._objects, self._row, detections, labels, component_id, parent, skeleton)

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
    def tensor_items(self) -> Iterator[UserMetadata]:
        """Raw model outputs for the frame (`UserMetadata.as_tensor_output`), a new iterator each time."""
        return of_type(self.user, MetaType.TENSOR_OUTPUT)

    @property
    def segmentation_items(self) -> Iterator[UserMetadata]:
        """Segmentations of the frame (`UserMetadata.as_segmentation`), a new iterator each time."""
        return of_type(self.user, MetaType.SEGMENTATION)

    @property
    def nvdsanalytics_frame_items(self) -> Iterator[UserMetadata]:
        """Analytics of the frame (`UserMetadata.as_nvdsanalytics_frame`), a new iterator each time."""
        return of_type(self.user, MetaType.FRAME_ANALYTICS)

    def user_meta_items(self, meta_type: int) -> Iterator[UserMetadata]:
        """User metas of one type, a new iterator each time."""
        return of_type(self.user, meta_type)

    def retrieve_structure_usermeta(self, type_name: str) -> str:
        """The serialised ``GstStructure`` of this name among the user metas, empty when there is none."""
        return structure_of(self.user, type_name)

    def to_item(self) -> dict[str, Any]:
        """The frame as `BatchMetadata.extract` gives it."""
        objects = list(self.object_items)
        maps = [meta.data.class_map for meta in self.segmentation_items]
        height, width = maps[-1].shape if maps else (self.pipeline_height, self.pipeline_width)
        masks = [obj.mask_params.mask_array for obj in objects if obj.has_mask]
        return {
            "shape": [height, width],
            "bboxes": [_corners(obj) for obj in objects],
            "probs": [obj.confidence for obj in objects],
            "labels": [_labels(obj) for obj in objects],
            "seg_maps": [np.array(found, np.int32) for found in (*masks, *maps)],
            "objects": [-1 if obj.object_id == UNTRACKED else obj.object_id for obj in objects],
            "timestamp": self.buffer_pts,
        }

    def __repr__(self) -> str:
        return f"<FrameMetadata source {self.source_id} frame {self.frame_number} objects {self.n_objects}>"


def append_detections(
    table: ObjectTable,
    frame: int | np.ndarray[Any, Any],
    detections: Detections,
    labels: Sequence[str] | np.ndarray[Any, Any] = (),
    component_id: int = 0,
    parent: int = -1,
    skeleton: Edges | None = None,
) -> slice:
    """Append objects of a frame, or of several, to a batch's table: `FrameMetadata.add_detections` in one assignment.

    Args:
        table: The table.
        frame: Position of the frame in the batch, one for all or one for each object.
        detections: See `FrameMetadata.add_detections`, as for what follows.
        labels: As above.
        component_id: As above.
        parent: As above.
        skeleton: As above.

    Returns:
        Their rows.
    """
    ltwh = detections.xyxy.copy()
    ltwh[:, 2:] -= ltwh[:, :2]
    rows = table.add(
        len(detections),
        frame=frame,
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
    if np.count_nonzero(tracked):
        ids = table.column("object_id")[rows]
        ids[tracked] = detections.track_id[tracked].astype(np.uint64)
    write_optional(table, rows, detections, skeleton)
    return rows


def _corners(obj: ObjectMetadata) -> list[int]:
    rect = obj.rect_params
    left, top = int(rect.left), int(rect.top)
    return [left, top, left + int(rect.width), top + int(rect.height)]


def _labels(obj: ObjectMetadata) -> list[str]:
    own = [obj.label] if obj.label else []
    return own + [label.label for meta in obj.classifier_items for label in meta.labels]


def _names(labels: Sequence[str] | np.ndarray[Any, Any], class_id: np.ndarray[Any, Any]) -> Any:
    # As unsigned numbers negative ones are too large, too.
    numbers = class_id.astype(np.int32, copy=False).view(np.uint32)
    try:
        return _cut(tuple(labels)).take(numbers)
    except IndexError:  # classes without a label are called by their number
        count = len(labels)
        return [labels[c][:MAX_LABEL] if 0 <= c < count else str(c) for c in class_id.tolist()]


@lru_cache(maxsize=64)
def _cut(labels: tuple[str, ...]) -> np.ndarray[Any, Any]:
    """Labels as they are written, as objects."""
    names = np.empty(len(labels), np.object_)
    names[:] = [label[:MAX_LABEL] for label in labels]
    return names
