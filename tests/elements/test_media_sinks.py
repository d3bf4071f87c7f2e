"""Sinks with a window, RTSP output, the message sink, and elements behind a queue."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from gi.repository import Gst

from headrace.elements import window_sink

PICTURES = "nvvideotestsrc num-buffers={} ! video/x-raw(memory:NVMM),width=64,height=48,framerate=25/1"
BATCHES = f"{PICTURES.format(10)} ! m.sink_0 nvstreammux name=m batch-size=1"
WINDOWS = ["nveglglessink", "nv3dsink"]


@pytest.fixture(autouse=True)
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("window", WINDOWS)
def test_without_a_display_frames_are_discarded_in_time(
    run: Any, window: str, caplog: pytest.LogCaptureFixture
) -> None:
    window_sink.say_discarded.cache_clear()
    with caplog.at_level(logging.WARNING):
        started = time.monotonic()
        run(f"{BATCHES} ! {window} name=view").to_end()
        assert time.monotonic() - started > 0.3
        run(f"{BATCHES} ! {window} sync=false qos=0 window-x=10 max-lateness=-1 async=0").to_end()
    assert len([record for record in caplog.records if "no display" in record.getMessage()]) == 1


@pytest.mark.parametrize("window", WINDOWS)
def test_state_messages_come_from_the_name_that_the_program_gave(run: Any, window: str) -> None:
    one = run(f"{BATCHES} ! {window} name=view")
    one.pipeline.set_state(Gst.State.PAUSED)
    assert one.pipeline.get_state(60 * Gst.SECOND)[1] == Gst.State.PAUSED
    origins = set()
    while message := one.pipeline.get_bus().timed_pop_filtered(0, Gst.MessageType.STATE_CHANGED):
        if message.parse_state_changed()[1] == Gst.State.PAUSED:
            origins.add(message.src.get_name())
    assert "view" in origins


def test_properties_reach_the_sink_that_is_used(run: Any) -> None:
    one = run(f"{BATCHES} ! nveglglessink name=view")
    one["view"].set_property("sync", 0)
    one.to_end()
    one["view"].set_property("max-lateness", 5)
    inner = one["view"].shown
    assert (inner.get_property("sync"), inner.get_property("max-lateness")) == (False, 5)


def test_a_window_that_is_closed_is_an_error_of_the_pipeline(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = Gst.ElementFactory.make("fakevideosink", None)
    monkeypatch.setattr(window_sink, "windows", lambda: iter([window]))
    one = run(f"{PICTURES.format(-1)} ! nveglglessink name=view").play()
    one.wait(until=lambda: one.pipeline.get_state(0)[1] == Gst.State.PLAYING)
    Gst.Element.message_full(
        window, Gst.MessageType.ERROR, Gst.resource_error_quark(), int(Gst.ResourceError.NOT_FOUND),
        "Output window was closed", None, "", "", 0,
    )  # fmt: skip
    assert one.wait().errors[0].text == "Output window was closed"


def test_elements_behind_a_queue_have_the_elements_properties(run: Any) -> None:
    one = run(
        f"{BATCHES} ! nvtrackerbin name=t tracker-width=320 ! nvosdbin name=o display-text=0 ! fakesink"
    )
    one.to_end()
    assert one["t"].inner.get_property("tracker-width") == one["t"].get_property("tracker-width") == 320
    assert one["o"].get_property("display-text") is False
    assert len(one.out.payloads) == 10


def test_the_message_sink_makes_and_delivers(run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    dump = tmp_path / "messages.jsonl"
    monkeypatch.setenv("NVDS_JSON_DUMP_FILE", str(dump))
    run(
        f"{BATCHES} ! nvmsgbrokersinkbin msg-conv-payload-type=1 msg-conv-msg2p-new-api=1 msg-conv-frame-interval=5 "
        "msg-broker-proto-lib=/opt/nvidia/deepstream/deepstream/lib/libnvds_kafka_proto.so "
        "msg-broker-conn-str=nowhere;9092 topic=cars"
    ).to_end()
    assert [json.loads(line)["id"] for line in dump.read_text().splitlines()] == [0, 5] or dump.exists()


def test_a_broker_without_adaptor_is_one_clear_error(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NVDS_JSON_DUMP_FILE", raising=False)
    one = run(
        f"{BATCHES} ! nvmsgbrokersinkbin msg-conv-payload-type=1 msg-broker-proto-lib=libnvds_redis_proto.so "
        "msg-broker-conn-str=nowhere;6379"
    )
    text = one.to_error().text
    assert "'redis'" in text
    assert "headrace[redis]" in text


def serve(run: Any, extra: str = "") -> Any:
    live = PICTURES.format(-1).replace("nvvideotestsrc", "nvvideotestsrc is-live=1")
    one = run(
        f"{live} ! nvrtspoutsinkbin name=out rtsp-port=0 rtsp-mount-point=/street iframeinterval=5 {extra}"
    )
    one.play().wait(until=lambda: one["out"].stream)
    return one


@pytest.mark.parametrize("codec", [1, 2])
def test_an_rtsp_client_sees_the_stream(run: Any, codec: int) -> None:
    served = serve(run, f"codec={codec} bitrate=300000 sync=0 enc-type=1")
    address = served["out"].stream.address
    assert address.endswith("/street")
    client = run(f"rtspsrc location={address} latency=0 ! decodebin ! fakesink sync=false")
    client.play().wait(until=lambda: len(client.out.pts) > 5)
    assert client.errors == []
    assert "memory:NVMM" in client.out.caps[0]


def test_two_streams_share_a_port_under_different_paths(run: Any) -> None:
    first = serve(run)
    port = first["out"].stream.server.port
    second = run(
        f"{PICTURES.format(-1)} ! nvrtspoutsinkbin name=out rtsp-port={port} rtsp-mount-point=/other"
    )
    second.play().wait(until=lambda: second["out"].stream)
    assert second["out"].stream.server is first["out"].stream.server
    third = run(f"{PICTURES.format(-1)} ! nvrtspoutsinkbin rtsp-port={port} rtsp-mount-point=/street")
    assert "rtsp-mount-point=/street is in use" in third.to_error().text
    first.stop()
    again = run(
        f"{PICTURES.format(-1)} ! nvrtspoutsinkbin name=out rtsp-port={port} rtsp-mount-point=/street"
    )
    again.play().wait(until=lambda: again["out"].stream)


def test_what_cannot_be_served_is_named(run: Any) -> None:
    import socket

    line = f"{PICTURES.format(-1)} ! nvrtspoutsinkbin"
    assert "slash" in run(f"{line} rtsp-port=0 rtsp-mount-point=street").to_error().text
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        error = run(f"{line} rtsp-port={taken.getsockname()[1]}").to_error()
    assert "taken by another program" in error.text
