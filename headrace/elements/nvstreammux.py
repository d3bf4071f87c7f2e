"""nvstreammux: frames of many sources into batches.

gst-launch-1.0 nvstreammux name=m batch-size=2 ! hrinfer model=yolo.onnx ! fakesink \
        nvurisrcbin uri=file:///a.mp4 ! m.sink_0  nvurisrcbin uri=file:///b.mp4 ! m.sink_1
"""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

from gi.repository import Gst

from headrace.elements.base.caps import ANY_CAPS, BATCH_CAPS
from headrace.elements.base.negotiation import answer_allocation
from headrace.elements.mux.output import MuxOutput
from headrace.elements.mux.source import MuxSource
from headrace.gst.element import Element, requested_index
from headrace.gst.face import USER_ERRORS, properties_of, template
from headrace.gst.native import FLOW_EOS, FLOW_ERROR, FLOW_FLUSHING, FLOW_OK
from headrace.gst.options import option
from headrace.profiling import span
from headrace.source.batcher import Batcher, Flushing

_HARDWARE = "frames are handled by the CPU"
_ARRIVAL = "frames go in order of arrival"
_ONCE = "every frame goes once"
_SEI = "SEI messages are not read"
_MICROSECONDS = 1e-6


@dataclasses.dataclass(frozen=True)
class MuxOptions:
    """Options of nvstreammux."""

    batch_size: int = option(0, "frames in a full batch; 0: one for each source", maximum=1024)
    batched_push_timeout: int = option(-1, "microseconds to wait for a full batch; -1: for ever", minimum=-1)
    width: int = option(0, "width every frame is scaled to; 0: frames keep their size")
    height: int = option(0, "height every frame is scaled to; 0: frames keep their size")
    enable_padding: bool = option(False, "keep the aspect ratio when scaling, with black bars")
    live_source: bool = option(False, "sources are live", no_effect="each source is asked whether it is")
    drop_late: bool = option(
        False, "drop a source's oldest waiting frame when the pipeline is slower, as for live sources"
    )
    attach_sys_ts: bool = option(True, "stamp frames with the system's time; off: with their cameras'")
    drop_pipeline_eos: bool = option(False, "go on waiting for new sources when all have ended")
    frame_num_reset_on_eos: bool = option(False, "count frames from 0 again after a source has ended")
    frame_num_reset_on_stream_reset: bool = option(False, "count frames from 0 again after a flush")
    sync_inputs: bool = option(False, "wait for frames of the same time", no_effect=_ARRIVAL)
    max_latency: int = option(0, "extra latency for sync-inputs, ns", no_effect="see sync-inputs")
    frame_duration: int = option(
        0, "correction of NTP times, ms", minimum=-1, no_effect="NTP times are not corrected"
    )
    num_surfaces_per_frame: int = option(
        1, "how many views of a frame are taken, from nvdewarper", minimum=1, maximum=4
    )
    buffer_pool_size: int = option(4, "frames in the output pool", no_effect="batches own no pixels")
    nvbuf_memory_type: int = option(0, "kind of memory", no_effect=_HARDWARE)
    gpu_id: int = option(0, "GPU", no_effect=_HARDWARE)
    compute_hw: int = option(0, "what scales", no_effect=_HARDWARE)
    interpolation_method: int = option(1, "how frames are scaled", no_effect="bilinear, area when shrinking")
    async_process: bool = option(True, "take inputs asynchronously", no_effect="always so")
    config_file_path: str = option("", "batching policy of the new muxer", no_effect="use the properties")
    sort_batch: bool = option(False, "order frames within a batch", no_effect=_ARRIVAL)
    align_first_buffer: bool = option(False, "begin all inputs at one time", no_effect=_ARRIVAL)
    sync_inputs_ntp: int = option(0, "window of NTP times, µs", kind="int", minimum=0, no_effect=_ARRIVAL)
    cache_buffer: bool = option(False, "repeat the last frame of a late input", no_effect=_ONCE)
    cache_buffer_timeout: int = option(-1, "for how long, µs", minimum=-1, no_effect=_ONCE)
    extract_sei_type5_data: bool = option(False, "SEI messages", no_effect=_SEI)
    extract_sei_sim_time: bool = option(False, "simulated times in SEI messages", no_effect=_SEI)
    drop_backward_sei: bool = option(False, "drop SEI messages that go back", no_effect=_SEI)


