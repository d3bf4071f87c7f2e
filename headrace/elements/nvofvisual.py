"""nvofvisual: motion as colours.

gst-launch-1.0 ... ! nvof ! nvofvisual ! nvvideoconvert ! ...
"""

from __future__ import annotations

import dataclasses

from headrace.draw import paint_flow
from headrace.elements.base.painting import Painter
from headrace.frames import Frame
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.frame import FrameMetadata
from headrace.meta.optical_flow import OpticalFlow


@dataclasses.dataclass(frozen=True)
class OfVisualOptions:
    """Options of nvofvisual."""

    gpu_id: int = option(0, "GPU", no_effect="drawn by the CPU")


class OfVisual(Painter):
    """Face of `headrace.draw.optical_flow`. Frames whose motion is not known show what was filmed."""

    __gtype_name__ = "HeadraceOfVisual"
    factory = "nvofvisual"
    options_type = OfVisualOptions
    __gproperties__ = properties_of(OfVisualOptions)
    __gstmetadata__ = ("Optical flow visualiser", "Filter/Effect/Video", "Colours motion", "Headrace")

    def paint(self, meta: FrameMetadata, frame: Frame) -> Frame:
        """Motion of the blocks."""
        for item in meta.user:
            if isinstance(item.data, OpticalFlow):
                frame = paint_flow(item.data.vectors, self.size)
        return frame
