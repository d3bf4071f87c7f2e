"""Decoders of GStreamer's nvcodec plugin: which there are, and which stream stays in the GPU's memory."""

from __future__ import annotations

import re

from gi.repository import Gst

from headrace.elements.base.parts import make
from headrace.gst.cuda import share_primary_context
from headrace.gst.structures import structure_of

PLUGIN = "nvcodec"
#: nvh264dec is of device 0, nvh264device1dec of device 1.
_NAME = re.compile(r"nv[a-z0-9]+?(?:device(\d+))?dec")
#: The decoders take start codes only, containers hold lengths.
_PARSERS = {"video/x-h264": "h264parse", "video/x-h265": "h265parse"}
#: Never of more than 8 bits.
_ALWAYS_8_BIT = ("video/x-vp8", "video/mpeg")


def gpu_decoders(device: int = 0) -> list[Gst.ElementFactory]:
    """The plugin's decoders for video on a device, best first; none where it has found no GPU that decodes."""
    kind = Gst.ELEMENT_FACTORY_TYPE_DECODER | Gst.ELEMENT_FACTORY_TYPE_MEDIA_VIDEO
    known = Gst.ElementFactory.list_get_elements(kind, Gst.Rank.MARGINAL)
    found = [one for one in known if one.get_plugin_name() == PLUGIN and _device_of(one) == device]
    return sorted(found, key=Gst.PluginFeature.get_rank, reverse=True)


def _device_of(factory: Gst.ElementFactory) -> int | None:
    match = _NAME.fullmatch(factory.get_name())
    return None if match is None else int(match[1] or 0)


def gpu_decoding_parts(caps: Gst.Caps, device: int) -> list[Gst.Element]:
    """Elements that decode a stream on a GPU, in order, the decoder last; none where it cannot be done there.

    Args:
        caps: Fixed caps of the stream.
        device: Number of the GPU.
    """
    taken, name = caps.copy(), structure_of(caps, 0).get_name()
    parser = _PARSERS.get(name)
    if parser is not None:
        taken.set_value("stream-format", "byte-stream")
    for factory in gpu_decoders(device):
        if name.startswith("video/") and factory.can_sink_any_caps(taken):
            decoder = make(factory.get_name(), "decoder")
            share_primary_context(hash(decoder), device)
            return [decoder] if parser is None else [make(parser, "parse"), decoder]
    return []


def stays_on_device(caps: Gst.Caps) -> bool:
    """Whether the frames of a stream have a format that Headrace knows in CUDA memory: 4:2:0 of 8 bits.

    Those of others are brought into one by the CPU.
    """
    structure = structure_of(caps, 0)
    known, depth = structure.get_uint("bit-depth-luma")
    if not known:
        return structure.get_name() in _ALWAYS_8_BIT
    return depth == 8 and structure.get_string("chroma-format") in (None, "4:2:0")
