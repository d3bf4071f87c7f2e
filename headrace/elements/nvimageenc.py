"""nvimageenc: encodes JPEG pictures.

gst-launch-1.0 ... ! nvdsosd ! nvimageenc ! multifilesink location=%05d.jpg
"""

from __future__ import annotations

import dataclasses

from headrace.elements.jpeg_encoder import JpegEncoder
from headrace.gst.face import properties_of
from headrace.gst.options import option


@dataclasses.dataclass(frozen=True)
class ImageEncoderOptions:
    """Options of nvimageenc."""

    quality: int = option(90, "quality of the pictures", maximum=100)
    encoded_size: int = option(15 * 1024 * 1024, "bytes of a buffer", no_effect="as large as the picture")
    gpu_id: int = option(0, "GPU", no_effect="encoded by the CPU")


class ImageEncoder(JpegEncoder):
    """Face of the encoder; all it does is in `JpegEncoder`."""

    __gtype_name__ = "NvImageEnc"
    factory = "nvimageenc"
    options_type = ImageEncoderOptions
    __gproperties__ = properties_of(ImageEncoderOptions)
    __gstmetadata__ = ("JPEG encoder", "Codec/Encoder/Image", "Encodes JPEG pictures", "Headrace")
