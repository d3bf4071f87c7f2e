"""nv3dsink: shows frames in a window; discards them, in time, where there is no display.

gst-launch-1.0 ... ! nvdsosd ! nv3dsink sync=false
"""

from __future__ import annotations

import dataclasses

from headrace.elements.window_sink import WindowOptions, WindowSink
from headrace.gst.face import properties_of
from headrace.gst.options import option


@dataclasses.dataclass(frozen=True)
class Nv3dSinkOptions(WindowOptions):
    """Options of nv3dsink."""

    set_mode: bool = option(False, "change the display's mode", no_effect="the display keeps its mode")


class Nv3dSink(WindowSink):
    """Face of the sink; all it does is in `WindowSink`."""

    __gtype_name__ = "Nv3dSink"
    factory = "nv3dsink"
    options_type = Nv3dSinkOptions
    __gproperties__ = properties_of(Nv3dSinkOptions)
    __gstmetadata__ = ("Window", "Sink/Video", "Shows frames in a window", "Headrace")
