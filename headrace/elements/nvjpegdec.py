"""nvjpegdec: decodes JPEG pictures, in the format that they have.

gst-launch-1.0 filesrc location=a.jpg ! jpegparse ! nvjpegdec ! m.sink_0  nvstreammux name=m ! ...
"""

from __future__ import annotations

import dataclasses

from gi.repository import Gst

from headrace.elements.source.decoding import DECODED_CAPS, Decoder
from headrace.gst.face import properties_of, template
from headrace.gst.options import option


@dataclasses.dataclass(frozen=True)
class JpegDecoderOptions:
    """Options of nvjpegdec."""

    idct_method: int = option(1, "how the transform is computed", no_effect="always exactly")
    max_errors: int = option(
        0, "errors before it stops", minimum=-1, no_effect="damaged pictures are dropped"
    )
    disable_hw: bool = option(False, "decode with the CPU", no_effect="always so")
    gpu_id: int = option(0, "GPU", no_effect="decoded by the CPU")


class JpegDecoder(Decoder):
    """Face of the decoder; all it does is in `Decoder`."""

    __gtype_name__ = "NvJpegDec"
    factory = "nvjpegdec"
    rank = Gst.Rank.NONE  # nvv4l2decoder is plugged for pictures too
    options_type = JpegDecoderOptions
    __gproperties__ = properties_of(JpegDecoderOptions)
    __gstmetadata__ = ("JPEG decoder", "Codec/Decoder/Image", "Decodes JPEG pictures", "Headrace")
    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, Gst.Caps.from_string("image/jpeg")),
        template("src", Gst.PadDirection.SRC, DECODED_CAPS),
    )
