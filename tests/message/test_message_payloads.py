import json
import re
import uuid

import numpy as np
import pytest

from headrace.errors import ConfigError
from headrace.message import (
    EventMessage,
    EventType,
    Face,
    FrameRecord,
    MessageConverter,
    MsgConvConfig,
    ObjectRecord,
    ObjectType,
    Person,
    Product,
    Rect,
    Vehicle,
    timestamp,
)
from headrace.message.outline import outline
from headrace.meta.osd import Mask

TS = "2026-03-04T05:06:07.089Z"
TRUCK = EventMessage(
    type=EventType.MOVING,
    object_type=ObjectType.VEHICLE,
    bbox=Rect(220.4, 90, 320, 320),
    tracking_id=41,
    frame_id=912,
    ts=TS,
    confidence=0.66,
    extension=Vehicle("truck", "maker-a", "m1", "white", "R1", "AB12CD"),
)
EXPECTED = {
    "mdsversion": "1.0",
    "@timestamp": TS,
    "place": {
        "id": "bay-3",
        "name": "Hall B",
        "type": "warehouse",
        "location": {"lat": 59.34, "lon": 18.07, "alt": 11.0},
        "aisle": {
            "id": "gate-2",
            "name": "left",
            "level": "ground",
            "coordinate": {"x": 7.0, "y": 8.0, "z": 0.5},
        },
    },
    "sensor": {
        "id": "dock-cam-07",
        "type": "Camera",
        "description": '"Loading dock, north side"',
        "location": {"lat": 59.33, "lon": 18.06, "alt": 12.0},
        "coordinate": {"x": 1.5, "y": 0.0, "z": 4.2},
    },
    "analyticsModule": {
        "id": "count-1",
        "description": '"Truck counting"',
        "source": "in-house",
        "version": "0.4",
    },
    "object": {
        "id": "41",
        "speed": 0.0,
        "direction": 0.0,
        "orientation": 0.0,
        "vehicle": {
            "type": "truck",
            "make": "maker-a",
            "model": "m1",
            "color": "white",
            "licenseState": "R1",
            "license": "AB12CD",
            "confidence": 0.66,
        },
        "bbox": {"topleftx": 220, "toplefty": 90, "bottomrightx": 540, "bottomrighty": 410},
        "location": {"lat": 0.0, "lon": 0.0, "alt": 0.0},
        "coordinate": {"x": 0.0, "y": 0.0, "z": 0.0},
        "pose": {},
    },
    "videoPath": "",
}


def order(value):
    """Names of all members, in the order in which they are written."""
    return [(key, order(inner)) for key, inner in value.items()] if isinstance(value, dict) else None


def change(event, **fields):
    known = {name: getattr(event, name) for name in EventMessage.__slots__}
    return EventMessage(**(known | fields))


@pytest.fixture
def full(keyfile):
    return MessageConverter(0, MsgConvConfig.load(keyfile), clock=lambda: 1_772_600_767_089_000_000)


def one(converter, event):
    (payload,) = converter.from_events([event])
    return json.loads(payload)


def test_the_full_schema_equals_the_contract(full):
    (payload,) = full.from_events([TRUCK])
    message = json.loads(payload)
    assert list(message) == [
        *("messageid", "mdsversion", "@timestamp", "place", "sensor", "analyticsModule", "object", "event"),
        "videoPath",
    ]
    assert uuid.UUID(message.pop("messageid")).version == 4
    event = message.pop("event")
    assert event["type"] == "moving"
    assert uuid.UUID(event["id"])
    assert message == EXPECTED
    assert order(message) == order(EXPECTED)
    assert payload.startswith(b'{\n  "messageid"'), "pretty-printed"


@pytest.mark.parametrize(
    ("event", "thing", "member", "keys"),
    [
        (EventType.MOVING, ObjectType.VEHICLE, "aisle", ["id", "name", "level"]),
        (EventType.STOPPED, ObjectType.PERSON, "aisle", ["id", "name", "level"]),
        (EventType.EMPTY, ObjectType.VEHICLE, "parkingSpot", ["id", "type", "level"]),
        (EventType.PARKED, ObjectType.VEHICLE, "parkingSpot", ["id", "type", "level"]),
        (EventType.ENTRY, ObjectType.PERSON, "entrance", ["name", "lane", "level"]),
        (EventType.EXIT, ObjectType.PERSON, "entrance", ["name", "lane", "level"]),
        (EventType.EXIT, ObjectType.VEHICLE, "aisle", ["id", "name", "level"]),
    ],
)
def test_the_place_depends_on_the_event(full, event, thing, member, keys):
    message = one(full, change(TRUCK, type=event, object_type=thing))
    assert list(message["place"][member]) == [*keys, "coordinate"]
    assert message["event"]["type"] == event.name.lower()


