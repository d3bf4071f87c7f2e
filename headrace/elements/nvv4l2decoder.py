"""nvv4l2decoder: decodes video with the best decoder that is installed.

Autoplugged by uridecodebin and decodebin. The frames that come out are called `memory:NVMM`; nvstreammux,
nvvideoconvert and every other element of this page take them.

gst-launch-1.0 filesrc location=a.h264 ! h264parse ! nvv4l2decoder ! m.sink_0  nvstreammux name=m ! ...
gst-launch-1.0 uridecodebin uri=file:///a.mp4 ! nvvideoconvert ! video/x-raw,format=RGBA ! ...
"""

from __future__ import annotations

import dataclasses

from gi.repository import Gst

from headrace.elements.source.decoding import DECODED_CAPS, Decoder
from headrace.elements.source.skipping import SKIP_NOTHING, SkipFrames
from headrace.elements.source.uri_probes import EveryNth
from headrace.gst.face import properties_of, template
from headrace.gst.options import option
from headrace.gst.structures import structure_of

_DECODERS = "the decoder's own"
_V4L2 = "no V4L2 device"

_CODED_CAPS = Gst.Caps.from_string(
    "video/x-h264,stream-format={avc,byte-stream},alignment=au;"
    "video/x-h265,stream-format={hvc1,hev1,byte-stream},alignment=au;"
    "video/x-vp8;video/x-vp9;video/x-av1;video/mpeg,mpegversion={1,2,4},systemstream=false;image/jpeg"
)


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
    threads: int = option(0, "threads of the decoder; 0: up to 4", maximum=64)
    mjpeg: bool = option(False, "the input is motion JPEG", no_effect="seen from the caps")
    cudadec_memtype: int = option(0, "kind of memory", maximum=2, no_effect=_DECODERS)
    gpu_id: int = option(0, "GPU that decodes, where GStreamer's nvcodec plugin finds one")
    num_extra_surfaces: int = option(0, "extra surfaces", no_effect=_DECODERS)
    enable_max_performance: bool = option(False, "highest clocks", no_effect=_DECODERS)
    enable_full_frame: bool = option(False, "whole frames in each buffer", no_effect="always so")
    enable_frame_type_reporting: bool = option(
        False, "report the kinds of frames", no_effect="not known here"
    )
    enable_error_check: bool = option(False, "report damage", no_effect="damaged frames are concealed")
    extract_sei_type5_data: bool = option(False, "SEI messages", no_effect="they are not read")
    sei_uuid: str = option("", "which SEI messages", no_effect="see extract-sei-type5-data")
    capture_io_mode: int = option(0, "how frames are read", no_effect=_V4L2)
    output_io_mode: int = option(0, "how data is written", no_effect=_V4L2)


class V4l2Decoder(Decoder):
    """Face of the decoder: what `Decoder` does, and frames left out."""

    __gtype_name__ = (
        "NvV4l2Decoder"  # elements that nobody named are called after it, and programs look at names
    )
    factory = "nvv4l2decoder"
    rank = Gst.Rank.PRIMARY + 10
    options_type = DecoderOptions
    __gproperties__ = properties_of(DecoderOptions)
    __gstmetadata__ = ("Video decoder", "Codec/Decoder/Video", "Decodes with what is installed", "Headrace")
    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, _CODED_CAPS),
        template("src", Gst.PadDirection.SRC, DECODED_CAPS),
    )

    def set_up(self, decoder: Gst.Element, entry: Gst.Pad, caps: Gst.Caps) -> None:
        """Take the options over."""
        options = self.options
        if options.low_latency_mode or options.disable_dpb:
            if decoder.find_property("thread-type") is not None:
                Gst.util_set_object_arg(decoder, "thread-type", "slice")
            if decoder.find_property("max-display-delay") is not None:
                decoder.set_property("max-display-delay", 0)
        if options.threads and decoder.find_property("max-threads") is not None:
            decoder.set_property("max-threads", options.threads)
        self.probes: list[SkipFrames | EveryNth] = []
        if options.skip_frames != SKIP_NOTHING:
            self.probes.append(SkipFrames(self, entry, options.skip_frames, structure_of(caps, 0)))
        if options.drop_frame_interval > 1:
            self.probes.append(EveryNth(self, decoder.get_static_pad("src"), options.drop_frame_interval))
