"""Event messages: what happened to which object, as a record that message converters take."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import IntEnum
from functools import lru_cache

import msgspec


class EventType(IntEnum):
    """What happened (contract: NvDsEventType)."""

    ENTRY = 0
    EXIT = 1
    MOVING = 2
    STOPPED = 3
    EMPTY = 4
    PARKED = 5
    RESET = 6
    RESERVED = 0x100
    CUSTOM = 0x101


class ObjectType(IntEnum):
    """What it happened to (contract: NvDsObjectType)."""

    VEHICLE = 0
    PERSON = 1
    FACE = 2
    BAG = 3
    BICYCLE = 4
    ROADSIGN = 5
    VEHICLE_EXT = 6
    PERSON_EXT = 7
    FACE_EXT = 8
    THREE_D = 9
    DUMMY = 10
    PRODUCT = 11
    PRODUCT_EXT = 12
    RESERVED = 0x100
    CUSTOM = 0x101
    UNKNOWN = 0x102


class Rect(msgspec.Struct, frozen=True, gc=False):
    """A box in pixels."""

    left: float = 0.0
    top: float = 0.0
    width: float = 0.0
    height: float = 0.0


_NOWHERE = Rect()


@dataclass(frozen=True, slots=True)
class Location:
    """A place on earth: degrees and metres."""

    lat: float = 0.0
    lon: float = 0.0
    alt: float = 0.0


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A place in a local frame of reference, in that frame's units."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0


@dataclass(frozen=True, slots=True)
class Vehicle:
    """What is known of a vehicle; ``region`` is that of the licence plate."""

    type: str = ""
    make: str = ""
    model: str = ""
    color: str = ""
    region: str = ""
    license: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a person; ``age`` in years."""

    gender: str = ""
    hair: str = ""
    cap: str = ""
    apparel: str = ""
    age: int = 0


@dataclass(frozen=True, slots=True)
class Face:
    """What is known of a face; ``age`` in years."""

    gender: str = ""
    hair: str = ""
    cap: str = ""
    glasses: str = ""
    facialhair: str = ""
    name: str = ""
    eyecolor: str = ""
    age: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """What is known of a product."""

    brand: str = ""
    type: str = ""
    shape: str = ""


Extension = Vehicle | Person | Face | Product


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMessage:
    """One event about one object; the fields of DeepStream's event message (contract: pyds, message schema).

    Attributes:
        type, object_type: What happened to what.
        bbox: The object's box in source pixels.
        sensor_id, place_id, module_id: Index of the entry of the configuration that describes each.
        component_id: The component that made the event.
        tracking_id: The object's track, written as is.
        ts: RFC 3339 text, see `timestamp`.
        object_id: Label of the object.
        sensor_str: Name of the sensor, used where it is set instead of the configuration's.
        extension: Attributes, of the class that fits ``object_type``.
        mask: Outline as polygons, each x, y, x, y, ... in pixels.
        signature, embedding: Vectors that describe the object's looks.
        pose: ``(x, y, confidence)`` or ``(x, y, z, confidence)`` by name of the joint.

    Example:
        >>> EventMessage(type=EventType.MOVING, tracking_id=41, bbox=Rect(220, 90, 320, 320)).object_type.name
        'VEHICLE'
    """

    type: EventType = EventType.ENTRY
    object_type: ObjectType = ObjectType.VEHICLE
    bbox: Rect = _NOWHERE
    location: Location = Location()
    coordinate: Coordinate = Coordinate()
    object_class_id: int = 0
    sensor_id: int = 0
    module_id: int = 0
    place_id: int = 0
    component_id: int = 0
    frame_id: int = 0
    confidence: float = 0.0
    tracking_id: int = 0
    ts: str = ""
    object_id: str = ""
    sensor_str: str = ""
    other_attrs: str = ""
    video_path: str = ""
    extension: Extension | None = None
    mask: tuple[tuple[float, ...], ...] = ()
    signature: tuple[float, ...] = ()
    embedding: tuple[float, ...] = ()
    pose: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def timestamp(ns: int | None = None) -> str:
    """RFC 3339 in UTC with milliseconds, such as ``2026-03-04T05:06:07.089Z``.

    Args:
        ns: Nanoseconds since 1970; now when left out.

    Example:
        >>> timestamp(1_772_600_767_089_999_999)
        '2026-03-04T05:06:07.089Z'
    """
    seconds, rest = divmod(time.time_ns() if ns is None else ns, 1_000_000_000)
    return f"{_whole_second(seconds)}.{rest // 1_000_000:03d}Z"


@lru_cache(maxsize=1)
def _whole_second(seconds: int) -> str:
    """Remembered, because a second has many frames."""
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}"
