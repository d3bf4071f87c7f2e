"""The metadata of a batch, and the payload that carries it on a buffer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from headrace.frames.surface import Surface
from headrace.meta.audio import AudioFrameMetadata
from headrace.meta.columns import more_of
from headrace.meta.display import DisplayMetadata
from headrace.meta.event_meta import EventMessageUserMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.object import ObjectMetadata
from headrace.meta.objects import UNTRACKED, ObjectTable, copied
from headrace.meta.preprocess import PreprocessBatchUserMetadata
from headrace.meta.user import ObjectReidUserMetadata, UserMetadata, of_type, structure_of


class BatchMetadata:
    """Everything known about the frames of one batch (contract §4.1).

    Attributes:
        objects: The table of all objects; rows of a frame by ``objects.rows_of(frame.batch_id)``.
        frames: Metadata of the frames in batch order.
        displays: Display metas in use, appended to a frame or not.
        user: User metas of the batch.
        is_audio: Whether this is a batch of audio; its frames are `AudioFrameMetadata`.
        extras: Anything else by name; values are copied with the batch, by `copy.copy`.

    Example:
        >>> from headrace.meta import Detections
        >>> batch = BatchMetadata.new(1)
        >>> frame = next(batch.frame_items)
        >>> rows = frame.add_detections(Detections([[0, 0, 10, 20]], [0.5], [1]), labels=("car", "person"))
        >>> [obj.label for obj in frame.object_items]
        ['person']
    """

    __slots__ = ("displays", "extras", "frames", "is_audio", "objects", "user")

    objects: ObjectTable
    frames: list[FrameMetadata]
    displays: list[DisplayMetadata]
    user: list[UserMetadata]
    is_audio: bool
    extras: dict[str, Any]

    def __init__(self) -> None:
        raise TypeError("a BatchMetadata comes with a batched buffer: use Buffer(gst_buffer).batch_meta")

    @classmethod
    def new(cls, n_frames: int = 0, audio: bool = False) -> BatchMetadata:
        """Metadata for a batch of `n_frames` frames, for elements that make batches."""
        batch = cls._around(ObjectTable())
        batch.is_audio = audio
        for index in range(n_frames):
            batch.add_frame(pad_index=index, source_id=index)
        return batch

    @classmethod
    def _around(cls, objects: ObjectTable) -> BatchMetadata:
        batch = object.__new__(cls)
        batch.objects, batch.is_audio = objects, False
        batch.frames, batch.displays, batch.user, batch.extras = [], [], [], {}
        return batch

    def add_frame(self, **fields: Any) -> FrameMetadata:
        """Append a frame; fields as in `FrameMetadata` or `AudioFrameMetadata`, ``batch_id`` is its position."""
        row = len(self.frames)
        kind = AudioFrameMetadata if self.is_audio else FrameMetadata
        frame = kind._new(self.objects, row, **{**fields, "batch_id": row})
        self.frames.append(frame)
        return frame

    @property
    def n_frames(self) -> int:
        """Number of frames in the batch."""
        return len(self.frames)

    @property
    def frame_items(self) -> Iterator[FrameMetadata]:
        """The frames, a new iterator each time; none in a batch of audio."""
        return iter([] if self.is_audio else self.frames)

    @property
    def audio_frame_items(self) -> Iterator[AudioFrameMetadata]:
        """The frames of a batch of audio, a new iterator each time; none in a batch of pictures."""
        return iter([frame for frame in self.frames if isinstance(frame, AudioFrameMetadata)])

    @property
    def preprocess_batch_items(self) -> Iterator[PreprocessBatchUserMetadata]:
        """Tensors made ahead of a model, with their regions; a new iterator each time."""
        return iter([meta for meta in self.user if isinstance(meta, PreprocessBatchUserMetadata)])

    def acquire_object_meta(self) -> ObjectMetadata:
        """A new object with zero fields, an empty label and no track; drawn even if it is never appended."""
        return ObjectMetadata._at(self.objects, self.objects.add(1).start)

    def acquire_display_meta(self) -> DisplayMetadata:
        """A new, empty display meta; drawn even if it is never appended."""
        meta = DisplayMetadata._new()
        self.displays.append(meta)
        return meta

    def acquire_user_meta(self) -> UserMetadata:
        """A new user meta, to be appended to the frame, object or batch it belongs to."""
        return UserMetadata()

    def acquire_frame_meta(self) -> FrameMetadata:
        """A new frame at the end of the batch.

        Raises:
            TypeError: This is a batch of audio.
        """
        if self.is_audio:
            raise TypeError("a batch of audio takes no frames of pictures; its own are in audio_frame_items")
        return self.add_frame()

    def acquire_event_message_meta(self) -> EventMessageUserMetadata:
        """A new event message, to be filled and appended to the frame that it is about."""
        return EventMessageUserMetadata()

    def acquire_preprocess_batch_meta(self) -> PreprocessBatchUserMetadata:
        """A new meta for a tensor made ahead, to be appended to the batch."""
        return PreprocessBatchUserMetadata()

    def acquire_obj_reid_meta(self) -> ObjectReidUserMetadata:
        """A new re-identification vector, to be appended to an object."""
        return ObjectReidUserMetadata()

    def append(self, meta: UserMetadata) -> None:
        """Attach a user meta to the batch, a `PreprocessBatchUserMetadata` or any other.

        Raises:
            TypeError: Something else was given.
        """
        if not isinstance(meta, UserMetadata):
            raise TypeError("Invalid type for BatchMetadata.append")
        self.user.append(meta)

    def user_meta_items(self, meta_type: int) -> Iterator[UserMetadata]:
        """User metas of one type, a new iterator each time."""
        return of_type(self.user, meta_type)

    def retrieve_structure_usermeta(self, type_name: str) -> str:
        """The serialised ``GstStructure`` of this name among the user metas, empty when there is none."""
        return structure_of(self.user, type_name)

    def extract(self, max_items: int) -> list[dict[str, Any] | None]:
        """What was found in each frame, as plain data.

        Args:
            max_items: Length of the list; frames of later pads are left out.

        Returns:
            By pad index ``None`` or a dictionary: ``shape`` ``[h, w]``, ``bboxes`` ``[[left, top, right, bottom],
            ...]`` in whole pixels, ``probs``, ``labels`` (of each object: its own and those of its classifiers),
            ``seg_maps`` (int32 copies of instance masks and class maps), ``objects`` (track ids, -1 for none) and
            ``timestamp`` in ns. Audio has, besides, ``media_type`` and the fields of `AudioFrameMetadata`.
        """
        found: list[dict[str, Any] | None] = [None] * max_items
        for frame in self.frames:
            if frame.pad_index < max_items:
                found[frame.pad_index] = frame.to_item()
        return found

    def fork(self) -> BatchMetadata:
        """A copy that shares nothing that can be written; user data objects are shared."""
        copy = self._around(self.objects.fork())
        copy.is_audio, copy.extras = self.is_audio, copied(self.extras)
        copy.frames = [frame.fork(copy.objects) for frame in self.frames]
        copy.displays = [display.fork() for display in self.displays]
        copy.user = [meta.onto(copy) for meta in self.user]
        return copy

    def select(self, index: int) -> BatchMetadata:
        """The metadata of one frame as a batch of its own: copies of its objects and displays."""
        rows = self.objects.rows_of(index)
        copy = self._around(self.objects.select(rows))
        copy.is_audio, copy.extras = self.is_audio, copied(self.extras)
        copy.objects.column("frame")[:] = 0
        frame = self.frames[index].fork(copy.objects)
        frame._row = frame.batch_id = 0
        copy.frames = [frame]
        for display in self.displays:
            if display.frame == index:
                own = display.fork()
                own.frame = 0
                copy.displays.append(own)
        copy.user = [meta.onto(copy, [index], rows) for meta in self.user]
        return copy

    def to_dict(self) -> dict[str, Any]:
        """The batch as plain Python data, ready for JSON; boxes are left, top, width, height in pixels."""
        return {"frames": [self._frame_dict(frame) for frame in self.frames]}

    def _frame_dict(self, frame: FrameMetadata) -> dict[str, Any]:
        return {
            "source_id": frame.source_id,
            "pad_index": frame.pad_index,
            "frame_number": frame.frame_number,
            "pts": frame.buffer_pts,
            "ntp_timestamp": frame.ntp_timestamp,
            "width": frame.pipeline_width,
            "height": frame.pipeline_height,
            "objects": [
                _object_dict(self.objects, row) for row in self.objects.rows_of(frame.batch_id).tolist()
            ],
        }


def _object_dict(table: ObjectTable, row: int) -> dict[str, Any]:
    object_id = int(table.cell("object_id", row))
    return {
        "class_id": int(table.cell("class_id", row)),
        "label": table.cell("label", row),
        "confidence": float(table.cell("confidence", row)),
        "id": None if object_id == UNTRACKED else object_id,
        "box": table.cell("rect", row).tolist(),
        "component_id": int(table.cell("component_id", row)),
        "classifiers": [[label.label for label in meta.labels] for meta in table.classifiers.get(row, ())],
        **more_of(table, row),
    }


class Batch:
    """What rides on a batched buffer: the frames' pixels and their metadata.

    Attributes:
        meta: The metadata.
        surfaces: Pixels of the frames, in batch order; empty on a buffer that carries its own pixels.
    """

    __slots__ = ("meta", "surfaces")

    def __init__(self, meta: BatchMetadata, surfaces: Sequence[Surface] = ()) -> None:
        self.meta = meta
        self.surfaces = list(surfaces)

    def fork(self) -> Batch:
        """A copy for a copied buffer: own tables; pixels are shared until one side writes."""
        return Batch(self.meta.fork(), [surface.share() for surface in self.surfaces])

    def select(self, index: int) -> Batch:
        """One frame as a batch of its own; pixels are shared until one side writes."""
        if len(self.meta.frames) == 1:
            return self
        return Batch(self.meta.select(index), [self.surfaces[index].share()])


class SourceItems:
    """User metas of a single frame before it is batched; the muxer moves them to its metadata."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[UserMetadata]) -> None:
        self.items = list(items)

    def fork(self) -> SourceItems:
        """A copy for a copied buffer."""
        return SourceItems([item.copy() for item in self.items])
