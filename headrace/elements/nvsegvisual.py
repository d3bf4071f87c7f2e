"""nvsegvisual: segmentations as colours, alone or over the frames.

gst-launch-1.0 ... ! nvinfer config-file-path=segmentation.txt ! nvsegvisual width=512 height=512 ! nvvideoconvert ! ...
"""

from __future__ import annotations

import dataclasses

from gi.repository import Gst

from headrace.draw import paint_segmentation
from headrace.elements.caps import BATCH_CAPS, caps_of, framerate_of, layout_of, pick_format
from headrace.elements.filter import Filter
from headrace.frames.frame import PixelFormat
from headrace.frames.scale import fit
from headrace.frames.surface import Surface, SurfaceLayout, write_frame
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.batch import Batch
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


class SegVisual(Filter):
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

    def __init__(self) -> None:
        super().__init__()
        self._format: PixelFormat = "RGBA"
        self._size = (0, 0)

    def _query(self, pad: Gst.Pad, query: Gst.Query) -> bool:
        """Formats and sizes of the two sides have nothing to do with each other."""
        return bool(pad.query_default(self, query))

    def handle_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        """Caps are made anew: RGBA of the size that was set, or another format if downstream takes no RGBA."""
        if event.type != Gst.EventType.CAPS:
            return super().handle_event(pad, event)
        caps = event.parse_caps()
        given = layout_of(caps)
        self._size = (self.options.width or given.width, self.options.height or given.height)
        allowed = self.src_pad.peer_query_caps(BATCH_CAPS)
        self._format = "RGBA" if allowed.is_empty() else pick_format("RGBA", allowed)
        layout = SurfaceLayout.dense(self._format, *self._size, given.color)
        return bool(
            self.src_pad.push_event(Gst.Event.new_caps(caps_of(layout, framerate_of(caps), batch=True)))
        )

    def process(self, batch: Batch, buffer: int) -> None:
        """A new picture for each frame."""
        batch.surfaces = [
            self._painted(frame, surface)
            for frame, surface in zip(batch.meta.frames, batch.surfaces, strict=True)
        ]

    def _painted(self, meta: FrameMetadata, surface: Surface) -> Surface:
        frame = surface.frame()
        for item in meta.segmentation_items:
            background = frame if self.options.original_background else None
            frame = paint_segmentation(item.data.class_map, self._size, background, self.options.alpha)
        return write_frame(fit(frame, *self._size, self._format))
