"""nvosdbin: nvdsosd behind a queue.

gst-launch-1.0 ... ! nvtracker ! nvosdbin ! nveglglessink
"""

from __future__ import annotations

from headrace.elements.base.queued import Queued
from headrace.elements.nvdsosd import Osd
from headrace.gst.face import properties_of


class OsdBin(Queued):
    """Face of the bin. There is no converter: nvdsosd draws in any format."""

    __gtype_name__ = "NvOsdBin"
    factory = "nvosdbin"
    inner_factory = "nvdsosd"
    options_type = Osd.options_type
    __gproperties__ = properties_of(options_type)
    __gstmetadata__ = ("On-screen display", "Filter/Effect/Video", "nvdsosd behind a queue", "Headrace")
