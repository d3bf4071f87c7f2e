"""Coded video and sound into an MP4 or MKV file, beside the pipeline that they come from."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from gi.repository import Gst

from headrace.elements.base.parts import make
from headrace.errors import SourceError
from headrace.gst.native import buffer_struct
from headrace.gst.structures import structure_of

_MUXERS = {"mp4": "mp4mux", "mkv": "matroskamux"}
_PARSERS = {"video/x-h264": "h264parse", "video/x-h265": "h265parse"}
#: What comes over RTP has no decoding times; where frames are reordered, files need them.
#: The form of stream that muxers want is asked for before: these elements would let any other through.
_TIMESTAMPERS = {
    "video/x-h264": ("h264timestamper", "video/x-h264,stream-format=avc,alignment=au"),
    "video/x-h265": ("h265timestamper", "video/x-h265,stream-format=hvc1,alignment=au"),
}
_AUDIO_PARSERS = {1: "mpegaudioparse", 2: "aacparse", 4: "aacparse"}


class RecordingFile:
    """Writes coded frames as they come; nothing is encoded again.

    Args:
        path: The file; its folder must exist.
        session: Number of the recording.
        tracks: Caps of each track, ``video`` and perhaps ``audio``.
        ended: Called once, on a thread of its own, when the file is complete; with the error if it is not.

    Raises:
        PipelineError: An element is missing.
        SourceError: The file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        session: int,
        tracks: Mapping[str, Gst.Caps],
        ended: Callable[[RecordingFile, SourceError | None], None],
    ) -> None:
        self.path, self.session, self.tracks = path, session, tracks
        self._ended = ended
        self._pipeline = Gst.Pipeline.new(None)
        muxer = make(_MUXERS[path.suffix[1:]])
        sink = make("filesink", None, {"location": str(path), "async": False})
        for element in (muxer, sink):
            self._pipeline.add(element)
        muxer.link(sink)
        self._inputs = {name: self._input(caps, muxer) for name, caps in tracks.items()}
        self._first: int | None = None
        self._last = 0
        self._complete = threading.Event()
        if self._pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
            self._pipeline.set_state(Gst.State.NULL)
            raise SourceError(
                f"cannot record to {path}: check the folder, its permissions and the space left"
            )
        threading.Thread(target=self._wait, name="headrace-record", daemon=True).start()

    def _input(self, caps: Gst.Caps, muxer: Gst.Element) -> Gst.Element:
        source = make("appsrc", None, {"caps": caps, "format": Gst.Format.TIME, "max-bytes": 0})
        queue = make("queue", None, {"max-size-buffers": 0, "max-size-bytes": 0, "max-size-time": 0})
        steps = [source, queue, make(parser_of(caps)), *_timestamper(caps)]
        for element in steps:
            self._pipeline.add(element)
        for one, other in itertools.pairwise(steps):
            one.link(other)
        if not steps[-1].link(muxer):
            raise SourceError(
                f"cannot record to {self.path}: {caps.to_string()} does not fit into such a file"
            )
        return source

    @property
    def duration(self) -> int:
        """Nanoseconds of video so far."""
        return self._last - self._first if self._first is not None else 0

    def push(self, track: str, buffer: Gst.Buffer, time: int) -> None:
        """Take a frame, whose data is shared.

        Args:
            track: One of the tracks.
            buffer: Its time stamps are set back, so that the file begins at zero.
            time: Its time, ns.
        """
        if self._first is None:
            self._first = time
        entry = buffer.copy()
        # Written as a structure: newer bindings hold a reference of their own and call the copy shared.
        times = buffer_struct(hash(entry))
        times.pts = _since(buffer.pts, self._first)
        times.dts = _since(buffer.dts, self._first)
        if track == "video":
            self._last = max(
                self._last, time + (0 if buffer.duration == Gst.CLOCK_TIME_NONE else buffer.duration)
            )
        self._inputs[track].emit("push-buffer", entry)

    def finish(self) -> None:
        """No more will come; `ended` is called when the file is complete."""
        for source in self._inputs.values():
            source.emit("end-of-stream")

    def wait(self, timeout: float) -> bool:
        """Wait until the file is complete, for so many seconds at most; returns whether it is."""
        return self._complete.wait(timeout)

    def _wait(self) -> None:
        bus = self._pipeline.get_bus()
        kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, kinds)
        self._pipeline.set_state(Gst.State.NULL)
        self._complete.set()
        failed = message is not None and message.type == Gst.MessageType.ERROR
        text = f"recording to {self.path} failed: {message.parse_error()[0].message}" if failed else ""
        self._ended(self, SourceError(text) if failed else None)


def parser_of(caps: Gst.Caps) -> str:
    """What brings a stream into the form that a file wants."""
    structure = structure_of(caps, 0)
    name = structure.get_name()
    if name == "audio/mpeg":
        return _AUDIO_PARSERS[structure.get_int("mpegversion")[1]]
    return _PARSERS.get(name, "identity")


def _timestamper(caps: Gst.Caps) -> list[Gst.Element]:
    """What finds decoding times; older GStreamer has none, and then frames must be in order."""
    factory, form = _TIMESTAMPERS.get(structure_of(caps, 0).get_name(), ("", ""))
    if not factory or Gst.ElementFactory.find(factory) is None:
        return []
    return [make("capsfilter", None, {"caps": Gst.Caps.from_string(form)}), make(factory)]


def _since(time: int, first: int) -> int:
    return time if time == Gst.CLOCK_TIME_NONE else max(time - first, 0)