@pytest.mark.parametrize(
    ("thing", "extension", "member", "body"),
    [
        (
            ObjectType.PERSON,
            Person("female", "black", "none", "formal", 45),
            "person",
            {
                "age": 45,
                "gender": "female",
                "hair": "black",
                "cap": "none",
                "apparel": "formal",
                "confidence": 0.66,
            },
        ),
        (
            ObjectType.FACE_EXT,
            Face("male", "grey", "hat", "round", "beard", "Ann", "blue", 30),
            "face",
            {
                **{"age": 30, "gender": "male", "hair": "grey", "cap": "hat", "glasses": "round"},
                **{"facialhair": "beard", "name": "Ann", "eyecolor": "blue", "confidence": 0.66},
            },
        ),
        (
            ObjectType.PRODUCT,
            Product("b", "can", "round"),
            "product",
            {"brand": "b", "type": "can", "shape": "round"},
        ),
        (ObjectType.BAG, None, "bag", {"confidence": 0.66}),
        (
            ObjectType.VEHICLE,
            None,
            "vehicle",
            dict.fromkeys(["type", "make", "model", "color", "licenseState", "license"], "")
            | {"confidence": 1.0},
        ),
    ],
)
def test_the_object_body_depends_on_what_it_is(full, thing, extension, member, body):
    found = one(full, change(TRUCK, object_type=thing, extension=extension))["object"][member]
    assert found == body
    assert list(found) == list(body)


def test_optional_parts_appear_only_when_present(full):
    plain = one(full, TRUCK)["object"]
    rich = one(
        full,
        change(
            TRUCK,
            mask=((5.0, 6.0, 50.0, 60.0),),
            signature=(1.0, 2.0),
            embedding=(0.5,),
            pose={"nose": (1.0, 2.0, 0.9), "neck": (1.0, 2.0, 3.0, 0.8)},
        ),
    )["object"]
    assert rich.keys() - plain.keys() == {"maskoutline", "signature", "embedding"}
    assert rich["maskoutline"] == [[5.0, 6.0, 50.0, 60.0]]
    assert rich["embedding"] == {"embedding_length": 1, "embedding_vector": [0.5]}
    assert rich["pose"] == {
        "nose": {"x": 1.0, "y": 2.0, "confidence": 0.9},
        "neck": {"x": 1.0, "y": 2.0, "z": 3.0, "confidence": 0.8},
    }


def test_an_index_without_entry_leaves_null_members(full):
    message = one(full, change(TRUCK, sensor_id=3, place_id=4, module_id=5))
    assert (message["place"], message["sensor"], message["analyticsModule"]) == (None, None, None)


def test_one_message_per_event_in_full_and_one_per_frame_in_minimal(full):
    assert len(full.from_events([TRUCK, TRUCK])) == 2
    assert len(MessageConverter(1).from_events([TRUCK, TRUCK])) == 1
    assert full.from_events([]) == MessageConverter(1).from_events([]) == []


def test_the_minimal_schema_equals_the_contract(keyfile):
    person = change(
        TRUCK,
        object_type=ObjectType.PERSON,
        tracking_id=44,
        bbox=Rect(30, 25, 65, 215),
        confidence=0.58,
        extension=None,
    )
    truck = change(TRUCK, bbox=Rect(220, 90, 320, 320), mask=((5.0, 6.0, 50.0, 60.0),))
    (payload,) = MessageConverter(1, MsgConvConfig.load(keyfile)).from_events([truck, person])
    assert payload.decode() == (
        '{"version":"4.0","id":"912","@timestamp":"2026-03-04T05:06:07.089Z","sensorId":"dock-cam-07",'
        '"objects":["41|220|90|540|410|Vehicle|#|truck|maker-a|m1|white|AB12CD|R1|0.66",'
        '"44|30|25|95|240|Person|#|||||||0.58"],'
        '"masks":["41|1|5.0|6.0|50.0|60.0"]}'
    )


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (
            {"object_type": ObjectType.PERSON, "extension": Person("f", "black", "hat", "coat", 30)},
            "Person|#|f|30|black|hat|coat|0.66",
        ),
        (
            {"object_type": ObjectType.FACE, "extension": Face("m", "h", "c", "g", "fh", "n", "blue", 9)},
            "Face|#|m|9|h|c|g|fh|n||blue|0.66",
        ),
        ({"object_type": ObjectType.ROADSIGN, "extension": None}, "RoadSign|#|||||||0.66"),
        ({"object_type": ObjectType.UNKNOWN, "extension": None, "object_id": "dog"}, "dog|#|||||||0.66"),
        ({"object_type": ObjectType.CUSTOM, "extension": None}, "Unknown|#|||||||0.66"),
        ({"extension": None, "embedding": (0.5, 1.0)}, "Vehicle|#|||||||0.66|#|embedding|0.5,1"),
    ],
)
def test_minimal_object_lines(fields, line):
    (text,) = one(MessageConverter(1), change(TRUCK, bbox=Rect(1, 2, 3, 4), **fields))["objects"]
    assert text == f"41|1|2|4|6|{line}"


