"""Small pipelines, and what came out of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from gi.repository import Gst

import headrace  # noqa: F401 - registers the elements
from headrace.gst import payload
from headrace.gst.buffer import BufferRef
from headrace.gst.native import buffer_struct
from headrace.gst.structures import structure_of

KINDS = {
    Gst.MessageType.ERROR: "error",
    Gst.MessageType.WARNING: "warning",
    Gst.MessageType.EOS: "eos",
    Gst.MessageType.ELEMENT: "element",
}


@dataclass
class Message:
    kind: str
    element: str
    text: str = ""
    debug: str = ""
    structure: Any = None


@dataclass
class Output:
    """What one sink got; payloads outlive their buffers here."""

    pts: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    payloads: list[Any] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    caps: list[str] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    held: list[BufferRef] = field(default_factory=list)

    @property
    def metas(self) -> list[Any]:
        return [one.meta for one in self.payloads]

    @property
    def frames(self) -> list[Any]:
        return [frame for meta in self.metas for frame in meta.frames]


class Run:
    """A pipeline whose fakesinks are recorded by name."""

    def __init__(self, line: str, keep_data: bool = False) -> None:
        self.pipeline = Gst.parse_launch(line)
        self.outputs: dict[str, Output] = {}
        self.messages: list[Message] = []
        self.handlers: list[tuple[Any, int]] = []
        iterator = self.pipeline.iterate_elements()
        while (step := iterator.next())[0] == Gst.IteratorResult.OK:
            if step[1].get_factory().get_name() == "fakesink":
                self.record(step[1], keep_data)

    def record(self, sink: Any, keep_data: bool = False, hold: bool = False) -> None:
        output = self.outputs.setdefault(sink.get_name(), Output())
        sink.set_property("signal-handoffs", True)

        def handoff(_sink: Any, buffer: Any, pad: Any) -> None:
            output.times.append(time.monotonic())
            output.pts.append(buffer_struct(hash(buffer)).pts)
            output.sizes.append(buffer.get_size())
            output.payloads.append(payload.find(hash(buffer)))
            output.caps.append(pad.get_current_caps().to_string())
            if hold:
                output.held.append(BufferRef.of(hash(buffer)))
            if keep_data:
                output.data.append(buffer.extract_dup(0, buffer.get_size()))

        self.handlers.append((sink, sink.connect("handoff", handoff)))

    def __getitem__(self, name: str) -> Any:
        return self.pipeline.get_by_name(name)

    @property
    def out(self) -> Output:
        return next(iter(self.outputs.values()))

    def play(self) -> Run:
        self.pipeline.set_state(Gst.State.PLAYING)
        return self

    def wait(self, until: Callable[[], bool] = lambda: False, timeout: float = 60.0) -> Run:
        """Until end of stream, an error, or the condition holds."""
        deadline = time.monotonic() + timeout
        bus = self.pipeline.get_bus()
        mask = Gst.MessageType(0)
        for kind in KINDS:
            mask |= kind
        while not until():
            message = bus.timed_pop_filtered(20 * Gst.MSECOND, mask)
            if message is not None:
                self.messages.append(read(message))
                if self.messages[-1].kind in ("eos", "error"):
                    return self
            assert time.monotonic() < deadline or until(), (
                f"nothing happened within {timeout} s: {self.messages}"
            )
        return self

    def stop(self) -> Run:
        self.pipeline.set_state(Gst.State.NULL)
        return self

    def to_end(self) -> Run:
        """Play to the end of stream; an error fails the test."""
        self.play().wait()
        self.stop()
        assert self.errors == []
        return self

    def to_error(self) -> Message:
        self.play().wait()
        self.stop()
        assert self.errors, f"no error: {self.messages}"
        return self.errors[0]

    def of(self, kind: str) -> list[Message]:
        return [message for message in self.messages if message.kind == kind]

    @property
    def errors(self) -> list[Message]:
        return self.of("error")


def read(message: Any) -> Message:
    kind, source = KINDS[message.type], message.src.get_name()
    if kind in ("error", "warning"):
        error, debug = message.parse_error() if kind == "error" else message.parse_warning()
        return Message(kind, source, error.message, debug or "")
    return Message(kind, source, structure=structure_of(message))


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MP4 of 30 frames, H.264, 64x48, 25 a second."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    line = "videotestsrc num-buffers=30 ! video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! x264enc"
    pipeline = Gst.parse_launch(f"{line} ! h264parse ! mp4mux ! filesink location={path}")
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    return path


@pytest.fixture
def run() -> Any:
    runs: list[Run] = []

    def make(line: str, keep_data: bool = False) -> Run:
        runs.append(Run(line, keep_data))
        return runs[-1]

    yield make
    for one in runs:
        one.stop()
        for sink, handler in one.handlers:
            sink.disconnect(handler)


class Feeder:
    """Pushes frames of one colour into an appsrc, timed at 25 per second."""

    def __init__(self, appsrc: Any, caps: str) -> None:
        self.appsrc, self.index = appsrc, 0
        appsrc.set_property("format", Gst.Format.TIME)
        self.set_caps(caps)

    def set_caps(self, caps: str) -> None:
        caps = caps if "framerate" in caps else f"{caps},framerate=25/1"
        self.appsrc.set_property("caps", Gst.Caps.from_string(caps))

    def push(self, data: bytes, pts: int | None = None) -> None:
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts = self.index * 40 * Gst.MSECOND if pts is None else pts
        buffer.duration = 40 * Gst.MSECOND
        self.index += 1
        assert self.appsrc.emit("push-buffer", buffer) == Gst.FlowReturn.OK

    def end(self) -> None:
        self.appsrc.emit("end-of-stream")


@pytest.fixture
def feed() -> type[Feeder]:
    return Feeder


@pytest.fixture
def model(tmp_path: Any) -> Callable[[str], str]:
    """Writes a model class into a file; returns what goes into the property `model`."""

    def write(body: str, base: str = "Detector") -> str:
        path = tmp_path / f"model{len(list(tmp_path.iterdir()))}.py"
        lines = "\n".join("    " + line for line in body.splitlines())
        path.write_text(
            "import sys, threading, time\nimport numpy as np\n"
            "from headrace import Classification, Classifier, Detections, Detector\n\n"
            f"class Model({base}):\n    labels = ('a', 'b')\n{lines}\n"
        )
        return f"{path}:Model"

    return write
