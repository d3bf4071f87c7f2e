"""Event messages that user code makes, on their way through the message converter, and frames' latency."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gi.repository import Gst

from headrace.meta.buffer import Buffer
from headrace.meta.user import MetaType

LINE = (
    "videotestsrc num-buffers=3 pattern=black ! video/x-raw,format=NV12,width=64,height=48,framerate=30/1 ! m.sink_0 "
    "nvstreammux name=m batch-size=1 width=32 height=24 ! identity name=here ! "
    "nvmsgconv payload-type=1 name=conv ! fakesink name=out"
)


def on_buffers(one: Any, handle: Any) -> None:
    def probe(_pad: Any, info: Any) -> Any:
        handle(Buffer(info.get_buffer()))
        return Gst.PadProbeReturn.OK

    one["conv"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, probe)


def test_an_event_of_an_object_becomes_one_message(run: Any) -> None:
    def handle(buffer: Buffer) -> None:
        batch = buffer.batch_meta
        for frame in batch.frame_items:
            obj = batch.acquire_object_meta()
            obj.class_id, obj.label, obj.object_id = 0, "car", 41
            obj.rect_params.width = 16
            frame.append(obj)
            for shown in frame.object_items:
                event = batch.acquire_event_message_meta()
                event.generate(shown, frame, "gate", "file:///a.mp4", ["car", "person"])
                frame.append(event)

    one = run(LINE)
    on_buffers(one, handle)
    one.to_end()
    for number, frame in enumerate(one.out.frames):
        (payload,) = frame.user_meta_items(MetaType.PAYLOAD)
        message = json.loads(payload.data)
        assert (message["id"], message["sensorId"], len(message["objects"])) == (str(number), "gate", 1)
        assert message["objects"][0].startswith("41|0|0|32|0|Vehicle")


@pytest.mark.parametrize("switch", ["0", "1"])
def test_latency_counts_from_the_muxer(run: Any, monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    monkeypatch.setenv("NVDS_ENABLE_LATENCY_MEASUREMENT", switch)
    found: list[Any] = []
    one = run(LINE)
    on_buffers(one, lambda buffer: found.extend(buffer.measure_latency()))
    one.to_end()
    assert [entry["frame_num"] for entry in found] == ([0, 1, 2] if switch == "1" else [])
    assert all(0 < entry["latency"] < 20_000 for entry in found)
