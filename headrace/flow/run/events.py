"""Events of a run: which tracked object came into view and which left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headrace import __name__ as package
from headrace.flow.objects.operators import BatchMetadataOperator
from headrace.gst.native import CLOCK_TIME_NONE
from headrace.message import EventMessage, EventType, ObjectType, Rect, timestamp
from headrace.meta.batch import BatchMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.objects import UNTRACKED
from headrace.meta.user import MetaType, UserMetadata

#: A track that was not seen for so long has left, in ns of the source's time.
ABSENCE = 1_000_000_000
_KINDS = {
    ObjectType.VEHICLE: ("vehicle", "car", "truck", "bus", "van", "train", "boat", "airplane"),
    ObjectType.BICYCLE: ("bicycle", "motorcycle", "motorbike", "two-wheeler", "twowheeler"),
    ObjectType.PERSON: ("person", "pedestrian", "people"),
    ObjectType.FACE: ("face",),
    ObjectType.BAG: ("bag", "handbag", "backpack", "suitcase"),
    ObjectType.ROADSIGN: ("road sign", "roadsign", "stop sign", "traffic sign"),
}
_KIND_OF = {label: kind for kind, labels in _KINDS.items() for label in labels}


@dataclass(slots=True)
class _Present:
    """A track in view: its latest sighting as an event, and when that was."""

    sighting: EventMessage
    time: int


class Presence(BatchMetadataOperator):
    """Attaches an ENTRY event to the frame where a track is first seen, and an EXIT event once it has left.

    A track has left when it was not seen for a second of its source's time, or when the run ends (`finish`). The EXIT
    event tells box, frame and wall clock of the last sighting.

    Args:
        names: Name of each source, told with its events.

    Example:
        >>> from headrace.meta import Detections
        >>> presence = Presence(["gate"])
        >>> batch = BatchMetadata.new(1)
        >>> frame = next(batch.frame_items)
        >>> _ = frame.add_detections(Detections([[0, 0, 9, 9]], track_id=[7]), labels=("person",))
        >>> presence.handle_metadata(batch)
        >>> [event.data.type.name for event in frame.user], [event.type.name for event in presence.finish()]
        (['ENTRY'], ['EXIT'])
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._present: dict[int, dict[int, _Present]] = {}

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Note who is in the frames of one batch."""
        for frame in batch_meta.frame_items:
            for event in self._update(frame):
                frame.append(UserMetadata(MetaType.EVENT_MSG, event))

    def finish(self) -> list[EventMessage]:
        """The run ends: EXIT events of everybody still in view."""
        left = [one.sighting for tracks in self._present.values() for one in tracks.values()]
        self._present.clear()
        return [replace(event, type=EventType.EXIT) for event in left]

    def _update(self, frame: FrameMetadata) -> list[EventMessage]:
        tracks = self._present.setdefault(frame.source_id, {})
        now = 0 if frame.buffer_pts == CLOCK_TIME_NONE else frame.buffer_pts
        events = []
        for event in self._sightings(frame):
            if event.tracking_id not in tracks:
                events.append(event)
            tracks[event.tracking_id] = _Present(event, now)
        gone = [track for track, one in tracks.items() if now - one.time >= ABSENCE]
        return events + [replace(tracks.pop(track).sighting, type=EventType.EXIT) for track in gone]

    def _sightings(self, frame: FrameMetadata) -> list[EventMessage]:
        table = frame.table
        rows = table.rows_of(frame.batch_id)
        rows = rows[table.column("object_id")[rows] != UNTRACKED]
        if not len(rows):
            return []
        ts = timestamp(frame.ntp_timestamp or None)
        names = ("object_id", "label", "class_id", "confidence", "rect", "component_id")
        columns = (table.column(name)[rows].tolist() for name in names)
        return [
            EventMessage(
                type=EventType.ENTRY, object_type=kind_of(label), tracking_id=track, object_id=label,
                object_class_id=class_id, confidence=confidence, bbox=Rect(*rect), component_id=component,
                frame_id=frame.frame_number, ts=ts, sensor_id=frame.source_id, place_id=frame.source_id,
                video_path=self._names[frame.source_id],
            )
            for track, label, class_id, confidence, rect, component in zip(*columns, strict=True)
        ]  # fmt: skip


def kind_of(label: str) -> ObjectType:
    """The message schema's kind of object for a label.

    Example:
        >>> kind_of("Truck").name, kind_of("zebra").name
        ('VEHICLE', 'UNKNOWN')
    """
    return _KIND_OF.get(label.lower().replace("_", " "), ObjectType.UNKNOWN)


def write_sensors(path: Path, names: Sequence[str]) -> None:
    """Write the message converter's configuration: a sensor and a place for each source.

    Args:
        path: The file.
        names: Name of each source.
    """
    groups = [
        f"[analytics0]\nenable=1\nid={package}\ndescription=tracks that come and go\nsource={package}\nversion=1"
    ]
    for index, name in enumerate(" ".join(name.split()) for name in names):
        groups.append(
            f"[sensor{index}]\nenable=1\ntype=Camera\nid=source-{index}\nlocation=0;0;0\ndescription={name}\n"
            "coordinate=0;0;0"
        )
        groups.append(
            f"[place{index}]\nenable=1\nid={index}\ntype=source\nname={name}\nlocation=0;0;0\ncoordinate=0;0;0"
        )
    path.write_text("\n\n".join(groups) + "\n", encoding="utf-8")
