"""Event messages and what they say of vehicles, persons and faces (pyds, §2.5)."""

from __future__ import annotations

from typing import Any

from headrace.compat.pyds.enums import NvDsEventType, NvDsObjectType
from headrace.compat.pyds.fields import (
    BufferField,
    EnumField,
    PartField,
    PointerField,
    Struct,
    TextField,
    number_field,
    whole_field,
)
from headrace.compat.pyds.memory import string_at, write_text
from headrace.compat.pyds.user import NvDsUserMeta, pooled
from headrace.meta.event import (
    Coordinate,
    EventMessage,
    EventType,
    Extension,
    Face,
    Location,
    ObjectType,
    Person,
    Rect,
    Vehicle,
    timestamp,
)
from headrace.meta.user import UserMetadata


class NvDsRect(Struct):
    """A box in pixels."""

    __slots__ = ()
    top, left, width, height = number_field(), number_field(), number_field(), number_field()


class NvDsGeoLocation(Struct):
    """A place on earth: degrees and metres."""

    __slots__ = ()
    lat, lon, alt = number_field(), number_field(), number_field()


class NvDsCoordinate(Struct):
    """A place in a local frame of reference."""

    __slots__ = ()
    x, y, z = number_field(), number_field(), number_field()


class NvDsObjectSignature(Struct):
    """A vector that describes an object; ``signature`` is the address of `alloc_buffer`'s memory, or 0."""

    __slots__ = ()
    signature: Any = BufferField()
    size = whole_field()


class NvDsVehicleObject(Struct):
    """What is known of a vehicle."""

    __slots__ = ()
    type: Any = TextField()
    make: Any = TextField()
    model: Any = TextField()
    color: Any = TextField()
    region: Any = TextField()
    license: Any = TextField()


class NvDsPersonObject(Struct):
    """What is known of a person."""

    __slots__ = ()
    gender: Any = TextField()
    hair: Any = TextField()
    cap: Any = TextField()
    apparel: Any = TextField()
    age = whole_field()


class NvDsFaceObject(Struct):
    """What is known of a face."""

    __slots__ = ()
    gender: Any = TextField()
    hair: Any = TextField()
    cap: Any = TextField()
    glasses: Any = TextField()
    facialhair: Any = TextField()
    name: Any = TextField()
    eyecolor: Any = TextField()
    age = whole_field()


class NvDsVehicleObjectExt(NvDsVehicleObject):
    """A vehicle with its outline."""

    __slots__ = ()
    mask: Any = PointerField()


class NvDsPersonObjectExt(NvDsPersonObject):
    """A person with an outline."""

    __slots__ = ()
    mask: Any = PointerField()


class NvDsFaceObjectWithExt(NvDsFaceObject):
    """A face with its outline."""

    __slots__ = ()
    mask: Any = PointerField()


class NvDsEventMsgMeta(Struct):
    """One event about one object; nvmsgconv makes a message of it.

    Example:
        >>> event = NvDsEventMsgMeta()
        >>> event.objType, event.trackingId = NvDsObjectType.NVDS_OBJECT_TYPE_PERSON, 41
        >>> event.event_message().tracking_id
        41
    """

    __slots__ = ()
    type: Any = EnumField(NvDsEventType)
    objType: Any = EnumField(NvDsObjectType)
    bbox: Any = PartField(NvDsRect)
    location: Any = PartField(NvDsGeoLocation)
    coordinate: Any = PartField(NvDsCoordinate)
    objSignature: Any = PartField(NvDsObjectSignature)
    objClassId, sensorId, moduleId, placeId, componentId, frameId = (whole_field() for _ in range(6))
    confidence = number_field()
    trackingId = whole_field()
    ts: Any = BufferField()
    objectId: Any = TextField()
    sensorStr: Any = TextField()
    otherAttrs: Any = TextField()
    videoPath: Any = TextField()
    extMsg: Any = PointerField()
    extMsgSize = whole_field()

    def event_message(self) -> EventMessage:
        """The event as the message converter takes it."""
        box, place, spot = self.bbox, self.location, self.coordinate
        return EventMessage(
            type=EventType(int(self.type)),
            object_type=ObjectType(int(self.objType)),
            bbox=Rect(box.left, box.top, box.width, box.height),
            location=Location(place.lat, place.lon, place.alt),
            coordinate=Coordinate(spot.x, spot.y, spot.z),
            object_class_id=self.objClassId,
            sensor_id=self.sensorId,
            module_id=self.moduleId,
            place_id=self.placeId,
            component_id=self.componentId,
            frame_id=self.frameId,
            confidence=self.confidence,
            tracking_id=self.trackingId,
            ts=string_at(self.ts) or "",
            object_id=_text(self, "objectId"),
            sensor_str=_text(self, "sensorStr"),
            other_attrs=_text(self, "otherAttrs"),
            video_path=_text(self, "videoPath"),
            extension=_extension(self._values.get("extMsg")) if self.extMsgSize else None,
        )


