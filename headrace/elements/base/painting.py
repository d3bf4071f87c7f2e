"""The common part of elements that make new pictures of what metadata says."""

from __future__ import annotations

from gi.repository import Gst

from headrace.elements.base.caps import BATCH_CAPS, caps_of, framerate_of, layout_of, pick_format
from headrace.elements.base.filter import Filter
from headrace.frames import Frame
from headrace.frames.frame import PixelFormat
from headrace.frames.scale import fit
from headrace.frames.surface import Surface, SurfaceLayout, write_frame
from headrace.meta.batch import Batch
from headrace.meta.frame import FrameMetadata


class Painter(Filter):
    """Replaces the pixels of each frame; metadata stays.

    Pictures come out as RGBA, or in another format if downstream takes no RGBA; in the size of the options ``width``
    and ``height`` where there are such and they are set, otherwise in that of the input.
    """

    def __init__(self) -> None:
        super().__init__()
        self._format: PixelFormat = "RGBA"
        self.size = (0, 0)

    def paint(self, meta: FrameMetadata, frame: Frame) -> Frame:
        """The picture of one frame, of any format and of `size`; the frame itself where there is nothing to paint."""
        raise NotImplementedError

    def _query(self, pad: Gst.Pad, query: Gst.Query) -> bool:
        """Formats and sizes of the two sides have nothing to do with each other."""
        return bool(pad.query_default(self, query))

    def handle_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        """Caps are made anew."""
        if event.type != Gst.EventType.CAPS:
            return super().handle_event(pad, event)
        caps = event.parse_caps()
        given, options = layout_of(caps), self.options
        self.size = (
            getattr(options, "width", 0) or given.width,
            getattr(options, "height", 0) or given.height,
        )
        allowed = self.src_pad.peer_query_caps(BATCH_CAPS)
        self._format = "RGBA" if allowed.is_empty() else pick_format("RGBA", allowed)
        layout = SurfaceLayout.dense(self._format, *self.size, given.color)
        return bool(
            self.src_pad.push_event(Gst.Event.new_caps(caps_of(layout, framerate_of(caps), batch=True)))
        )

    def process(self, batch: Batch, buffer: int) -> None:
        """A new picture for each frame."""
        frames = zip(batch.meta.frames, batch.surfaces, strict=True)
        batch.surfaces = [self._painted(meta, surface) for meta, surface in frames]

    def _painted(self, meta: FrameMetadata, surface: Surface) -> Surface:
        return write_frame(fit(self.paint(meta, surface.frame()), *self.size, self._format))
