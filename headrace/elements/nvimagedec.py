"""nvimagedec: decodes JPEG pictures, to RGB.

gst-launch-1.0 filesrc location=a.jpg ! jpegparse ! nvimagedec ! m.sink_0  nvstreammux name=m ! ...
"""

from __future__ import annotations

import dataclasses

from gi.repository import Gst

from headrace.elements.base.caps import BATCH_CAPS, NVMM
from headrace.elements.source.decoding import Decoder
from headrace.gst.face import properties_of, template
from headrace.gst.options import option

_RGB = BATCH_CAPS.intersect(Gst.Caps.from_string(f"video/x-raw({NVMM}),format=RGB"))


@dataclasses.dataclass(frozen=True)
class ImageDecoderOptions:
    """Options of nvimagedec."""

    needs_pool: bool = option(True, "pool of its own", no_effect="frames come from the decoder's pool")
    gpu_id: int = option(0, "GPU", no_effect="decoded by the CPU")


class ImageDecoder(Decoder):
    """Face of the decoder; all it does is in `Decoder`."""

    __gtype_name__ = "NvImageDec"
    factory = "nvimagedec"
    rank = Gst.Rank.NONE  # nvv4l2decoder is plugged for pictures too
    options_type = ImageDecoderOptions
    __gproperties__ = properties_of(ImageDecoderOptions)
    __gstmetadata__ = ("JPEG decoder", "Codec/Decoder/Image", "Decodes JPEG pictures", "Headrace")
    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, Gst.Caps.from_string("image/jpeg")),
        template("src", Gst.PadDirection.SRC, _RGB),
    )
