"""Frames of one file or stream, one after the other, with their times."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from gi.repository import Gst

from headrace.errors import PipelineError
from headrace.flow.pipeline import Pipeline
from headrace.flow.stages.capture import as_uri
from headrace.frames.tensor import Tensor
from headrace.meta.buffer import Buffer

_POLL = 100 * Gst.MSECOND
#: Time that a source gets to show its first frame.
_PATIENCE = 20 * Gst.SECOND


class FrameReader:
    """A source, converted and scaled, that is read by the thread that wants its frames.

    Args:
        source: Address or path.
        size: Width and height of the frames, zeros for their own.
        start: Where to begin, in ns; sources that cannot be sought in begin at their start.

    Raises:
        SourceError: The file does not exist.
        PipelineError: The source cannot be opened.

    Example:
        >>> with FrameReader("sim://plaza?frames=3", (64, 36)) as reader:
        ...     [timestamp // 1_000_000 for timestamp, _ in reader.read()]
        [0, 33, 66]
    """

    def __init__(
        self, source: str | os.PathLike[str], size: tuple[int, int] = (0, 0), start: int = 0
    ) -> None:
        width, height = size
        caps = "video/x-raw(memory:NVMM), format=RGB"
        if width and height:
            caps += f", width={width}, height={height}"
        self._pipeline = Pipeline(f"read {source}")
        self._pipeline.add("nvurisrcbin", "source", {"uri": as_uri(source)})
        self._pipeline.add("nvvideoconvert", "convert").add("capsfilter", "caps", {"caps": caps})
        self._pipeline.add("appsink", "sink", {"sync": False, "max-buffers": 2})
        self._pipeline.link(("source", "convert"), ("vsrc_%u", "")).link("convert", "caps", "sink")
        self._start = start

    def __enter__(self) -> FrameReader:
        gst = self._pipeline.gst
        changed = gst.set_state(Gst.State.PAUSED)
        if changed == Gst.StateChangeReturn.ASYNC:
            changed = gst.get_state(_PATIENCE)[0]
        if changed in (Gst.StateChangeReturn.FAILURE, Gst.StateChangeReturn.ASYNC):
            error = self._error() or PipelineError("it shows no frame")
            self.close()
            raise error
        if self._start > 0:
            flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE
            gst.seek_simple(Gst.Format.TIME, flags, self._start)
        gst.set_state(Gst.State.PLAYING)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the source."""
        self._pipeline.gst.set_state(Gst.State.NULL)

    def read(self, stop: threading.Event | None = None) -> Iterator[tuple[int, Callable[[], Tensor]]]:
        """Times in ns, each with a function that copies the frame, valid until the next one is asked for.

        Args:
            stop: Ends the reading when it is set.

        Raises:
            PipelineError: The source fails.
        """
        sink = self._pipeline["sink"].element
        while stop is None or not stop.is_set():
            sample = sink.emit("try-pull-sample", _POLL)
            if sample is not None:
                yield _time(sample), functools.partial(_copy, sample)
            elif (error := self._error()) is not None:
                raise error
            elif sink.get_property("eos"):
                return

    def _error(self) -> PipelineError | None:
        message = self._pipeline.gst.get_bus().pop_filtered(Gst.MessageType.ERROR)
        if message is None:
            return None
        error, debug = message.parse_error()
        return PipelineError(error.message, message.src.get_name(), debug or "")


def _copy(sample: Any) -> Tensor:
    return Buffer(sample.get_buffer()).extract(0).clone()


def _time(sample: Any) -> int:
    """Time of a sample in its file; what a source leaves unset is 0."""
    pts, segment = sample.get_buffer().pts, sample.get_segment()
    if pts == Gst.CLOCK_TIME_NONE:
        return 0
    time = segment.to_stream_time(Gst.Format.TIME, pts)
    return int(pts if time == Gst.CLOCK_TIME_NONE else time)
