"""The minimal schema: one compact JSON document per frame (contract: PAYLOAD_DEEPSTREAM_MINIMAL)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from headrace.message.config import MsgConvConfig
from headrace.message.records import FrameRecord, ObjectRecord
from headrace.meta.analytics import AnalyticsEvent
from headrace.meta.event import EventMessage, Extension, Face, ObjectType, Person, Rect, Vehicle

_TYPE_NAMES = {
    ObjectType.VEHICLE: "Vehicle",
    ObjectType.VEHICLE_EXT: "Vehicle",
    ObjectType.PERSON: "Person",
    ObjectType.PERSON_EXT: "Person",
    ObjectType.FACE: "Face",
    ObjectType.FACE_EXT: "Face",
    ObjectType.BAG: "Bag",
    ObjectType.BICYCLE: "Bicycle",
    ObjectType.ROADSIGN: "RoadSign",
    ObjectType.PRODUCT: "Product",
    ObjectType.PRODUCT_EXT: "Product",
}
Polygons = tuple[tuple[float, ...], ...]

_NO_ATTRIBUTES = "#||||||"


def events_payload(events: Sequence[EventMessage], config: MsgConvConfig | None) -> bytes:
    """The message for all events of one frame, at least one; the first one's time, sensor and frame count.

    Example:
        >>> events_payload([EventMessage(frame_id=9, ts="now", sensor_str="cam")], None)[:60]
        b'{"version":"4.0","id":"9","@timestamp":"now","sensorId":"cam'
    """
    first = events[0]
    sensor = first.sensor_str or _sensor_id(config, first.sensor_id)
    document: dict[str, Any] = _head(first.frame_id, first.ts, sensor)
    document["objects"] = [_event_line(event) for event in events]
    return _encoded(document, [(event.tracking_id, event.mask) for event in events if event.mask])


def frame_payload(frame: FrameRecord, config: MsgConvConfig | None, ts: str) -> bytes:
    """The message for one frame, as metadata has it (``msg2p-newapi``); ``ts`` is the wall clock."""
    document: dict[str, Any] = _head(frame.frame_number, ts, _sensor_id(config, frame.source_id))
    document["objects"] = [_object_line(thing) for thing in frame.objects]
    return _encoded(document, [(thing.id, thing.mask) for thing in frame.objects if thing.mask])


def _encoded(document: dict[str, Any], outlines: Sequence[tuple[int, Polygons]]) -> bytes:
    """The document, with the outlines of the objects that have one."""
    masks = [
        "|".join((str(identity), str(number), *(str(float(value)) for value in polygon)))
        for identity, polygons in outlines
        for number, polygon in enumerate(polygons, 1)
    ]
    if masks:
        document["masks"] = masks
    return msgspec.json.encode(document)


def answer_payload(
    source: int, frame: int, answer: Mapping[str, Any], config: MsgConvConfig | None, ts: str
) -> bytes:
    """The message for one answer of a vision-language model, about a frame; ``ts`` is the wall clock."""
    return msgspec.json.encode({**_head(frame, ts, _sensor_id(config, source)), "answer": dict(answer)})


def analytics_payload(event: AnalyticsEvent, config: MsgConvConfig | None, ts: str) -> bytes:
    """The message for one event of analytics; ``ts`` is the wall clock, or that of the source where it is known."""
    head = _head(event.frame_number, ts, _sensor_id(config, event.source_id))
    return msgspec.json.encode({**head, "event": event.to_dict()})


def _head(frame: int, ts: str, sensor: str) -> dict[str, Any]:
    return {"version": "4.0", "id": str(frame), "@timestamp": ts, "sensorId": sensor}


def _sensor_id(config: MsgConvConfig | None, index: int) -> str:
    sensor = None if config is None else config.sensor(index)
    return "0" if sensor is None else sensor.id


def _place(identity: int, box: Rect, name: str) -> str:
    left, top = box.left, box.top
    # For several numbers at once this is quicker than an f-string.
    return "%d|%g|%g|%g|%g|%s" % (identity, left, top, left + box.width, top + box.height, name)  # noqa: UP031


def _event_line(event: EventMessage) -> str:
    name = _TYPE_NAMES.get(event.object_type) or event.object_id or "Unknown"
    line = f"{_place(event.tracking_id, event.bbox, name)}|"
    line += f"{_attributes(event.extension)}|{event.confidence:g}"
    return line + _pose(event.pose.items()) + _embedding(event.embedding)


def _attributes(known: Extension | None) -> str:
    if isinstance(known, Vehicle):
        values = [known.type, known.make, known.model, known.color, known.license, known.region]
    elif isinstance(known, Person):
        values = [known.gender, str(known.age), known.hair, known.cap, known.apparel]
    elif isinstance(known, Face):
        values = [known.gender, str(known.age), known.hair, known.cap]
        values += [known.glasses, known.facialhair, known.name, "", known.eyecolor]
    elif known is not None:
        values = [known.brand, known.type, known.shape]
    else:
        return _NO_ATTRIBUTES
    return "#|" + "|".join(values)


def _object_line(thing: ObjectRecord) -> str:
    line = _place(thing.id, thing.bbox, thing.label)
    if thing.classifiers:
        line += "|#|" + "|".join(label for _, label in thing.classifiers) + f"|{thing.confidence:g}"
    if thing.rotation:
        line += f"|#|rotation|{thing.rotation:g}"
    if thing.pose or thing.embedding:
        line += _pose(thing.pose) + _embedding(thing.embedding)
    return line


def _pose(pose: Iterable[tuple[str, Sequence[float]]]) -> str:
    joints = [f"{name},{','.join(f'{value:g}' for value in joint)}" for name, joint in pose]
    return f"|#|pose2D|{'|'.join(joints)}" if joints else ""


def _embedding(vector: Sequence[float]) -> str:
    return f"|#|embedding|{','.join(f'{value:g}' for value in vector)}" if vector else ""
