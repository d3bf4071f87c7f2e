"""nvmultistreamtiler: the frames of all sources as one picture.

gst-launch-1.0 ... ! nvtracker ! nvmultistreamtiler width=1280 height=720 ! nvdsosd ! ...
"""

from __future__ import annotations

import dataclasses

from gi.repository import Gst

from headrace.elements.base.caps import BATCH_CAPS, caps_of, framerate_of, layout_of, pick_format
from headrace.elements.base.filter import BATCH_TEMPLATES
from headrace.elements.mux.output import parse_source_event
from headrace.elements.tiling import Tiling
from headrace.errors import FrameError
from headrace.frames.frame import PixelFormat
from headrace.frames.surface import SurfaceLayout
from headrace.gst import payload
from headrace.gst.buffer import BufferRef
from headrace.gst.element import Element
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.batch import Batch
from headrace.profiling import span

_CPU = "composed by the CPU"


@dataclasses.dataclass(frozen=True)
class TilerOptions:
    """Options of nvmultistreamtiler."""

    width: int = option(0, "width of the picture; 0: that of the first batch")
    height: int = option(0, "height of the picture; 0: that of the first batch")
    rows: int = option(1, "rows of the grid; it grows when it is too small", minimum=1)
    columns: int = option(1, "columns of the grid; it grows when it is too small", minimum=1)
    show_source: int = option(-1, "show this source alone; -1: all", minimum=-1)
    square_seq_grid: bool = option(
        False, "make the grid square", no_effect="a grid that grows is nearly square"
    )
    custom_tile_config: str = option("", "own tile positions", no_effect="tiles form a grid")
    interpolation_method: int = option(1, "how frames are scaled", no_effect="bilinear, area when shrinking")
    buffer_pool_size: int = option(4, "frames in the output pool", no_effect="frames are allocated as needed")
    compute_hw: int = option(0, "what composes", no_effect=_CPU)
    gpu_id: int = option(0, "GPU", no_effect=_CPU)
    nvbuf_memory_type: int = option(0, "kind of memory", no_effect=_CPU)


class Tiler(Element):
    """Face of the tiler: a batch of N frames becomes a batch of one, boxes move along."""

    __gtype_name__ = "HeadraceTiler"
    factory = "nvmultistreamtiler"
    options_type = TilerOptions
    __gproperties__ = properties_of(TilerOptions)
    __gstmetadata__ = ("Tiler", "Filter/Video/Compositor", "Frames of all sources in one picture", "Headrace")
    __gsttemplates__ = BATCH_TEMPLATES

    def __init__(self) -> None:
        super().__init__()
        self.sink_pad = self.add_sink_pad(self.template("sink"), "sink", self._chain)
        self.on_event(self.sink_pad, self._sink_event)
        self.add_pad(self.sink_pad)
        self.src_pad = self.add_src_pad()
        self.tiling: Tiling | None = None

    def option_changed(self, field: str) -> None:
        """The shown source may change while playing; other options count from the next start."""
        tiling: Tiling | None = getattr(self, "tiling", None)
        if field == "show_source" and tiling is not None:
            tiling.show(self.options.show_source)

    def do_change_state(self, transition: Gst.StateChange) -> Gst.StateChangeReturn:
        """GStreamer vmethod: pictures of an earlier run are forgotten."""
        if transition == Gst.StateChange.READY_TO_PAUSED:
            self.tiling = None
        return Gst.Element.do_change_state(self, transition)

    def _sink_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        if event.type == Gst.EventType.CUSTOM_DOWNSTREAM:
            told = parse_source_event(event)
            if told is not None and told[0] == "pad-deleted" and self.tiling is not None:
                self.tiling.forget(told[1])
        if event.type != Gst.EventType.CAPS:
            return bool(pad.event_default(self, event))
        if self.tiling is not None:
            return True  # the picture keeps its size when a source changes its own
        caps, options = event.parse_caps(), self.options
        given = layout_of(caps)
        width, height = options.width or given.width, options.height or given.height
        format = self._output_format(given.format)
        self.tiling = Tiling(width, height, options.rows, options.columns, options.show_source, format)
        layout = SurfaceLayout.dense(format, width, height, given.color)
        return bool(
            self.src_pad.push_event(Gst.Event.new_caps(caps_of(layout, framerate_of(caps), batch=True)))
        )

    def _output_format(self, format: PixelFormat) -> PixelFormat:
        """The input's format if downstream takes it, otherwise the first that downstream takes."""
        allowed = self.src_pad.peer_query_caps(BATCH_CAPS)
        return format if allowed.is_empty() else pick_format(format, allowed)

    def _chain(self, _pad: Gst.Pad, buffer: int) -> int:
        held = BufferRef(buffer)
        batch = payload.find(buffer)
        if self.tiling is None or not isinstance(batch, Batch):
            raise FrameError("this buffer is no batch; put nvstreammux or nvvideoconvert before the tiler")
        with span(self, batch.meta.frames):
            outputs = self.tiling.outputs(batch, buffer)
        del batch, held
        return self.push_all(self.src_pad, outputs)
