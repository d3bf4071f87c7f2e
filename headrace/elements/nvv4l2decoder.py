"""nvv4l2decoder: decodes video with the best decoder that is installed.

Autoplugged by uridecodebin and decodebin. The frames that come out are called `memory:NVMM`; nvstreammux, nvvideoconvert
and every other element of this page take them.

gst-launch-1.0 filesrc location=a.h264 ! h264parse ! nvv4l2decoder ! m.sink_0  nvstreammux name=m ! ...
gst-launch-1.0 uridecodebin uri=file:///a.mp4 ! nvvideoconvert ! video/x-raw,format=RGBA ! ...
"""

from __future__ import annotations

import dataclasses

from gi.repository import Gst

from headrace.elements.caps import BATCH_CAPS
from headrace.elements.nvmm_output import NvmmOutput
from headrace.elements.parts import chain, make, remedy
from headrace.elements.skipping import SKIP_NOTHING, SkipFrames
from headrace.elements.uri_probes import EveryNth
from headrace.errors import PipelineError
from headrace.gst.face import Face, properties_of, template
from headrace.gst.options import option
from headrace.gst.structures import structure_of

_CPU = "decoded by the CPU"
_V4L2 = "no V4L2 device"

#: What a decoder is plugged for; one of them each for the formats that need one that is installed.
CODED_CAPS = Gst.Caps.from_string(
    "video/x-h264,stream-format={avc,byte-stream},alignment=au;"
    "video/x-h265,stream-format={hvc1,hev1,byte-stream},alignment=au;"
    "video/x-vp8;video/x-vp9;video/x-av1;video/mpeg,mpegversion={1,2,4},systemstream=false;image/jpeg"
)
#: Format to an element whose package decodes it, for the error.
_SUGGESTED = {"image/jpeg": "jpegdec"}


@dataclasses.dataclass(frozen=True)
class DecoderOptions:
    """Options of nvv4l2decoder."""

    drop_frame_interval: int = option(0, "pass every n-th frame only; 0: all", maximum=30)
    skip_frames: int = option(
        0, "what is not decoded: 0 nothing, 1 frames that no other refers to (H.264, H.265), 2 all but key frames",
        maximum=2,
    )  # fmt: skip
    low_latency_mode: bool = option(False, "decode frame by frame, without threads that are frames ahead")
    disable_dpb: bool = option(False, "same as low-latency-mode")
    mjpeg: bool = option(False, "the input is motion JPEG", no_effect="seen from the caps")
    cudadec_memtype: int = option(0, "kind of memory", maximum=2, no_effect=_CPU)
    gpu_id: int = option(0, "GPU", no_effect=_CPU)
    num_extra_surfaces: int = option(0, "extra surfaces", no_effect=_CPU)
    enable_max_performance: bool = option(False, "highest clocks", no_effect=_CPU)
    enable_full_frame: bool = option(False, "whole frames in each buffer", no_effect="always so")
    enable_frame_type_reporting: bool = option(False, "report the kinds of frames", no_effect="not known here")
    enable_error_check: bool = option(False, "report damage", no_effect="damaged frames are concealed")
    extract_sei_type5_data: bool = option(False, "SEI messages", no_effect="they are not read")
    sei_uuid: str = option("", "which SEI messages", no_effect="see extract-sei-type5-data")
    capture_io_mode: int = option(0, "how frames are read", no_effect=_V4L2)
    output_io_mode: int = option(0, "how data is written", no_effect=_V4L2)


