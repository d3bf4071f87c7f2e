"""Headrace's side of a comparison: ``python -m headrace.bench.playing JSON COUNTER`` with the fields of `Play`."""

from __future__ import annotations

import itertools
import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gi.repository import Gst

from headrace.elements import register_all
from headrace.errors import PipelineError
from headrace.frames import Frame
from headrace.gst import payload
from headrace.gst.threads import keep_thread_state, shorten_switch_interval
from headrace.infer import FrameBatch, InferOptions, load_model
from headrace.infer.options import parse_size
from headrace.meta import Batch
from headrace.source.batcher import file_batch

#: As in `headrace run`: batches own no pixels, so that only their number says how much waits.
_QUEUE = "queue max-size-buffers=4 max-size-bytes=0 max-size-time=0"
_EVENTS = (
    "nvmsgconv payload-type=1 msg2p-newapi=true frame-interval=1 ! nvmsgbroker proto-lib=file sync=false"
)


@dataclass(frozen=True)
class Play:
    """What is to be played.

    Attributes:
        clip: The file.
        streams: Number of streams that play it.
        model: The model.
        work: ``decode`` (GStreamer alone), ``model`` (preprocessing, model, suppression on 16 frames in memory, one
            thread), ``infer`` (the pipeline to hrinfer) or ``events`` (with tracker and messages to a file).
        settings: Properties of hrinfer.
    """

    clip: str
    streams: int
    model: str
    work: str
    settings: str = ""


def line(play: Play, folder: str) -> str:
    """The pipeline; the pad ``sink`` of the element ``end`` sees what is done.

    Example:
        >>> line(Play("a.mp4", 1, "m.onnx", "infer", "precision=f32"), "/tmp").partition("=-1 ! ")[2]
        'hrinfer model=m.onnx precision=f32 ! fakesink name=end sync=false nvurisrcbin uri=file:///a.mp4 ! m.sink_0'
    """
    uri = Path(play.clip).absolute().as_uri() if play.clip[0] == "/" else f"file:///{play.clip}"
    sources = " ".join(f"nvurisrcbin uri={uri} ! m.sink_{number}" for number in range(play.streams))
    rest = "fakesink name=end sync=false"
    if play.work == "events":
        rest = f"nvtracker ! identity name=end ! {_QUEUE} ! {_EVENTS} conn-str={folder}/events.jsonl"
    model = f"hrinfer model={play.model} {play.settings}".strip()
    mux = f"nvstreammux name=m batch-size={file_batch(play.streams)} batched-push-timeout=-1"
    return f"{mux} ! {model} ! {rest} {sources}"


def _decode(play: Play, done: Callable[[int], None]) -> None:
    source = f"filesrc location={play.clip} ! decodebin"
    text = " ".join(f"{source} ! fakesink name=end{n} sync=false" for n in range(play.streams))
    pipeline = Gst.parse_launch(text)
    for number in range(play.streams):
        _count(pipeline.get_by_name(f"end{number}"), lambda _buffer: done(1))
    _run(pipeline)


def _play(play: Play, done: Callable[[int], None], folder: str) -> None:
    shorten_switch_interval()
    pipeline = Gst.parse_launch(line(play, folder))

    def batch(buffer: Gst.Buffer) -> None:
        found = payload.find(hash(buffer))
        done(len(found.meta.frames) if isinstance(found, Batch) else 1)

    _count(pipeline.get_by_name("end"), batch)
    _run(pipeline)


def _count(element: Gst.Element, seen: Callable[[Gst.Buffer], None]) -> None:
    def probe(_pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        keep_thread_state()
        seen(info.get_buffer())
        return Gst.PadProbeReturn.OK

    element.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, probe)


def _run(pipeline: Gst.Pipeline) -> None:
    pipeline.set_state(Gst.State.PLAYING)
    kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, kinds)
    if message.type == Gst.MessageType.ERROR:
        error, debug = message.parse_error()
        raise PipelineError(error.message, message.src.get_name(), debug or "")
    pipeline.set_state(Gst.State.NULL)


def _model(play: Play, done: Callable[[int], None]) -> None:
    """One frame after the other from memory, as the stage of hrinfer does it."""
    settings = dict(word.split("=", 1) for word in play.settings.split())
    size = parse_size(settings.get("input-size", ""), "input-size")
    options = InferOptions(
        engine=settings.get("engine", "auto"), precision=settings.get("precision", "auto"), input_size=size
    )
    model = load_model(play.model, options)
    for frame in itertools.cycle(_frames(play.clip)):
        model.results(FrameBatch([frame]))
        done(1)


def _frames(clip: str, count: int = 16) -> list[Frame]:
    """The first frames of a clip, I420."""
    pipeline = Gst.parse_launch(
        f"filesrc location={clip} ! decodebin ! videoconvert ! video/x-raw,format=I420 ! "
        "appsink name=sink sync=false max-buffers=4"
    )
    sink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PLAYING)
    frames: list[Frame] = []
    while len(frames) < count and (sample := sink.emit("pull-sample")) is not None:
        shape = sample.get_caps().get_structure(0)
        width, height = shape.get_value("width"), shape.get_value("height")
        buffer = sample.get_buffer()
        data = np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.uint8)
        frames.append(_i420(data, width, height))
    pipeline.set_state(Gst.State.NULL)
    return frames


def _i420(data: np.ndarray[tuple[int], np.dtype[np.uint8]], width: int, height: int) -> Frame:
    """A frame from tightly packed planes; rows start at multiples of four bytes."""
    sides = [(width, height), *[((width + 1) // 2, (height + 1) // 2)] * 2]
    planes, start = [], 0
    for index, (columns, rows) in enumerate(sides):
        stride, lines = -(-columns // 4) * 4, rows if index else -(-rows // 2) * 2
        planes.append(data[start : start + stride * lines].reshape(lines, stride)[:rows, :columns])
        start += stride * lines
    return Frame("I420", width, height, tuple(planes))


def main() -> None:
    """Play what the command line says."""
    play, counter = Play(**json.loads(sys.argv[1])), np.memmap(sys.argv[2], "u8", "r+")
    lock = threading.Lock()

    def done(number: int) -> None:
        with lock:
            counter[0] += number

    register_all()
    if play.work in ("infer", "events"):
        _play(play, done, str(Path(sys.argv[2]).parent))
        return
    for name in ("nvv4l2decoder", "nvjpegdec"):  # decodebin is to take GStreamer's own
        Gst.ElementFactory.find(name).set_rank(Gst.Rank.NONE)
    {"decode": _decode, "model": _model}[play.work](play, done)


if __name__ == "__main__":
    main()
