"""nvv4l2h264enc: encodes H.264 with x264 or OpenH264.

gst-launch-1.0 ... ! nvdsosd ! nvv4l2h264enc bitrate=2000000 ! h264parse ! mp4mux ! filesink location=out.mp4
"""

from __future__ import annotations

from gi.repository import Gst

from headrace.elements.base.caps import ANY_CAPS
from headrace.elements.encoder import Encoder, EncoderOptions
from headrace.gst.face import properties_of, template

_CODED = "video/x-h264,stream-format=byte-stream,alignment=au"


class H264Encoder(Encoder):
    """Face of the encoder; all it does is in `Encoder`."""

    __gtype_name__ = "NvV4l2H264Enc"
    factory = "nvv4l2h264enc"
    encoders = ("x264enc", "openh264enc")
    coded_caps = _CODED
    profiles = {0: "{baseline,constrained-baseline}", 2: "main", 4: "high"}  # noqa: RUF012 - declared a ClassVar
    options_type = EncoderOptions
    __gproperties__ = properties_of(EncoderOptions)
    __gstmetadata__ = ("H.264 encoder", "Codec/Encoder/Video", "Encodes with what is installed", "Headrace")
    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, ANY_CAPS),
        template("src", Gst.PadDirection.SRC, Gst.Caps.from_string(_CODED)),
    )
