"""The user meta that carries an event message, and how one is filled from an object or from audio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.meta.audio import AudioFrameMetadata
from headrace.meta.event import (
    EventMessage,
    EventType,
    ObjectType,
    Rect,
    Vehicle,
    timestamp,
)
from headrace.meta.frame import FrameMetadata
from headrace.meta.object import ObjectMetadata
from headrace.meta.user import MetaType, UserMetadata

_KINDS = {
    "car": (EventType.MOVING, ObjectType.VEHICLE),
    "person": (EventType.ENTRY, ObjectType.PERSON),
    "face": (EventType.ENTRY, ObjectType.FACE),
    "bag": (EventType.ENTRY, ObjectType.BAG),
}
#: What classes are taken for when no labels are given: those of the usual traffic model.
_DEFAULT_LABELS = {0: "car", 2: "person"}
_UNKNOWN = (EventType.ENTRY, ObjectType.VEHICLE)
#: Attribute of a vehicle by the component that classifies it.
_VEHICLE_ATTRIBUTES = {4: "type", 5: "color", 6: "make"}


class EventMessageUserMetadata(UserMetadata):
    """An event about one object, to be appended to its frame (contract §4.5).

    From `BatchMetadata.acquire_event_message_meta`. Once filled, its data is an `EventMessage`, of which the
    message converter makes a message; it may also be set to an event of your own.

    Example:
        >>> from headrace.meta import BatchMetadata
        >>> batch = BatchMetadata.new(1)
        >>> obj, frame = batch.acquire_object_meta(), batch.frames[0]
        >>> obj.class_id, obj.label = 2, "pedestrian"
        >>> event = batch.acquire_event_message_meta()
        >>> event.generate(obj, frame, "gate camera", "file:///a.mp4")
        >>> frame.append(event)
        >>> event.data.object_type.name, event.data.object_id, event.data.sensor_str
        ('PERSON', 'pedestrian', 'gate camera')
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(MetaType.EVENT_MSG)

    def generate(
        self,
        object_meta: ObjectMetadata | None = None,
        frame_meta: FrameMetadata | str | None = None,
        sensor: str = "N/A",
        uri: str = "N/A",
        labels: Sequence[str] = (),
        *,
        audio_frame_meta: AudioFrameMetadata | None = None,
    ) -> None:
        """Fill the event from an object and its frame, or from a frame of audio.

        Args:
            object_meta: The object. May also be a frame of audio; sensor and uri then follow it.
            frame_meta: Its frame; source and pipeline size give the scale of the box.
            sensor: Name of the sensor.
            uri: Where the source comes from; with ``ipc://`` the time is the frame's, otherwise the wall clock.
            labels: Name of each class; ``car``, ``person``, ``face`` and ``bag`` have kinds of their own. Without
                labels class 0 is a car and class 2 a person.
            audio_frame_meta: The frame of audio, instead of object and frame.

        Raises:
            TypeError: Neither an object with its frame nor a frame of audio was given.
        """
        heard: Any = audio_frame_meta or object_meta
        if isinstance(heard, AudioFrameMetadata):
            if isinstance(frame_meta, str):  # positional: generate(audio_frame, sensor, uri)
                sensor, uri = frame_meta, uri if sensor == "N/A" else sensor
            self.data = _of_audio(heard, sensor, uri)
        elif isinstance(object_meta, ObjectMetadata) and isinstance(frame_meta, FrameMetadata):
            self.data = _of_object(object_meta, frame_meta, sensor, uri, labels)
        else:
            raise TypeError(
                "generate() takes an ObjectMetadata and its FrameMetadata, or an AudioFrameMetadata"
            )


def _of_object(
    obj: ObjectMetadata, frame: FrameMetadata, sensor: str, uri: str, labels: Sequence[str]
) -> EventMessage:
    kind = _kind(obj.class_id, labels)
    event_type, object_type = _KINDS.get(kind, _UNKNOWN)
    return EventMessage(
        type=event_type,
        object_type=object_type,
        bbox=_source_box(obj, frame),
        object_class_id=obj.class_id,
        frame_id=frame.frame_number,
        confidence=obj.confidence,
        tracking_id=obj.object_id,
        object_id=obj.label,
        extension=_extension(kind, obj),
        **_origin(frame, sensor, uri),
    )


def _of_audio(frame: AudioFrameMetadata, sensor: str, uri: str) -> EventMessage:
    return EventMessage(
        object_type=ObjectType.UNKNOWN,
        object_class_id=frame.class_id,
        frame_id=frame.frame_number,
        confidence=frame.confidence,
        object_id=frame.class_label,
        **_origin(frame, sensor, uri),
    )


def _origin(frame: FrameMetadata, sensor: str, uri: str) -> dict[str, Any]:
    source = frame.source_id
    ts = timestamp(frame.buffer_pts if uri.startswith("ipc://") else None)
    return {"sensor_id": source, "place_id": source, "module_id": source, "sensor_str": sensor, "ts": ts}


def _kind(class_id: int, labels: Sequence[str]) -> str:
    if labels:
        return labels[class_id].strip().lower() if class_id < len(labels) else ""
    return _DEFAULT_LABELS.get(class_id, "")


def _source_box(obj: ObjectMetadata, frame: FrameMetadata) -> Rect:
    """The object's box in pixels of the source; sizes that are not known count as equal."""
    across = frame.source_width / frame.pipeline_width if frame.source_width and frame.pipeline_width else 1.0
    down = (
        frame.source_height / frame.pipeline_height if frame.source_height and frame.pipeline_height else 1.0
    )
    box = obj.rect_params
    return Rect(box.left * across, box.top * down, box.width * across, box.height * down)


def _extension(kind: str, obj: ObjectMetadata) -> Vehicle | None:
    if kind != "car":
        return None
    found = {
        _VEHICLE_ATTRIBUTES[meta.unique_component_id]: meta.get_n_label(0)
        for meta in obj.classifier_items
        if meta.unique_component_id in _VEHICLE_ATTRIBUTES
    }
    return Vehicle(**found)