@pytest.mark.parametrize(
    ("sensor_str", "sensor_id", "expected"), [("cam", 0, "cam"), ("", 0, "dock-cam-07"), ("", 8, "0")]
)
def test_the_minimal_sensor_is_the_events_then_the_files_then_zero(keyfile, sensor_str, sensor_id, expected):
    converter = MessageConverter(1, MsgConvConfig.load(keyfile))
    assert one(converter, change(TRUCK, sensor_str=sensor_str, sensor_id=sensor_id))["sensorId"] == expected


FRAME = FrameRecord(
    source_id=0,
    frame_number=60,
    objects=(
        ObjectRecord(
            id=7,
            label="car",
            confidence=0.5,
            bbox=Rect(10, 20, 30, 40),
            classifiers=(("color", "red"), ("make", "m")),
        ),
        ObjectRecord(id=8, label="person", confidence=0.25, bbox=Rect(1.5, 2, 3, 4)),
    ),
    custom_messages=("hello",),
)


def test_the_full_schema_from_a_frame(full):
    messages = [json.loads(payload) for payload in full.from_frame(FRAME)]
    car, person = (message["object"] for message in messages)
    assert car["car"] == {"confidence": 0.5, "color": "red", "make": "m"}
    assert person["person"] == {"confidence": 0.25}
    assert car["location"] == car["coordinate"] == {}
    first = messages[0]
    assert first["@timestamp"] == TS
    assert first["event"]["type"] == ""
    assert first["customMessage"] == ["hello"]
    assert list(first["place"]["place-sub-field"]) == ["id", "name", "level", "coordinate"]
    assert first["sensor"]["id"] == "dock-cam-07"


def test_the_minimal_schema_from_a_frame():
    (payload,) = MessageConverter(1).from_frame(FRAME)
    message = json.loads(payload)
    assert message["sensorId"] == "0"
    assert message["objects"] == ["7|10|20|40|60|car|#|red|m|0.5", "8|1.5|2|4.5|6|person"]


def test_an_answer_is_a_message_of_its_own_in_both_schemas(full):
    answer = {"text": "Yes.", "data": {"open": True}, "object_id": None}
    message = json.loads(full.from_answer(0, 9, answer))
    assert (message["answer"], message["@timestamp"]) == (answer, TS)
    assert message["sensor"]["id"] == "dock-cam-07"
    assert "object" not in message
    message = json.loads(MessageConverter(1).from_answer(0, 9, answer))
    assert (message["answer"], message["id"], message["sensorId"]) == (answer, "9", "0")


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_772_600_767_089_999_999, "2026-03-04T05:06:07.089Z"),
        (1_709_164_800_001_000_000, "2024-02-29T00:00:00.001Z"),
    ],
)
def test_timestamps_have_milliseconds_and_z(ns, text):
    assert timestamp(ns) == text


def test_the_time_now_has_the_same_form():
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp())


def test_the_full_schema_needs_a_configuration():
    with pytest.raises(ConfigError, match="config"):
        MessageConverter(0)


@pytest.mark.parametrize("kind", [2, 256, 257, -1])
def test_unavailable_schemas_are_refused_by_number(kind):
    with pytest.raises(ConfigError, match=str(kind)):
        MessageConverter(kind)


def test_objects_carry_rotation_pose_outline_and_embedding():
    thing = ObjectRecord(
        id=3, label="boat", confidence=0.5, bbox=Rect(10, 20, 30, 40), rotation=12.5, embedding=(0.5, 1),
        pose=(("bow", (11.0, 22.0, 0.5)),), mask=((1.0, 2.0, 3.0, 4.0, 5.0, 6.0),),
    )  # fmt: skip
    frame = FrameRecord(source_id=0, frame_number=1, objects=(thing,))
    document = json.loads(MessageConverter(0, MsgConvConfig()).from_frame(frame)[0])["object"]
    assert document["bbox"]["rotation"] == 12.5
    assert document["pose"] == {"bow": {"x": 11, "y": 22, "confidence": 0.5}}
    assert document["maskoutline"] == [[1, 2, 3, 4, 5, 6]]
    assert document["embedding"] == {"embedding_length": 2, "embedding_vector": [0.5, 1]}
    document = json.loads(MessageConverter(1).from_frame(frame)[0])
    assert document["objects"] == [
        "3|10|20|40|60|boat|#|rotation|12.5|#|pose2D|bow,11,22,0.5|#|embedding|0.5,1"
    ]
    assert document["masks"] == ["3|1|1.0|2.0|3.0|4.0|5.0|6.0"]


def test_outlines_follow_the_mask():
    mask = np.zeros((20, 20), np.float32)
    mask[5:15, 5:15] = 1
    mask[0, 0] = 1  # a speck with no area is left out, or is small
    first, *rest = outline(Mask(0.5, mask), 100, 200, 40, 20)
    x, y = first[::2], first[1::2]
    assert (min(x), max(x), min(y), max(y)) == pytest.approx((110, 130, 205, 215), abs=1)
    assert len(first) == 8
    assert all(len(one) <= 8 for one in rest)
    assert outline(Mask(), 0, 0, 9, 9) == outline(Mask(0.5, np.zeros((4, 4), np.float32)), 0, 0, 9, 9) == ()
