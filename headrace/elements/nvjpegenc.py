"""nvjpegenc: encodes JPEG pictures.

gst-launch-1.0 ... ! nvdsosd ! nvjpegenc ! multifilesink location=%05d.jpg
"""

from __future__ import annotations

import dataclasses

from headrace.elements.jpeg_encoder import JpegEncoder
from headrace.gst.face import properties_of
from headrace.gst.options import option


@dataclasses.dataclass(frozen=True)
class JpegOptions:
    """Options of nvjpegenc."""

    quality: int = option(85, "quality of the pictures", maximum=100)
    snapshot: bool = option(False, "end the stream after the first picture")
    idct_method: int = option(1, "how the transform is computed", no_effect="always exactly")
    gpu_id: int = option(0, "GPU", no_effect="encoded by the CPU")


class NvJpegEncoder(JpegEncoder):
    """Face of the encoder; all it does is in `JpegEncoder`."""

    __gtype_name__ = "NvJpegEnc"
    factory = "nvjpegenc"
    options_type = JpegOptions
    __gproperties__ = properties_of(JpegOptions)
    __gstmetadata__ = ("JPEG encoder", "Codec/Encoder/Image", "Encodes JPEG pictures", "Headrace")
