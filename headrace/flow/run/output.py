"""The end of a run's pipeline: annotated video, events, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gi.repository import Gst

from headrace.errors import PipelineError
from headrace.flow.pipeline import Pipeline
from headrace.flow.run.config import RunConfig
from headrace.gst import payload
from headrace.gst.native import CLOCK_TIME_NONE, buffer_struct
from headrace.gst.structures import structure_of
from headrace.gst.threads import keep_thread_state
from headrace.message import EventMessage
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.user import MetaType, UserMetadata

#: Encoders of H.264 in order of preference, and how each is set: good quality at the speed of a preview.
ENCODERS: dict[str, dict[str, Any]] = {
    "x264enc": {"speed-preset": "veryfast", "pass": "qual", "quantizer": 23, "key-int-max": 60},
    "openh264enc": {"rate-control": "quality", "bitrate": 4_000_000, "gop-size": 60, "complexity": "low"},
}
#: Picture size of several sources.
_TILED = (1280, 720)
#: Least nanoseconds between two pictures.
_STEP = 1_000_000
#: Settings of queues: batches own no pixels, so only their number says how much waits.
QUEUE = {"max-size-buffers": 4, "max-size-bytes": 0, "max-size-time": 0}


def choose_encoder() -> str:
    """Name of the H.264 encoder that is installed.

    Raises:
        PipelineError: There is none; says what to install.
    """
    for name in ENCODERS:
        if Gst.ElementFactory.find(name) is not None:
            return name
    raise PipelineError(
        f"no H.264 encoder for --out ({' or '.join(ENCODERS)}): apt install gstreamer1.0-plugins-ugly; "
        "see headrace doctor",
        "encoder",
    )


def add_video(pipeline: Pipeline, config: RunConfig, out: Path) -> str:
    """Add tiler, overlay, encoder and file; returns the name of the first element."""
    rows, columns = config.grid
    several = len(config.inputs) > 1
    width, height = config.picture_size or (_TILED if several else (0, 0))
    encoder = choose_encoder()
    pipeline.add("queue", "video_queue", QUEUE)
    pipeline.add(
        "nvmultistreamtiler", "tiler", {"rows": rows, "columns": columns, "width": width, "height": height}
    )
    pipeline.add("nvdsosd", "overlay", {"color-by-class": True})
    pipeline.add("nvvideoconvert", "converter")
    pipeline.add("capsfilter", "video_caps", {"caps": "video/x-raw,format=I420"})
    pipeline.add("queue", "encoder_queue", QUEUE)
    pipeline.add(encoder, "encoder", ENCODERS[encoder])
    pipeline.add("h264parse", "parser").add("mp4mux", "muxer")
    pipeline.add("filesink", "out", {"location": str(out), "sync": False, "async": False})
    pipeline.link(
        "video_queue", "tiler", "overlay", "converter", "video_caps", "encoder_queue", "encoder", "parser"
    )
    pipeline.link(("parser", "muxer"), ("src", "video_%u")).link("muxer", "out")
    _keep_even(pipeline["tiler"].element)
    _keep_forwards(pipeline["video_caps"].element.get_static_pad("sink"))
    return "video_queue"


def _keep_even(tiler: Gst.Element) -> None:
    """H.264 pictures have even sides: round those of the first source up before the tiler takes them over."""

    def on_event(_pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        keep_thread_state()
        event = info.get_event()
        if event.type != Gst.EventType.CAPS:
            return Gst.PadProbeReturn.OK
        structure = structure_of(event.parse_caps(), 0)
        for side in ("width", "height"):
            wanted = tiler.get_property(side) or structure.get_int(side)[1]
            tiler.set_property(side, max(wanted + wanted % 2, 16))
        return Gst.PadProbeReturn.REMOVE

    tiler.get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, on_event)


def _keep_forwards(pad: Gst.Pad) -> None:
    """Sources of different pace give pictures of the same time, which encoders cannot tell apart: make time go on."""
    last = -_STEP

    def on_buffer(_pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        nonlocal last
        keep_thread_state()
        fields = buffer_struct(hash(info.get_buffer()))
        unset = fields.pts == CLOCK_TIME_NONE
        last = fields.pts = last + _STEP if unset else max(fields.pts, last + _STEP)
        return Gst.PadProbeReturn.OK

    pad.add_probe(Gst.PadProbeType.BUFFER, on_buffer)


def add_events(
    pipeline: Pipeline, events: Path, sensors: Path, finish: Callable[[], list[EventMessage]]
) -> str:
    """Add message converter and broker; returns the name of the first element.

    Args:
        pipeline: What to add them to.
        events: File that gets the messages.
        sensors: Configuration of the converter.
        finish: Called at end of stream: events that are still to be sent.
    """
    pipeline.add("queue", "events_queue", QUEUE)
    pipeline.add("nvmsgconv", "messages", {"config": str(sensors), "payload-type": 0})
    pipeline.add(
        "nvmsgbroker", "events", {"proto-lib": "file", "conn-str": str(events.resolve()), "sync": False}
    )
    pipeline["events"].element.set_property("async", False)
    pipeline.link("events_queue", "messages", "events")
    _send_last(pipeline["events_queue"].element.get_static_pad("src"), finish)
    return "events_queue"


def _send_last(pad: Gst.Pad, finish: Callable[[], list[EventMessage]]) -> None:
    """Put a last batch, without frames but with what `finish` returns, before the end of stream."""

    def on_event(pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        keep_thread_state()
        if info.get_event().type == Gst.EventType.EOS:
            events = finish()
            if events:
                buffer = Gst.Buffer.new()
                payload.attach(hash(buffer), _batch_of(events))
                pad.get_peer().chain(buffer)  # the pad itself takes nothing any more
        return Gst.PadProbeReturn.OK

    pad.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, on_event)


def _batch_of(events: list[EventMessage]) -> Batch:
    meta = BatchMetadata.new()
    frame = meta.add_frame(frame_number=-1)  # of no frame in particular
    for event in events:
        frame.append(UserMetadata(MetaType.EVENT_MSG, event))
    return Batch(meta)
