"""Event messages, filled from objects and from audio."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from headrace.message import MessageConverter, MsgConvConfig
from headrace.meta import BatchMetadata, ClassifierMetadata, EventMessage, Label
from headrace.meta.event import EventType, ObjectType, Rect, Vehicle, timestamp

LABELS = ["person", "Car ", "face", "bag", "tree"]


def event_of(
    class_id: int, sensor: str = "N/A", uri: str = "N/A", labels: Any = (), **fields: Any
) -> EventMessage:
    batch = BatchMetadata.new(0)
    frame = batch.add_frame(
        source_id=3, pad_index=1, frame_number=77, source_width=1920, source_height=1080, pipeline_width=960,
        pipeline_height=540, buffer_pts=1_500_000_000,
    )  # fmt: skip
    obj = batch.acquire_object_meta()
    obj.class_id, obj.label, obj.confidence, obj.object_id = class_id, "thing", 0.5, 12
    obj.rect_params.left, obj.rect_params.top, obj.rect_params.width, obj.rect_params.height = 10, 20, 30, 40
    for name, value in fields.items():
        obj.append(ClassifierMetadata(int(name[1:]), "", [Label(value)]))
    meta = batch.acquire_event_message_meta()
    assert meta
    assert meta.meta_type == 9
    meta.generate(obj, frame, sensor, uri, labels)
    frame.append(meta)
    assert list(frame.user_meta_items(9)) == [meta]
    return meta.data


@pytest.mark.parametrize(
    ("class_id", "labels", "kind"),
    [
        (0, (), (EventType.MOVING, ObjectType.VEHICLE)),
        (1, (), (EventType.ENTRY, ObjectType.VEHICLE)),
        (2, (), (EventType.ENTRY, ObjectType.PERSON)),
        (0, LABELS, (EventType.ENTRY, ObjectType.PERSON)),
        (1, LABELS, (EventType.MOVING, ObjectType.VEHICLE)),
        (2, LABELS, (EventType.ENTRY, ObjectType.FACE)),
        (3, LABELS, (EventType.ENTRY, ObjectType.BAG)),
        (4, LABELS, (EventType.ENTRY, ObjectType.VEHICLE)),
        (99, LABELS, (EventType.ENTRY, ObjectType.VEHICLE)),
        (4294967295, LABELS, (EventType.ENTRY, ObjectType.VEHICLE)),
    ],
)
def test_the_kind_follows_the_class(class_id: int, labels: Any, kind: Any) -> None:
    event = event_of(class_id, labels=labels)
    assert (event.type, event.object_type) == kind
    assert event.extension == (Vehicle() if kind[0] == EventType.MOVING else None)


def test_fields_are_those_of_object_and_frame() -> None:
    event = event_of(1, "gate", "file:///x.mp4")
    assert event.bbox == Rect(20, 40, 60, 80)
    assert (event.tracking_id, event.confidence, event.frame_id, event.object_id) == (12, 0.5, 77, "thing")
    assert (event.sensor_id, event.place_id, event.module_id, event.sensor_str) == (3, 3, 3, "gate")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.ts)
    assert timestamp(time.time_ns() - 10**10) < event.ts <= timestamp()


def test_time_is_that_of_the_frame_between_processes() -> None:
    assert event_of(0, uri="ipc:///tmp/socket").ts == "1970-01-01T00:00:01.500Z"


def test_classifiers_become_attributes_of_a_car() -> None:
    event = event_of(0, _4="sedan", _5="red", _6="ford", _7="other")
    assert event.extension == Vehicle(type="sedan", color="red", make="ford")
    assert event_of(2, _4="sedan").extension is None


def test_sizes_that_are_not_known_do_not_scale() -> None:
    batch = BatchMetadata.new(1)
    obj, meta = batch.acquire_object_meta(), batch.acquire_event_message_meta()
    obj.rect_params.width = 5
    meta.generate(obj, batch.frames[0])
    assert (meta.data.bbox.width, meta.data.sensor_str) == (5, "N/A")


@pytest.mark.parametrize("words", ["positional", "named"])
def test_audio_gives_an_event_too(words: str) -> None:
    batch = BatchMetadata.new(1, audio=True)
    (frame,) = batch.audio_frame_items
    frame.class_label, frame.confidence, frame.frame_number = "siren", 0.75, 9
    meta = batch.acquire_event_message_meta()
    if words == "named":
        meta.generate(audio_frame_meta=frame, sensor="microphone", uri="ipc://a")
    else:
        meta.generate(frame, "microphone", "ipc://a")
    frame.append(meta)
    event = meta.data
    assert (event.object_id, event.confidence, event.frame_id, event.sensor_str) == (
        "siren",
        0.75,
        9,
        "microphone",
    )
    assert event.ts.startswith("1970")


def test_nothing_to_tell_is_refused() -> None:
    batch = BatchMetadata.new(1)
    with pytest.raises(TypeError, match="ObjectMetadata and its FrameMetadata"):
        batch.acquire_event_message_meta().generate(batch.acquire_object_meta())


@pytest.mark.parametrize("schema", [0, 1])
def test_converters_take_the_event(schema: int) -> None:
    payloads = MessageConverter(schema, MsgConvConfig()).from_events([event_of(0, _5="red")])
    assert len(payloads) == 1
    assert b"red" in payloads[0]
