"""The metadata of one frame of audio in a batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from headrace.meta.frame import FrameMetadata
from headrace.meta.objects import ObjectTable
from headrace.meta.user import ClassifierMetadata, UserMetadata


class AudioFrameMetadata(FrameMetadata):
    """Samples of one source and what a classifier heard in them (contract §4.3).

    From `BatchMetadata.audio_frame_items`. What a frame of pictures has besides (sizes, objects) is empty.

    Attributes:
        sample_rate: Samples a second.
        num_channels: Channels.
        num_samples_per_frame: Samples of one channel.
        format: The number of the sample format (``GstAudioFormat``).
        layout: 0 for interleaved channels, 1 for one after the other.
        class_id: The class that was heard.
        confidence: Of that class, 0-1.
        class_label: Its name, empty for none.
        classifiers: Results of further classifiers.

    Example:
        >>> from headrace.meta import BatchMetadata
        >>> batch = BatchMetadata.new(1, audio=True)
        >>> frame = next(batch.audio_frame_items)
        >>> frame.sample_rate, frame.class_label, list(batch.frame_items)
        (0, '', [])
    """

    __slots__ = (
        "class_id", "class_label", "classifiers", "confidence", "format", "layout", "num_channels",
        "num_samples_per_frame", "sample_rate",
    )  # fmt: skip
    _defaults: ClassVar[dict[str, Any]] = {
        **FrameMetadata._defaults, "sample_rate": 0, "num_channels": 0, "num_samples_per_frame": 0, "format": 0,
        "layout": 0, "class_id": 0, "confidence": 0.0, "class_label": "",
    }  # fmt: skip

    sample_rate: int
    num_channels: int
    num_samples_per_frame: int
    format: int
    layout: int
    class_id: int
    confidence: float
    class_label: str
    classifiers: list[ClassifierMetadata]

    @classmethod
    def _new(cls, objects: ObjectTable, row: int, **fields: Any) -> AudioFrameMetadata:
        frame = super()._new(objects, row, **fields)
        frame.classifiers = []
        return frame

    def fork(self, objects: ObjectTable) -> AudioFrameMetadata:
        """A copy over another table."""
        copy = super().fork(objects)
        copy.classifiers = [meta.copy() for meta in self.classifiers]
        return copy

    @property
    def classifier_items(self) -> Iterator[ClassifierMetadata]:
        """Classifier results, a new iterator each time."""
        return iter(list(self.classifiers))

    def append(self, meta: UserMetadata) -> None:
        """Attach a user meta, an event message for example.

        Raises:
            TypeError: Something else was given.
        """
        if not isinstance(meta, UserMetadata):
            raise TypeError("Invalid type for AudioFrameMetadata.append")
        self.user.append(meta)

    def to_item(self) -> dict[str, Any]:
        """The frame as `BatchMetadata.extract` gives it."""
        heard = bool(self.class_label)
        groups = [[label.label for label in meta.labels] for meta in self.classifiers if meta.labels]
        item = {
            "media_type": "audio",
            "shape": [self.num_samples_per_frame, self.num_channels],
            "bboxes": [],
            "probs": [self.confidence] if heard else [],
            "labels": [[self.class_label], *groups] if heard else groups,
            "seg_maps": [],
            "objects": [self.class_id] if heard else [],
            "timestamp": self.buffer_pts,
        }
        return item | {name: getattr(self, name) for name in _EXTRACTED}

    def __repr__(self) -> str:
        return f"<AudioFrameMetadata source {self.source_id} frame {self.frame_number} {self.class_label!r}>"


_EXTRACTED = (
    "sample_rate", "num_channels", "num_samples_per_frame", "format", "layout", "infer_done", "class_id",
    "class_label", "confidence",
)  # fmt: skip
