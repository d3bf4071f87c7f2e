"""nvtrackerbin: nvtracker behind a queue.

gst-launch-1.0 ... ! nvinfer ... ! nvtrackerbin ll-config-file=tracker.yml ! nvdsosd ! ...
"""

from __future__ import annotations

from headrace.elements.base.queued import Queued
from headrace.elements.nvtracker import TrackerElement
from headrace.gst.face import properties_of


class TrackerBin(Queued):
    """Face of the bin; all it does is in `Queued`."""

    __gtype_name__ = "NvTrackerBin"
    factory = "nvtrackerbin"
    inner_factory = "nvtracker"
    options_type = TrackerElement.options_type
    __gproperties__ = properties_of(options_type)
    __gstmetadata__ = ("Tracker", "Filter/Metadata/Video", "nvtracker behind a queue", "Headrace")
