"""Programs that plug decoders by hand, add and remove sources while playing, and serve what they drew."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gi
import pytest
from chains import launch

import headrace  # noqa: F401 - registers the elements

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402 - the version must be chosen first


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """H.264 in MP4: two seconds, and so many that no test is still there at their end."""
    folder = tmp_path_factory.mktemp("media")
    for name, frames in (("short", 50), ("long", 4000)):
        launch(
            f"videotestsrc num-buffers={frames} ! video/x-raw,width=64,height=48,framerate=25/1 "
            f"! x264enc key-int-max=10 ! mp4mux ! filesink location={folder / name}.mp4"
        )
    return {name: folder / f"{name}.mp4" for name in ("short", "long")}


class Player:
    """A muxer, a tiler, an overlay and a window, with sources that come and go."""

    def __init__(self, window: str) -> None:
        self.pipeline = Gst.Pipeline.new("player")
        parts = [
            self.add(kind)
            for kind in ("nvstreammux", "nvmultistreamtiler", "nvvideoconvert", "nvdsosd", window)
        ]
        self.mux, self.tiler, _, self.osd, self.window = parts
        self.mux.set_property("batch-size", 2)
        self.mux.set_property("batched-push-timeout", 33000)
        for name, value in (("width", 128), ("height", 96)):
            self.mux.set_property(name, value)
            self.tiler.set_property(name, value)
        for first, second in itertools.pairwise(parts):
            first.link(second)
        self.window.set_property("sync", 1)
        self.window.set_property("qos", 0)
        self.sources: dict[int, Any] = {}
        self.decoders: list[str] = []
        self.frames = 0
        self.osd.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, self.count)
        self.loop = GLib.MainLoop()
        self.failure = ""
        self.ended: list[int] = []
        self.linked: dict[int, int] = {}  # source to frames that had come by then
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.message)

    def add(self, kind: str) -> Any:
        element = Gst.ElementFactory.make(kind, f"the-{kind}")
        self.pipeline.add(element)
        return element

    def count(self, _pad: Any, _info: Any) -> Any:
        self.frames += 1
        return Gst.PadProbeReturn.OK

    def message(self, _bus: Any, message: Any) -> None:
        structure = message.get_structure()
        if message.type == Gst.MessageType.EOS:
            self.loop.quit()
        elif message.type == Gst.MessageType.ERROR:
            self.failure = message.parse_error()[0].message
            self.loop.quit()
        elif message.type == Gst.MessageType.ELEMENT and structure.has_name("stream-eos"):
            found, stream = structure.get_uint("stream-id")
            if found:
                self.ended.append(stream)

    def plug(self, index: int, address: str) -> None:
        source = Gst.ElementFactory.make("uridecodebin", f"source-{index}")
        source.set_property("uri", address)
        source.connect("child-added", self.child)
        source.connect("pad-added", self.pad, index)
        self.sources[index] = source
        self.pipeline.add(source)
        source.sync_state_with_parent()

    def child(self, _proxy: Any, element: Any, name: str) -> None:
        if "decodebin" in name:
            element.connect("child-added", self.child)
        if name.startswith("nvv4l2decoder"):
            self.decoders.append(name)
            for option, value in (("drop-frame-interval", 0), ("num-extra-surfaces", 1), ("gpu_id", 0)):
                element.set_property(option, value)

    def pad(self, _source: Any, pad: Any, index: int) -> None:
        caps = pad.get_current_caps()
        if caps.get_structure(0).get_name().startswith("video") and caps.get_features(0).contains(
            "memory:NVMM"
        ):
            pad.link(self.mux.request_pad_simple(f"sink_{index}"))
            self.linked[index] = self.frames

    def unplug(self, index: int) -> None:
        source = self.sources.pop(index)
        source.set_state(Gst.State.NULL)
        sink = self.mux.get_static_pad(f"sink_{index}")
        sink.send_event(Gst.Event.new_flush_stop(False))
        self.mux.release_request_pad(sink)
        self.pipeline.remove(source)


@pytest.fixture
def player() -> Iterator[Player]:
    one = Player("nveglglessink")
    yield one
    one.pipeline.set_state(Gst.State.NULL)
    one.pipeline.get_bus().remove_signal_watch()


def test_sources_come_and_go_while_playing(player: Player, clips: dict[str, Path]) -> None:
    player.plug(0, clips["long"].as_uri())
    player.pipeline.set_state(Gst.State.PLAYING)

    def step() -> bool:
        """Each as soon as the source before it has shown some frames."""
        if player.frames > 10 and len(player.sources) < 2:
            player.plug(1, clips["short"].as_uri())
        elif 1 in player.linked and player.frames > player.linked[1] + 10:
            player.unplug(0)
            return False
        return True

    GLib.timeout_add(50, step)
    guard = threading.Timer(100, player.loop.quit)
    guard.start()
    player.loop.run()
    guard.cancel()
    assert player.failure == ""
    assert player.ended == [1]
    assert len(player.decoders) == 2
    assert player.frames > 50


def test_a_program_with_its_own_rtsp_server(clips: dict[str, Path]) -> None:
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GstRtspServer

    from headrace.elements.rtsp_server import free_udp_port

    port = free_udp_port()
    sender = Gst.parse_launch(
        f"uridecodebin uri={clips['long'].as_uri()} ! m.sink_0 nvstreammux name=m batch-size=1 width=128 height=96 "
        "! nvdsosd ! nvvideoconvert ! video/x-raw(memory:NVMM),format=I420 ! nvv4l2h264enc bitrate=400000 "
        f"iframeinterval=5 ! rtph264pay ! udpsink host=127.0.0.1 port={port} async=false sync=1"
    )
    context = GLib.MainContext.new()
    server = GstRtspServer.RTSPServer.new()
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(
        f'( udpsrc name=pay0 port={port} buffer-size=524288 caps="application/x-rtp, media=video, '
        'clock-rate=90000, encoding-name=(string)H264, payload=96" )'
    )
    factory.set_shared(True)
    server.get_mount_points().add_factory("/drawn", factory)
    server.attach(context)
    loop = GLib.MainLoop.new(context, False)
    threading.Thread(target=loop.run, daemon=True).start()
    sender.set_state(Gst.State.PLAYING)
    client = Gst.parse_launch(
        f"rtspsrc location=rtsp://127.0.0.1:{server.get_bound_port()}/drawn latency=0 ! rtph264depay ! h264parse "
        "! nvv4l2decoder ! fakesink name=end num-buffers=5 sync=false"
    )
    client.set_state(Gst.State.PLAYING)
    message = client.get_bus().timed_pop_filtered(
        100 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    for pipeline in (client, sender):
        pipeline.set_state(Gst.State.NULL)
    loop.quit()
    assert message is not None
    assert message.type == Gst.MessageType.EOS
