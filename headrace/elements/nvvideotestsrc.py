"""nvvideotestsrc: moving test pictures.

gst-launch-1.0 nvvideotestsrc num-buffers=300 ! m.sink_0  nvstreammux name=m batch-size=1 ! ...
"""

from __future__ import annotations

import dataclasses

from gi.repository import Gst

from headrace.elements.base.built import Built
from headrace.elements.base.caps import BATCH_CAPS
from headrace.elements.base.parts import make
from headrace.gst.face import properties_of, template
from headrace.gst.options import option

_FILES = "pictures are made, not read"
#: Pictures of this element, as videotestsrc calls them; there is no fractal, another picture of circles stands for it.
_PATTERNS = ("smpte", "zone-plate", "gradient")
_MODES = ("frames", "wall-time", "running-time")


@dataclasses.dataclass(frozen=True)
class TestSourceOptions:
    """Options of nvvideotestsrc."""

    pattern: int = option(0, "0 colour bars, 1 circles, 2 gradient", maximum=2)
    animation_mode: int = option(
        0, "what moves the picture: 0 frames, 1 wall time, 2 running time", maximum=2
    )
    is_live: bool = option(False, "pictures come at their time, as from a camera")
    horizontal_speed: int = option(0, "pixels that the picture moves in each frame", minimum=-(2**31))
    num_buffers: int = option(-1, "frames until the stream ends; -1: no end", minimum=-1)
    memtype: int = option(0, "kind of memory", no_effect="made by the CPU")
    gpu_id: int = option(0, "GPU", no_effect="made by the CPU")
    location: str = option("", "file with raw frames", no_effect=_FILES)
    file_loop: bool = option(False, "start the file again", no_effect=_FILES)
    max_jitter: int = option(0, "random delays, ms", no_effect="frames come in time")
    fixed_jitter: str = option("", "list of delays, ms", no_effect="frames come in time")


class VideoTestSource(Built):
    """Face of GStreamer's test pictures under DeepStream's names."""

    __gtype_name__ = "NvVideoTestSrc"
    factory = "nvvideotestsrc"
    rank = Gst.Rank.NONE
    options_type = TestSourceOptions
    __gproperties__ = properties_of(TestSourceOptions)
    __gstmetadata__ = ("Test pictures", "Source/Video", "Makes moving pictures", "Headrace")
    __gsttemplates__ = (template("src", Gst.PadDirection.SRC, BATCH_CAPS),)

    def build(self) -> list[Gst.Element]:
        """The source.

        Raises:
            PipelineError: It is not installed.
        """
        options = self.options
        names = ("is-live", "horizontal-speed", "num-buffers")
        source = make(
            "videotestsrc", None, {name: getattr(options, name.replace("-", "_")) for name in names}
        )
        Gst.util_set_object_arg(source, "pattern", _PATTERNS[options.pattern])
        Gst.util_set_object_arg(source, "animation-mode", _MODES[options.animation_mode])
        return [source]