class StreamMux(Element):
    """Face of the muxer: pads and events; `Batcher` collects, `MuxSource` and `MuxOutput` know the frames."""

    __gtype_name__ = "HeadraceStreamMux"
    factory = "nvstreammux"
    options_type = MuxOptions
    __gproperties__ = properties_of(MuxOptions)
    __gstmetadata__ = ("Stream muxer", "Generic/Video", "Batches frames of several sources", "Headrace")
    __gsttemplates__ = (
        template("sink_%u", Gst.PadDirection.SINK, ANY_CAPS),
        template("src", Gst.PadDirection.SRC, BATCH_CAPS),
    )

    def __init__(self) -> None:
        super().__init__()
        # By the pad's address, as asking for its name costs; replaced, never changed, as any thread looks at it.
        self.sources: dict[int, MuxSource] = {}
        self._changing = threading.Lock()
        self.batcher: Batcher[Any] = Batcher(self.guarded(self._source_ended))
        self.flow = FLOW_OK
        self.src_pad = self.add_src_pad()
        self.output = MuxOutput(self)
        self.run_task(self.src_pad, self._loop, self._activated)
        self.on_event(self.src_pad, self._src_event)
        self.on_query(self.src_pad, self.output.query)

    def do_request_new_pad(
        self, pad_template: Gst.PadTemplate, name: str | None, _caps: Any
    ) -> Gst.Pad | None:
        """GStreamer vmethod: a new source, at any time."""
        with self._changing:
            index = requested_index(name, {source.index for source in self.sources.values()})
            if index is None:
                return None
            pad = self.add_sink_pad(pad_template, f"sink_{index}", self._chain)
            self.sources = {**self.sources, hash(pad): MuxSource(index)}
        self.on_event(pad, self._sink_event)
        self.on_query(pad, self._sink_query)
        self.batcher.add(index, self.options.drop_late)
        pad.set_active(True)
        self.add_pad(pad)
        self.output.announce("pad-added", index)
        return self.hand_out(pad)

    def do_release_pad(self, pad: Gst.Pad) -> None:
        """GStreamer vmethod: the source leaves; its waiting frames are dropped and counted."""
        # While the element is disposed of, its Python attributes may be gone already.
        source = self._forget(hash(pad)) if hasattr(self, "sources") else None
        if source is not None:
            self.batcher.remove(source.index)
            self.output.announce("pad-deleted", source.index)
        pad.set_active(False)
        self.remove_pad(pad)
        if source is not None:
            self.forget_pad(pad.get_name())

    def _forget(self, pad: int) -> MuxSource | None:
        with self._changing:
            source = self.sources.get(pad)
            self.sources = {address: one for address, one in self.sources.items() if address != pad}
            return source

    def _chain(self, pad: Gst.Pad, buffer: int) -> int:
        source = self.sources.get(hash(pad))
        if self.flow != FLOW_OK or source is None:
            self.drop(buffer)
            return self.flow or FLOW_FLUSHING
        number = source.next_number
        try:
            with span(self, ((source.index, number),), "frame"):
                frame = self.output.prepare(source.take(buffer, self.options.num_surfaces_per_frame))
        except USER_ERRORS as error:
            self.post_error(error, f"source {source.index} frame {number}")
            return FLOW_ERROR
        try:
            self.batcher.push(source.index, frame)
        except Flushing:
            return self.flow or FLOW_FLUSHING
        return FLOW_OK

    def _sink_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        source = self.sources.get(hash(pad))
        if source is None:
            return False
        kind = event.type
        if kind == Gst.EventType.CAPS:
            source.set_caps(event.parse_caps())
            latency = Gst.Query.new_latency()
            live = self.options.drop_late or (pad.peer_query(latency) and latency.parse_latency()[0])
            self.batcher.set_live(source.index, live)
        elif kind == Gst.EventType.SEGMENT:
            source.set_segment(event.parse_segment().copy())
            self.batcher.end(source.index, ended=False)
        elif kind == Gst.EventType.EOS:
            self.batcher.end(source.index)
        elif kind == Gst.EventType.FLUSH_START:
            self.batcher.flush_source(source.index, on=True)
        elif kind == Gst.EventType.FLUSH_STOP:
            self.batcher.flush_source(source.index, on=False)
            if self.options.frame_num_reset_on_stream_reset:
                source.next_number = 0
        return True

    def _src_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        if event.type == Gst.EventType.QOS:
            # It speaks of batches; a decoder that skipped frames for it would lose those of files.
            return True
        if event.type != Gst.EventType.SEEK or not event.parse_seek()[2] & Gst.SeekFlags.FLUSH:
            return bool(pad.event_default(self, event))
        # Sources flush one by one, downstream once for all of them.
        pad.push_event(Gst.Event.new_flush_start())
        self.batcher.interrupt(True)
        pad.pause_task()
        # Frames from after the seek may come while it is under way: they wait in their queues.
        self.batcher.interrupt(False)
        self.batcher.flush(False)
        self.flow = FLOW_OK
        self.output.reset()
        sought = bool(pad.event_default(self, event))
        pad.push_event(Gst.Event.new_flush_stop(True))
        self.restart_task(pad)
        return sought

    def _sink_query(self, pad: Gst.Pad, query: Gst.Query) -> bool:
        if query.type == Gst.QueryType.ALLOCATION:
            answer_allocation(query)
            return True
        return bool(pad.query_default(self, query))

    def _source_ended(self, index: int) -> None:
        self.output.end_of_source(index)
        if self.options.frame_num_reset_on_eos:
            for source in self.sources.values():
                if source.index == index:
                    source.next_number = 0

    def _activated(self, active: bool) -> None:
        if active:
            for source in self.sources.values():
                source.reset()
            self.output.reset()
        self.flow = FLOW_OK if active else FLOW_FLUSHING
        self.batcher.flush(not active)

    def _loop(self) -> bool:
        timeout = self.options.batched_push_timeout
        try:
            frames = self.batcher.collect(
                self.options.batch_size, None if timeout < 0 else timeout * _MICROSECONDS
            )
            if not frames:
                return self.output.all_ended()
        except Flushing:
            return False
        flow = self.output.push(frames)
        if flow == FLOW_OK:
            return True
        self.flow = flow
        self.batcher.flush()
        self.report_flow(flow)
        if flow == FLOW_EOS:
            self.src_pad.push_event(Gst.Event.new_eos())
        return False
