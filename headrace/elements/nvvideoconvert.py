"""nvvideoconvert: other size or pixel format, and the way between batches and plain frames.

gst-launch-1.0 ... ! nvdsosd ! nvvideoconvert ! video/x-raw,format=I420 ! x264enc ! ...
gst-launch-1.0 videotestsrc ! nvvideoconvert ! "video/x-raw(memory:NVMM),format=RGB" ! myplugin ! ...
"""

from __future__ import annotations

import dataclasses

from gi.repository import Gst

from headrace.elements.base.caps import ANY_CAPS, framerate_of, is_batch, layout_of
from headrace.elements.base.negotiation import Understood, answer_allocation, choose_caps
from headrace.elements.conversion import Conversion, parse_rectangle, single_frame
from headrace.errors import FrameError
from headrace.frames.surface import SurfaceLayout
from headrace.gst import payload
from headrace.gst.buffer import BufferRef
from headrace.gst.element import Element
from headrace.gst.face import properties_of, template
from headrace.gst.native import FLOW_NOT_NEGOTIATED, make_writable
from headrace.gst.options import option
from headrace.meta.batch import Batch
from headrace.profiling import span

_CPU = "converted by the CPU"
_FIRST = Gst.CapsIntersectMode.FIRST


@dataclasses.dataclass(frozen=True)
class ConvertOptions:
    """Options of nvvideoconvert."""

    src_crop: str = option("", "part of the input that is used, left:top:width:height")
    dest_crop: str = option("", "part of the output that is painted, left:top:width:height")
    flip_method: int = option(
        0, "0 none, 1 counter-clockwise, 2 by 180 degrees, 3 clockwise, 4 horizontal, "
        "5 upper right diagonal, 6 vertical, 7 upper left diagonal", maximum=7,
    )  # fmt: skip
    interpolation_method: int = option(6, "how frames are scaled", no_effect="bilinear, area when shrinking")
    compute_hw: int = option(0, "what converts", no_effect=_CPU)
    copy_hw: int = option(0, "what copies", no_effect=_CPU)
    gpu_id: int = option(0, "GPU", no_effect=_CPU)
    nvbuf_memory_type: int = option(0, "kind of memory", no_effect=_CPU)
    output_buffers: int = option(4, "frames in the output pool", no_effect="frames are allocated as needed")
    disable_passthrough: bool = option(
        False, "copy even if nothing changes", no_effect="shared until written"
    )


class VideoConvert(Element):
    """Face of the conversion; `choose_caps` decides what comes out, `Conversion` makes it."""

    __gtype_name__ = "HeadraceVideoConvert"
    factory = "nvvideoconvert"
    options_type = ConvertOptions
    __gproperties__ = properties_of(ConvertOptions)
    __gstmetadata__ = (
        "Video converter",
        "Filter/Converter/Video/Scaler",
        "Size, format, batches",
        "Headrace",
    )
    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, ANY_CAPS),
        template("src", Gst.PadDirection.SRC, ANY_CAPS),
    )

    def __init__(self) -> None:
        super().__init__()
        self.sink_pad, self.src_pad, self.bypass = self.add_bypassed_pads(self._chain)
        self.on_event(self.sink_pad, self._sink_event)
        self.on_event(self.src_pad, self._src_event)
        for pad in (self.sink_pad, self.src_pad):
            self.on_query(pad, self._query)
            self.add_pad(pad)
        self.conversion: Conversion | None = None
        self.given: SurfaceLayout | None = None

    def option_changed(self, field: str) -> None:
        """What is set while frames flow holds from the next one on."""
        self.src_pad.mark_reconfigure()
        self.bypass.close()

    def _query(self, pad: Gst.Pad, query: Gst.Query) -> bool:
        if query.type == Gst.QueryType.ALLOCATION and pad == self.sink_pad:
            answer_allocation(query)
        elif query.type == Gst.QueryType.CAPS:
            wanted = query.parse_caps()
            query.set_caps_result(ANY_CAPS if wanted is None else wanted.intersect_full(ANY_CAPS, _FIRST))
        elif query.type == Gst.QueryType.ACCEPT_CAPS:
            query.set_accept_caps_result(query.parse_accept_caps().is_subset(ANY_CAPS))
        else:
            return bool(pad.query_default(self, query))
        return True

    def _sink_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        if event.type == Gst.EventType.CAPS:
            self.bypass.close()
            return self._negotiate(event.parse_caps())
        return bool(pad.event_default(self, event))

    def _src_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        if event.type == Gst.EventType.RECONFIGURE:
            self.bypass.close()
        return bool(pad.event_default(self, event))

    def _negotiate(self, caps: Gst.Caps) -> bool:
        allowed = self.src_pad.peer_query_caps(ANY_CAPS)
        chosen = choose_caps(caps, allowed, turned=self.options.flip_method in (1, 3, 5, 7))
        if chosen is None:
            wanted = f"cannot make {allowed.to_string()} of {caps.to_string()}"
            text = f"{wanted}: no common format, size or frame rate"
            self.post_error(FrameError(text))
            return False
        options = self.options
        self.given = layout_of(caps)
        pushed = bool(self.src_pad.push_event(Gst.Event.new_caps(chosen)))
        self.conversion = Conversion(
            layout_of(chosen), is_batch(chosen), parse_rectangle("src-crop", options.src_crop),
            parse_rectangle("dest-crop", options.dest_crop), options.flip_method,
            keep=same_frames(caps, chosen), behind=Understood.behind(self.src_pad, chosen),
        )  # fmt: skip
        return pushed

    def _chain(self, _pad: Gst.Pad, buffer: int) -> int:
        held = BufferRef(buffer)
        if self.conversion is None or self.given is None:
            raise FrameError("a buffer came before its caps, or they could not be converted")
        if self.must_renegotiate(self.src_pad) and not self._negotiate(self.sink_pad.get_current_caps()):
            return FLOW_NOT_NEGOTIATED
        if _batch_on(buffer) is None and self.conversion.passes(buffer, self.given):
            # The very buffer: a decoder's pool takes back none whose memory others have.
            if self.conversion.passes_all:
                self.bypass.open()
                # Something may have been set since it was asked above, when there was nothing to close.
                if self.src_pad.needs_reconfigure():
                    self.bypass.close()
            return self.push(self.src_pad, held.steal())
        # Writable, so that what is changed below is not seen by another branch that has the same batch.
        held = BufferRef(make_writable(held.steal()))
        rider = payload.find(held.address)
        batch = _batch_on(held.address)
        if batch is None:
            batch = single_frame(held.address, self.given, rider)
        with span(
            self, batch.meta.frames if batch is rider else ()
        ):  # before the muxer frames have no number
            outputs = self.conversion.outputs(batch, held.address)
        del rider, batch, held
        return self.push_all(self.src_pad, outputs)


def same_frames(before: Gst.Caps, after: Gst.Caps) -> bool:
    """Whether two caps describe frames of the same format and size."""
    one, two = layout_of(before), layout_of(after)
    same = (one.format, one.width, one.height) == (two.format, two.width, two.height)
    return same and framerate_of(before) == framerate_of(after)


def _batch_on(buffer: int) -> Batch | None:
    """The batch that a buffer carries; metadata without pixels is none."""
    rider = payload.find(buffer)
    return rider if isinstance(rider, Batch) and rider.surfaces else None
