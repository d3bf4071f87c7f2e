"""The muxer's output: negotiated caps, batches with their metadata, events."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING

from gi.repository import GObject, Gst

from headrace.elements.base.batch_size import answer_batch_size, asks_batch_size
from headrace.elements.base.caps import BATCH_CAPS, caps_of, pick_format
from headrace.elements.mux.source import QueuedFrame
from headrace.errors import FrameError
from headrace.frames.frame import PixelFormat
from headrace.frames.scale import fit
from headrace.frames.surface import Surface, SurfaceLayout, write_frame
from headrace.gst import payload
from headrace.gst.native import CLOCK_TIME_NONE, buffer_struct, gst_quick
from headrace.gst.structures import structure_of
from headrace.meta.batch import Batch, BatchMetadata
from headrace.profiling import span

if TYPE_CHECKING:
    from headrace.elements.nvstreammux import StreamMux

#: Least time from one batch to the next, in ns: different moments in any container and in RTP.
_STEP = 1_000_000


class MuxOutput:
    """State of the muxer's source pad, made new for each run."""

    def __init__(self, mux: StreamMux) -> None:
        self._owner = weakref.ref(mux)
        self._lock = threading.Lock()
        self._news: deque[tuple[str, int]] = deque()
        self.reset()

    @property
    def _mux(self) -> StreamMux:
        mux = self._owner()
        if mux is None:
            raise ReferenceError("the muxer is gone")
        return mux

    def reset(self) -> None:
        """Forget what was negotiated and sent."""
        self._layout: SurfaceLayout | None = None
        self._caps: Gst.Caps | None = None
        self._sent_caps: Gst.Caps | None = None
        self._started = False
        self._last_pts = 0
        self._stamped = False
        self._told = False
        self._news.clear()

    def prepare(self, frame: QueuedFrame) -> QueuedFrame:
        """Scale and convert a frame as negotiated.

        Runs on the source's thread, so that sources work in parallel.

        Raises:
            FrameError: Downstream takes no batches, or the frame is damaged.
        """
        target = self._negotiated(frame)
        frame.surfaces = [self._fitted(surface, target.format) for surface in frame.surfaces]
        return frame

    def _fitted(self, surface: Surface, format: PixelFormat) -> Surface:
        options, layout = self._mux.options, surface.layout
        width, height = (options.width or layout.width), (options.height or layout.height)
        if (layout.format, layout.width, layout.height) == (format, width, height):
            return surface
        if surface.on_device:
            self._tell_of_download(
                f"{layout.width}x{layout.height} {layout.format} to {width}x{height} {format}"
            )
        return write_frame(fit(surface.frame(), width, height, format, options.enable_padding))

    def _tell_of_download(self, work: str) -> None:
        with self._lock:
            told, self._told = self._told, True
        if not told:
            self._mux.post_warning(
                f"frames in the GPU's memory are downloaded and brought from {work} by the CPU, which takes some "
                "milliseconds for each; set width and height of nvstreammux to 0 or to the size of the frames: models "
                "and trackers take frames of any size, where they are"
            )

    def _negotiated(self, frame: QueuedFrame) -> SurfaceLayout:
        layout, known = frame.surfaces[0].layout, self._layout
        if known is not None and (len(self._mux.sources) > 1 or self._fits(layout)):
            return known
        with self._lock:
            changed = len(self._mux.sources) == 1 and not self._fits(layout)
            if self._layout is None or changed:
                options = self._mux.options
                size = (options.width or layout.width, options.height or layout.height)
                format = self._pick_format(layout)
                self._layout = SurfaceLayout.dense(format, *size, layout.color)
                self._caps = caps_of(self._layout, frame.framerate, batch=True)
            return self._layout

    def _fits(self, layout: SurfaceLayout) -> bool:
        known, options = self._layout, self._mux.options
        size = (options.width or layout.width, options.height or layout.height)
        return known is not None and (known.width, known.height) == size

    def _pick_format(self, layout: SurfaceLayout) -> PixelFormat:
        """The source's own format if downstream takes it, otherwise the first that downstream does take."""
        allowed = self._mux.src_pad.peer_query_caps(BATCH_CAPS)
        if allowed.is_empty():
            raise FrameError("the element behind the muxer takes no batches; put nvvideoconvert between them")
        return pick_format(layout.format, allowed)

    def push(self, frames: list[tuple[int, QueuedFrame]]) -> int:
        """Push a batch; returns the flow value."""
        self._send_events()
        with span(self._mux, ((frame.index, frame.number) for _, frame in frames), "batch"):
            buffer = self._batch(frames)
        return self._mux.push(self._mux.src_pad, buffer)

    def _batch(self, frames: list[tuple[int, QueuedFrame]]) -> int:
        """A new buffer with the frames and their metadata."""
        meta, now = BatchMetadata.new(), time.time_ns() if self._mux.options.attach_sys_ts else None
        for _, frame in frames:
            for surface, (kind, number) in zip(frame.surfaces, frame.views, strict=True):
                layout = surface.layout
                entry = meta.add_frame(
                    pad_index=frame.index, source_id=frame.index, frame_number=frame.number, buffer_pts=frame.pts,
                    ntp_timestamp=frame.sender_time if now is None else now,
                    source_width=frame.source_size[0], source_height=frame.source_size[1],
                    pipeline_width=layout.width, pipeline_height=layout.height, arrival=frame.arrival,
                    surface_type=kind, surface_index=number, num_surfaces_per_frame=len(frame.surfaces),
                )  # fmt: skip
                entry.user.extend(frame.items)
        buffer = int(gst_quick.gst_buffer_new())
        self._stamp(buffer, [frame for _, frame in frames])
        surfaces = [surface for _, frame in frames for surface in frame.surfaces]
        return payload.attach(buffer, Batch(meta, surfaces))

    def _stamp(self, buffer: int, frames: list[QueuedFrame]) -> None:
        times = [frame.running_time for frame in frames if frame.running_time != CLOCK_TIME_NONE]
        fields = buffer_struct(buffer)
        # Sources start and run at their own pace. Downstream time must go forwards, and not stand still: parsers take
        # away the time of a second frame of the same moment, and then files cannot be written.
        earliest = self._last_pts + _STEP if self._stamped else 0
        self._last_pts = max(earliest, min(times, default=earliest))
        self._stamped = True
        fields.pts = self._last_pts
        fields.duration = frames[0].duration

    def _send_events(self) -> None:
        pad = self._mux.src_pad
        if not self._started:
            pad.push_event(Gst.Event.new_stream_start(f"{self._mux.get_name()}/batches"))
        if self._caps is not None and self._caps is not self._sent_caps:
            pad.push_event(Gst.Event.new_caps(self._caps))
            self._sent_caps = self._caps
        if not self._started:
            segment = Gst.Segment()
            segment.init(Gst.Format.TIME)
            pad.push_event(Gst.Event.new_segment(segment))
            self._started = True
            self._news.clear()
            self._news.extend(("pad-added", source.index) for source in self._mux.sources.values())
        while self._news:
            pad.push_event(source_event(*self._news.popleft()))

    def announce(self, what: str, index: int) -> None:
        """Tell downstream that a source came or went, before the next batch; from any thread.

        Not at once: a serialized event waits for the batch that is under way, which may wait for the caller.
        """
        self._news.append((what, index))

    def end_of_source(self, index: int) -> None:
        """Tell downstream and the application that a source has ended, after its last batch."""
        if self._started:
            self.announce("stream-eos", index)
            self._send_events()
        structure = Gst.Structure.new_empty("stream-eos")
        structure.set_value("stream-id", GObject.Value(GObject.TYPE_UINT, index))
        self._mux.post_message(Gst.Message.new_element(self._mux, structure))

    def all_ended(self) -> bool:
        """All sources have ended: end the pipeline, unless told to wait for new ones.

        Returns:
            Whether to go on.
        """
        if self._mux.options.drop_pipeline_eos:
            self._mux.batcher.wait_for_source()
            return True
        if not self._started:
            self._mux.src_pad.push_event(Gst.Event.new_stream_start(f"{self._mux.get_name()}/batches"))
        self._mux.src_pad.push_event(Gst.Event.new_eos())
        return False

    def query(self, pad: Gst.Pad, query: Gst.Query) -> bool:
        """Queries from downstream: latency grows by the time a batch may wait; the size of batches."""
        if asks_batch_size(query):
            views = self._mux.options.num_surfaces_per_frame
            answer_batch_size(query, (self._mux.options.batch_size or len(self._mux.sources)) * views)
            return True
        handled = bool(pad.query_default(self._mux, query))
        if handled and query.type == Gst.QueryType.LATENCY:
            live, minimum, maximum = query.parse_latency()
            wait = max(self._mux.options.batched_push_timeout, 0) * 1000
            if live:
                most = maximum if maximum == CLOCK_TIME_NONE else maximum + wait
                query.set_latency(live, minimum + wait, most)
        return handled


_SOURCE_EVENT = "headrace-source"


def source_event(what: str, index: int) -> Gst.Event:
    """The serialized event that says what happened to a source: pad-added, pad-deleted or stream-eos."""
    structure = Gst.Structure.new_empty(_SOURCE_EVENT)
    structure.set_value("what", what)
    structure.set_value("source-id", index)
    return Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM, structure)


def parse_source_event(event: Gst.Event) -> tuple[str, int] | None:
    """What an event says of a source, or ``None`` for any other event."""
    structure = structure_of(event)
    if structure is None or structure.get_name() != _SOURCE_EVENT:
        return None
    return structure.get_value("what"), structure.get_value("source-id")