class V4l2Decoder(Face, Gst.Bin):
    """Face of a decoder that is chosen when the stream says what it is."""

    __gtype_name__ = "NvV4l2Decoder"  # elements that nobody named are called after it, and programs look at names
    factory = "nvv4l2decoder"
    rank = Gst.Rank.PRIMARY + 10
    options_type = DecoderOptions
    __gproperties__ = properties_of(DecoderOptions)
    __gstmetadata__ = ("Video decoder", "Codec/Decoder/Video", "Decodes with what is installed", "Headrace")
    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, CODED_CAPS),
        template("src", Gst.PadDirection.SRC, BATCH_CAPS),
    )

    def __init__(self) -> None:
        super().__init__()
        self.decoder: Gst.Element | None = None
        self.probes: list[SkipFrames | EveryNth] = []
        self.sink_pad = Gst.GhostPad.new_no_target_from_template("sink", self.template("sink"))
        self.src_pad = Gst.GhostPad.new_no_target_from_template("src", self.template("src"))
        event, query = self.guarded(self._event, False), self.guarded(self._query, False)
        self.sink_pad.set_event_function_full(lambda pad, _parent, subject: bool(event(pad, subject)))
        self.sink_pad.set_query_function_full(lambda pad, _parent, subject: bool(query(pad, subject)))
        self.output = NvmmOutput(self, self.src_pad)
        self.add_pad(self.sink_pad)
        self.add_pad(self.src_pad)

    def _event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        if event.type == Gst.EventType.CAPS:
            self._decode(event.parse_caps())
        return bool(pad.event_default(self, event))

    def _query(self, pad: Gst.Pad, query: Gst.Query) -> bool:
        """Any format may come, also after another."""
        if query.type == Gst.QueryType.CAPS:
            wanted = query.parse_caps()
            query.set_caps_result(CODED_CAPS if wanted is None else wanted.intersect(CODED_CAPS))
            return True
        if query.type == Gst.QueryType.ACCEPT_CAPS:
            query.set_accept_caps_result(query.parse_accept_caps().is_subset(CODED_CAPS))
            return True
        return bool(pad.query_default(self, query))

    def _decode(self, caps: Gst.Caps) -> None:
        """Have a decoder for a stream with these caps."""
        if self.decoder is not None:
            if self.decoder.get_factory().can_sink_all_caps(caps):
                return
            self._remove_parts()
        decoder = make(decoder_for(caps), "decoder", {})
        self._set_threads(decoder)
        # Brings what is not handled here (4:2:2, 10 bit) into a format that is; passes all others untouched.
        convert = make("videoconvert", "convert")
        self.decoder = decoder
        chain(self, decoder, convert)
        self._add_probes(decoder, caps)
        self.src_pad.set_target(convert.get_static_pad("src"))
        convert.sync_state_with_parent()
        decoder.sync_state_with_parent()
        self.sink_pad.set_target(decoder.get_static_pad("sink"))

    def _remove_parts(self) -> None:
        for pad in (self.sink_pad, self.src_pad):
            pad.set_target(None)
        for name in ("decoder", "convert"):
            part = self.get_by_name(name)
            part.set_state(Gst.State.NULL)
            self.remove(part)

    def _set_threads(self, decoder: Gst.Element) -> None:
        if (self.options.low_latency_mode or self.options.disable_dpb) and decoder.find_property("thread-type"):
            Gst.util_set_object_arg(decoder, "thread-type", "slice")

    def _add_probes(self, decoder: Gst.Element, caps: Gst.Caps) -> None:
        options = self.options
        self.probes = []
        if options.skip_frames != SKIP_NOTHING:
            pad = decoder.get_static_pad("sink")
            self.probes.append(SkipFrames(self, pad, options.skip_frames, structure_of(caps, 0)))
        if options.drop_frame_interval > 1:
            self.probes.append(EveryNth(self, decoder.get_static_pad("src"), options.drop_frame_interval))


def decoder_for(caps: Gst.Caps) -> str:
    """Factory name of the highest ranked software decoder for a stream.

    Raises:
        PipelineError: None is installed.
    """
    kind = Gst.ELEMENT_FACTORY_TYPE_DECODER | Gst.ELEMENT_FACTORY_TYPE_MEDIA_IMAGE
    kind |= Gst.ELEMENT_FACTORY_TYPE_MEDIA_VIDEO
    known = Gst.ElementFactory.list_get_elements(kind, Gst.Rank.MARGINAL)
    for factory in sorted(known, key=Gst.PluginFeature.get_rank, reverse=True):
        own = factory.get_name().startswith("nv")
        if not own and "Hardware" not in factory.get_metadata("klass") and factory.can_sink_all_caps(caps):
            return str(factory.get_name())
    name = structure_of(caps, 0).get_name()
    suggested = _SUGGESTED.get(name, "avdec_h264")
    raise PipelineError(f"no decoder for {name} is installed; {remedy(suggested)}")
