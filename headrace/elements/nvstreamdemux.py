"""nvstreamdemux: a batch back into streams, one for each source.

gst-launch-1.0 ... ! nvtracker ! nvstreamdemux name=d  d.src_0 ! nvdsosd ! ...  d.src_1 ! nvdsosd ! ...
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from gi.repository import Gst

from headrace.elements.base.caps import BATCH_CAPS, caps_of, framerate_of
from headrace.elements.conversion import later
from headrace.elements.mux.output import parse_source_event
from headrace.errors import FrameError
from headrace.gst import payload
from headrace.gst.buffer import BufferRef, new_buffer_like
from headrace.gst.element import Element, requested_index
from headrace.gst.face import properties_of, template
from headrace.gst.native import (
    CLOCK_TIME_NONE,
    FLOW_EOS,
    FLOW_NOT_LINKED,
    FLOW_OK,
    buffer_struct,
    make_writable,
)
from headrace.gst.options import option
from headrace.meta.batch import Batch


@dataclasses.dataclass(frozen=True)
class DemuxOptions:
    """Options of nvstreamdemux."""

    per_stream_eos: bool = option(False, "end a stream as soon as its source has ended")


class StreamDemux(Element):
    """Face of the demuxer; frames of a source whose pad was not requested are dropped and counted.

    Attributes:
        dropped: Number of dropped frames by source.
    """

    __gtype_name__ = "HeadraceStreamDemux"
    factory = "nvstreamdemux"
    options_type = DemuxOptions
    __gproperties__ = properties_of(DemuxOptions)
    __gstmetadata__ = ("Stream demuxer", "Generic/Video", "Splits batches by source", "Headrace")
    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, BATCH_CAPS),
        template("src_%u", Gst.PadDirection.SRC, BATCH_CAPS),
    )

    def __init__(self) -> None:
        super().__init__()
        self.outputs: dict[int, Gst.Pad] = {}
        self.dropped: Counter[int] = Counter()
        self._reset()
        self.sink_pad = self.add_sink_pad(self.template("sink"), "sink", self._chain)
        self.on_event(self.sink_pad, self._sink_event)
        self.add_pad(self.sink_pad)

    def _reset(self) -> None:
        self.sent: dict[int, Gst.Caps | None] = {}
        self.framerate = (0, 1)
        self.segment = Gst.Segment()
        self.segment.init(Gst.Format.TIME)

    def do_change_state(self, transition: Gst.StateChange) -> Gst.StateChangeReturn:
        """GStreamer vmethod: what an earlier run has sent is forgotten."""
        if transition == Gst.StateChange.READY_TO_PAUSED:
            self._reset()
        return Gst.Element.do_change_state(self, transition)

    def do_request_new_pad(
        self, pad_template: Gst.PadTemplate, name: str | None, _caps: Any
    ) -> Gst.Pad | None:
        """GStreamer vmethod: the stream of one source."""
        index = requested_index(name, self.outputs)
        if index is None:
            return None
        pad = Gst.Pad.new_from_template(pad_template, f"src_{index}")
        pad.set_active(True)
        self.add_pad(pad)
        self.outputs[index] = pad
        return self.hand_out(pad)

    def do_release_pad(self, pad: Gst.Pad) -> None:
        """GStreamer vmethod."""
        for index in [index for index, known in getattr(self, "outputs", {}).items() if known == pad]:
            del self.outputs[index]
            self.sent.pop(index, None)
        pad.set_active(False)
        self.remove_pad(pad)

    def _sink_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        kind = event.type
        if kind == Gst.EventType.CAPS:
            self.framerate = framerate_of(event.parse_caps())
            return True
        if kind == Gst.EventType.STREAM_START:
            return True  # each stream has its own, sent before its first frame
        if kind == Gst.EventType.SEGMENT:
            self.segment = event.parse_segment().copy()
            self.sent = dict.fromkeys(self.sent)  # caps and segment are sent again
            return True
        told = parse_source_event(event) if kind == Gst.EventType.CUSTOM_DOWNSTREAM else None
        if told is not None and told[0] == "stream-eos" and self.options.per_stream_eos:
            if told[1] in self.outputs:
                self._begin(told[1])
                self.outputs[told[1]].push_event(Gst.Event.new_eos())
            return True
        if kind == Gst.EventType.EOS:
            for index in list(self.outputs):
                self._begin(index)
        return bool(pad.event_default(self, event))

    def _begin(self, index: int, caps: Gst.Caps | None = None) -> None:
        """Send the events that must stand before frames (or before the end) of a stream."""
        pad = self.outputs[index]
        if index not in self.sent:
            pad.push_event(Gst.Event.new_stream_start(f"{self.get_name()}/{index}"))
        before = self.sent.setdefault(index, None)
        if caps is not None and (before is None or not caps.is_equal(before)):
            pad.push_event(Gst.Event.new_caps(caps))
            if before is None:
                pad.push_event(Gst.Event.new_segment(self.segment))
            self.sent[index] = caps

    def _chain(self, _pad: Gst.Pad, buffer: int) -> int:
        # Writable, so that a batch of one frame, which is passed on as it is, is nobody else's.
        held = BufferRef(make_writable(buffer))
        batch = payload.find(held.address)
        if not isinstance(batch, Batch):
            raise FrameError("this buffer is no batch; put nvstreammux before the demuxer")
        streams = [self._stream(batch, position, held.address) for position in range(len(batch.meta.frames))]
        del batch, held
        flows: list[int] = []
        while streams:
            index, caps, output = streams.pop(0)
            pad = self.outputs.get(index)
            if pad is None:
                self.dropped[index] += 1
                continue
            self._begin(index, caps)
            flows.append(self.push(pad, output.steal()))
        return combined(flows)

    def _stream(self, batch: Batch, position: int, like: int) -> tuple[int, Gst.Caps, BufferRef]:
        """One frame of a batch: which stream it belongs to, its caps and its own buffer."""
        output = new_buffer_like(like)
        fields = buffer_struct(output)
        if fields.pts != CLOCK_TIME_NONE:
            fields.pts += later(batch.meta, position)
        index = batch.meta.frames[position].pad_index
        caps = caps_of(batch.surfaces[position].layout, self.framerate, batch=True)
        return index, caps, BufferRef(payload.attach(output, batch.select(position)))


def combined(flows: list[int]) -> int:
    """One flow value for several pads: the first real error, otherwise OK while anybody listens."""
    for flow in flows:
        if flow not in (FLOW_OK, FLOW_NOT_LINKED, FLOW_EOS):
            return flow
    if flows and FLOW_OK not in flows:
        return FLOW_NOT_LINKED if FLOW_NOT_LINKED in flows else FLOW_EOS
    return FLOW_OK