class NvDsEvent(Struct):
    """An event and its metadata, as payload libraries take them."""

    __slots__ = ()
    eventType: Any = EnumField(NvDsEventType)
    metadata: Any = PointerField()


class NvDsPayload(Struct):
    """A message ready to be sent."""

    __slots__ = ()
    payload: Any = PointerField()
    payloadSize, componentId = whole_field(), whole_field()


class CustomDataStruct(Struct):
    """The sample structure for data of one's own."""

    __slots__ = ()
    structId = whole_field()
    message: Any = TextField()
    sampleInt = whole_field()


def alloc_nvds_vehicle_object() -> NvDsVehicleObject:
    """A new, empty vehicle."""
    return NvDsVehicleObject()


def alloc_nvds_person_object() -> NvDsPersonObject:
    """A new, empty person."""
    return NvDsPersonObject()


def alloc_nvds_face_object() -> NvDsFaceObject:
    """A new, empty face."""
    return NvDsFaceObject()


def alloc_nvds_event() -> NvDsEvent:
    """A new, empty event."""
    return NvDsEvent()


def alloc_nvds_payload() -> NvDsPayload:
    """A new, empty payload."""
    return NvDsPayload()


def alloc_nvds_event_msg_meta(user_meta: NvDsUserMeta | None = None) -> NvDsEventMsgMeta:
    """A new, empty event message, which will be copied and freed with the user meta.

    Args:
        user_meta: The meta that it will be assigned to; without it (older programs) functions given to
            `user_copyfunc` say what happens.
    """
    if user_meta is not None:
        _own(user_meta, "alloc_nvds_event_msg_meta")
    return NvDsEventMsgMeta()


def alloc_custom_struct(user_meta: NvDsUserMeta) -> CustomDataStruct:
    """A new, empty `CustomDataStruct`, which will be copied and freed with the user meta."""
    _own(user_meta, "alloc_custom_struct")
    return CustomDataStruct()


def generate_ts_rfc3339(buffer: int, size: int) -> None:
    """Write the time of day in UTC, such as ``2026-03-04T05:06:07.089Z``, into memory of `alloc_buffer`.

    Raises:
        ValueError: No buffer of this size lives at the address.
    """
    write_text(buffer, timestamp(), size)


def _own(user_meta: NvDsUserMeta, function: str) -> None:
    meta = pooled(user_meta, function)
    meta.copies, meta.releases = _copy_struct, None


def _copy_struct(meta: UserMetadata) -> Any:
    return meta.data._duplicate() if isinstance(meta.data, Struct) else meta.data


def _text(struct: Struct, name: str) -> str:
    return str(struct._values.get(name, ""))


def _extension(thing: Any) -> Extension | None:
    for kind, record in ((NvDsVehicleObject, Vehicle), (NvDsPersonObject, Person), (NvDsFaceObject, Face)):
        if isinstance(thing, kind):
            known = {name: thing._values[name] for name in record.__slots__ if name in thing._values}
            plain: dict[str, Any] = {
                name: value if name == "age" else str(value) for name, value in known.items()
            }
            return record(**plain)
    return None
