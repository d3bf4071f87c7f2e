"""nvstreamdemux: a batch back into streams, one for each source.

gst-launch-1.0 ... ! nvtracker ! nvstreamdemux name=d  d.src_0 ! nvdsosd ! ...  d.src_1 ! nvdsosd ! ...
"""

from __future__ import annotations

import dataclasses
from typing import Any

from gi.repository import Gst

from headrace.elements.caps import BATCH_CAPS, caps_of, framerate_of
from headrace.elements.conversion import later
from headrace.elements.mux_output import parse_source_event
from headrace.gst import payload
from headrace.gst.buffer import new_buffer_like
from headrace.gst.element import Element
from headrace.gst.face import properties_of, template
from headrace.gst.native import CLOCK_TIME_NONE, FLOW_EOS, FLOW_NOT_LINKED, FLOW_OK, buffer_struct
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
        self.sent: dict[int, Gst.Caps] = {}
        self.dropped: dict[int, int] = {}
        self.framerate = (0, 1)
        self.sink_pad = self.add_sink_pad(self.template("sink"), "sink", self._chain)
        self.on_event(self.sink_pad, self._sink_event)
        self.add_pad(self.sink_pad)

    def do_request_new_pad(
        self, pad_template: Gst.PadTemplate, name: str | None, _caps: Any
    ) -> Gst.Pad | None:
        """GStreamer vmethod: the stream of one source."""
        index = int(name.rsplit("_", 1)[1]) if name else next(i for i in range(4096) if i not in self.outputs)
        if index in self.outputs:
            return None
        pad = Gst.Pad.new_from_template(pad_template, f"src_{index}")
        pad.set_active(True)
        self.add_pad(pad)
        self.outputs[index] = pad
        return pad

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
        if kind in (Gst.EventType.STREAM_START, Gst.EventType.SEGMENT):
            return True  # each stream has its own, sent before its first frame
        told = parse_source_event(event) if kind == Gst.EventType.CUSTOM_DOWNSTREAM else None
        if told == ("stream-eos", told[1] if told else -1) and self.options.per_stream_eos:
            output = self.outputs.get(told[1])
            return bool(output is not None and output.push_event(Gst.Event.new_eos()))
        if kind == Gst.EventType.EOS:
            for index in self.outputs:
                self._begin(index)
        return bool(pad.event_default(self, event))

    def _begin(self, index: int, caps: Gst.Caps | None = None) -> None:
        """Send the events that must stand before frames (or before the end) of a stream."""
        pad = self.outputs[index]
        if index not in self.sent:
            pad.push_event(Gst.Event.new_stream_start(f"{self.get_name()}/{index}"))
        if (caps is not None and self.sent.get(index) is None) or (
            caps and not caps.is_equal(self.sent[index])
        ):
            pad.push_event(Gst.Event.new_caps(caps))
            segment = Gst.Segment()
            segment.init(Gst.Format.TIME)
            pad.push_event(Gst.Event.new_segment(segment))
        self.sent[index] = caps if caps is not None else self.sent.get(index)

    def _chain(self, _pad: Gst.Pad, buffer: int) -> int:
        batch = payload.find(buffer)
        flows: list[int] = []
        if isinstance(batch, Batch):
            for position in range(len(batch.meta.frames)):
                flow = self._push_frame(batch, position, buffer)
                if flow is not None:
                    flows.append(flow)
        del batch
        self.drop(buffer)
        return combined(flows)

    def _push_frame(self, batch: Batch, position: int, buffer: int) -> int | None:
        frame = batch.meta.frames[position]
        pad = self.outputs.get(frame.pad_index)
        if pad is None:
            self.dropped[frame.pad_index] = self.dropped.get(frame.pad_index, 0) + 1
            return None
        self._begin(frame.pad_index, caps_of(batch.surfaces[position].layout, self.framerate, batch=True))
        output = new_buffer_like(buffer)
        fields = buffer_struct(output)
        if fields.pts != CLOCK_TIME_NONE:
            fields.pts += later(batch.meta, position)
        return self.push(pad, payload.attach(output, batch.select(position)))


def combined(flows: list[int]) -> int:
    """One flow value for several pads: the first real error, otherwise OK while anybody listens."""
    for flow in flows:
        if flow not in (FLOW_OK, FLOW_NOT_LINKED, FLOW_EOS):
            return flow
    if flows and FLOW_OK not in flows:
        return FLOW_NOT_LINKED if FLOW_NOT_LINKED in flows else FLOW_EOS
    return FLOW_OK
