"""nvsegvisual: segmentations as colours, alone or over the frames.

gst-launch-1.0 ... ! nvinfer config-file-path=segmentation.txt ! nvsegvisual width=512 height=512 ! nvvideoconvert ! ...
"""

from __future__ import annotations

import dataclasses

from headrace.draw import paint_segmentation
from headrace.elements.base.painting import Painter
from headrace.frames import Frame
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.frame import FrameMetadata


@dataclasses.dataclass(frozen=True)
class SegVisualOptions:
    """Options of nvsegvisual."""

    width: int = option(0, "width of the output; 0: that of the input")
    height: int = option(0, "height of the output; 0: that of the input")
    alpha: float = option(0.5, "weight of the colours over the frame", minimum=0.0, maximum=1.0)
    original_background: bool = option(False, "paint over the frame rather than on black")
    batch_size: int = option(1, "frames in a batch", minimum=1, no_effect="batches of any size are taken")
    gpu_id: int = option(0, "GPU", no_effect="drawn by the CPU")


class SegVisual(Painter):
    """Face of `headrace.draw.segmentation`. Frames without a segmentation show what was filmed."""

    __gtype_name__ = "HeadraceSegVisual"
    factory = "nvsegvisual"
    options_type = SegVisualOptions
    __gproperties__ = properties_of(SegVisualOptions)
    __gstmetadata__ = (
        "Segmentation visualiser",
        "Filter/Effect/Video",
        "Colours classes of pixels",
        "Headrace",
    )

    def paint(self, meta: FrameMetadata, frame: Frame) -> Frame:
        """Classes in their colours."""
        for item in meta.segmentation_items:
            background = frame if self.options.original_background else None
            frame = paint_segmentation(item.data.class_map, self.size, background, self.options.alpha)
        return frame
