"""nveglglessink: shows frames in a window; discards them, in time, where there is no display.

gst-launch-1.0 ... ! nvdsosd ! nveglglessink
"""

from __future__ import annotations

import dataclasses

from headrace.elements.window_sink import WindowOptions, WindowSink
from headrace.gst.face import properties_of
from headrace.gst.options import option

_TILER = "nvmultistreamtiler makes a picture of several"


@dataclasses.dataclass(frozen=True)
class EglSinkOptions(WindowOptions):
    """Options of nveglglessink."""

    create_window: bool = option(True, "make a window if none is given", no_effect="always so")
    force_aspect_ratio: bool = option(True, "keep the frames' proportions")
    rows: int = option(1, "rows of tiles", no_effect=_TILER)
    columns: int = option(1, "columns of tiles", no_effect=_TILER)
    profile: int = option(0, "print times", no_effect="use nvdslogger")
    nvbuf_api_version: bool = option(False, "version of the memory interface", no_effect="there is one")


class EglSink(WindowSink):
    """Face of the sink; all it does is in `WindowSink`."""

    __gtype_name__ = "NvEglGlesSink"
    factory = "nveglglessink"
    options_type = EglSinkOptions
    __gproperties__ = properties_of(EglSinkOptions)
    __gstmetadata__ = ("Window", "Sink/Video", "Shows frames in a window", "Headrace")
