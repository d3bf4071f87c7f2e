"""The full schema: one pretty-printed JSON document per event or object (contract: PAYLOAD_DEEPSTREAM)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from headrace.message.config import MsgConvConfig, Place
from headrace.message.records import FrameRecord, ObjectRecord
from headrace.meta.analytics import AnalyticsEvent
from headrace.meta.event import EventMessage, EventType, Face, ObjectType, Person, Product, Rect, Vehicle

Json = dict[str, Any]
SubPlace = tuple[str, tuple[str, ...]]

_VEHICLES = (ObjectType.VEHICLE, ObjectType.VEHICLE_EXT)
_PERSONS = (ObjectType.PERSON, ObjectType.PERSON_EXT)
_FACES = (ObjectType.FACE, ObjectType.FACE_EXT)
_PRODUCTS = (ObjectType.PRODUCT, ObjectType.PRODUCT_EXT)
_NAMED_EVENTS = frozenset(EventType) - {EventType.RESERVED, EventType.CUSTOM}
# Place sub-object by type of event: its name, and what the three place-sub-fields are called in it.
_AISLE = ("aisle", ("id", "name", "level"))
_SPOT = ("parkingSpot", ("id", "type", "level"))
_ENTRANCE = ("entrance", ("name", "lane", "level"))
_SUB_PLACES = {
    EventType.MOVING: _AISLE,
    EventType.STOPPED: _AISLE,
    EventType.EMPTY: _SPOT,
    EventType.PARKED: _SPOT,
    EventType.ENTRY: _ENTRANCE,
    EventType.EXIT: _ENTRANCE,
}


def encode(document: Json) -> bytes:
    """JSON with an indent of two blanks."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def event_payload(event: EventMessage, config: MsgConvConfig) -> bytes:
    """The message for one event.

    Example:
        >>> payload = event_payload(EventMessage(tracking_id=41), MsgConvConfig())
        >>> msgspec.json.decode(payload)["object"]["id"]
        '41'
    """
    sub = _SUB_PLACES.get(event.type)
    if sub is _ENTRANCE and event.object_type in _VEHICLES:
        sub = _AISLE
    document = _head(event.ts, config, event.place_id, event.sensor_id, event.module_id, sub)
    document["object"] = _event_object(event)
    name = event.type.name.lower() if event.type in _NAMED_EVENTS else ""
    document["event"] = {"id": str(uuid.uuid4()), "type": name}
    document["videoPath"] = event.video_path
    return encode(document)


def object_payload(frame: FrameRecord, thing: ObjectRecord, config: MsgConvConfig, ts: str) -> bytes:
    """The message for one object of a frame, from metadata (``msg2p-newapi``); ``ts`` is the wall clock."""
    source = frame.source_id
    sub = ("place-sub-field", ("id", "name", "level"))
    document = _head(ts, config, source, source, source, sub)
    body = {thing.label: {"confidence": thing.confidence} | dict(thing.classifiers)}
    document["object"] = {
        **_motion(thing.id),
        **body,
        "bbox": _bbox(thing.bbox) | ({"rotation": thing.rotation} if thing.rotation else {}),
        **_outline(thing.mask),
        "location": {},
        "coordinate": {},
        "pose": {name: _joint(joint) for name, joint in thing.pose},
        **_embedding(thing.embedding),
    }
    document["event"] = {"id": str(uuid.uuid4()), "type": ""}
    document["videoPath"] = ""
    if frame.custom_messages:
        document["customMessage"] = list(frame.custom_messages)
    return encode(document)


def answer_payload(source: int, answer: Mapping[str, Any], config: MsgConvConfig, ts: str) -> bytes:
    """The message for one answer of a vision-language model; ``ts`` is the wall clock."""
    sub = ("place-sub-field", ("id", "name", "level"))
    return encode({**_head(ts, config, source, source, source, sub), "answer": dict(answer)})


def analytics_payload(event: AnalyticsEvent, config: MsgConvConfig, ts: str) -> bytes:
    """The message for one event of analytics; its id is the event's, so that a replay gives the same."""
    source = event.source_id
    head = _head(ts, config, source, source, source, ("place-sub-field", ("id", "name", "level")))
    return encode({**head, "messageid": event.id, "event": event.to_dict()})


def _head(ts: str, config: MsgConvConfig, place: int, sensor: int, module: int, sub: SubPlace | None) -> Json:
    return {
        "messageid": str(uuid.uuid4()),
        "mdsversion": "1.0",
        "@timestamp": ts,
        "place": _place(config.place(place), sub),
        "sensor": config.sensor(sensor),
        "analyticsModule": config.module(module),
    }


def _place(place: Place | None, sub: SubPlace | None) -> Json | None:
    if place is None:
        return None
    out: Json = {"id": place.id, "name": place.name, "type": place.type, "location": place.location}
    if sub is not None:
        name, keys = sub
        out[name] = dict(zip(keys, place.sub_fields, strict=True)) | {"coordinate": place.coordinate}
    return out


def _motion(tracking_id: int) -> Json:
    return {"id": str(tracking_id), "speed": 0.0, "direction": 0.0, "orientation": 0.0}


def _bbox(box: Rect) -> Json:
    return {
        "topleftx": int(box.left),
        "toplefty": int(box.top),
        "bottomrightx": int(box.left + box.width),
        "bottomrighty": int(box.top + box.height),
    }


def _embedding(vector: Sequence[float]) -> Json:
    if not vector:
        return {}
    return {"embedding": {"embedding_length": len(vector), "embedding_vector": list(vector)}}


def _outline(polygons: Sequence[Sequence[float]]) -> Json:
    return {"maskoutline": [list(polygon) for polygon in polygons]} if polygons else {}


def _event_object(event: EventMessage) -> Json:
    out = {**_motion(event.tracking_id), **_body(event), "bbox": _bbox(event.bbox), **_outline(event.mask)}
    if event.signature:
        out["signature"] = list(event.signature)
    out["location"] = event.location
    out["coordinate"] = event.coordinate
    out["pose"] = {name: _joint(joint) for name, joint in event.pose.items()}
    return out | _embedding(event.embedding)


def _joint(joint: tuple[float, ...]) -> Json:
    *place, confidence = joint
    return dict(zip(("x", "y", "z"), place, strict=False)) | {"confidence": confidence}


def _body(event: EventMessage) -> Json:
    """The member that says what the object is; empty attributes and full confidence without an extension."""
    known = event.extension
    confidence = {"confidence": 1.0 if known is None else event.confidence}
    if event.object_type in _VEHICLES:
        car = known if isinstance(known, Vehicle) else Vehicle()
        look = {"type": car.type, "make": car.make, "model": car.model, "color": car.color}
        return {"vehicle": look | {"licenseState": car.region, "license": car.license} | confidence}
    if event.object_type in _PERSONS:
        person = known if isinstance(known, Person) else Person()
        return {"person": {"age": person.age, **asdict(person)} | confidence}
    if event.object_type in _FACES:
        face = known if isinstance(known, Face) else Face()
        return {"face": {"age": face.age, **asdict(face)} | confidence}
    if event.object_type in _PRODUCTS:
        return {"product": asdict(known if isinstance(known, Product) else Product())}
    return {event.object_id or event.object_type.name.lower(): {"confidence": event.confidence}}
