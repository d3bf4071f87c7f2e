"""nvdsosd: draws what the metadata says onto the frames.

gst-launch-1.0 ... ! nvtracker ! nvdsosd ! nvvideoconvert ! x264enc ! mp4mux ! filesink location=out.mp4
"""

from __future__ import annotations

import dataclasses

from headrace.draw.palette import rgba_from_int
from headrace.elements.base.filter import Filter
from headrace.elements.overlay import Overlay, OverlayOptions
from headrace.errors import ConfigError
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.batch import Batch

_CPU = "drawn by the CPU"


@dataclasses.dataclass(frozen=True)
class OsdOptions:
    """Options of nvdsosd."""

    display_text: bool = option(True, "draw labels and texts")
    display_bbox: bool = option(True, "draw boxes")
    display_mask: bool = option(True, "draw instance masks")
    display_keypoints: bool = option(True, "draw keypoints and the lines between them")
    display_clock: bool = option(False, "draw date and time")
    clock_font: str = option("DEFAULT_FONT", "font of the clock", no_effect="there is one font")
    clock_font_size: int = option(12, "size of the clock", maximum=60)
    x_clock_offset: int = option(0, "left edge of the clock")
    y_clock_offset: int = option(0, "top edge of the clock")
    clock_color: int = option(0xFFFFFFFF, "colour of the clock, 0xRRGGBBAA")
    color_by_class: bool = option(
        False, "boxes and labels in a colour for each class instead of what objects say"
    )
    blur_bbox: int = option(0, "make objects unrecognisable: 1 their box, 2 their mask", maximum=2)
    blur_on_gie_class_ids: str = option("", "which objects to blur, component:class;component:class")
    process_mode: int = option(1, "what draws", maximum=2, no_effect=_CPU)
    gpu_id: int = option(0, "GPU", no_effect=_CPU)


class Osd(Filter):
    """Face of the overlay. Every frame of a batch gets its own objects."""

    __gtype_name__ = "HeadraceOsd"
    factory = "nvdsosd"
    options_type = OsdOptions
    __gproperties__ = properties_of(OsdOptions)
    __gstmetadata__ = (
        "On-screen display",
        "Filter/Effect/Video",
        "Draws boxes, labels and shapes",
        "Headrace",
    )

    def start(self) -> None:
        """Take the options over."""
        self.option_changed("")

    def option_changed(self, field: str) -> None:
        """Options may change while playing."""
        o = self.options
        clock = (o.x_clock_offset, o.y_clock_offset, o.clock_font_size, rgba_from_int(o.clock_color))
        self.overlay = Overlay(
            OverlayOptions(
                o.display_text, o.display_bbox, o.display_mask, clock if o.display_clock else None,
                o.color_by_class, o.blur_bbox, parse_pairs(o.blur_on_gie_class_ids), o.display_keypoints,
            )
        )  # fmt: skip

    def process(self, batch: Batch, buffer: int) -> None:
        """Draw on each frame."""
        for index, surface in enumerate(batch.surfaces):
            if self.overlay.has_work(batch.meta, index):
                self.overlay.draw(surface.frame(writable=True), batch.meta, index)


def parse_pairs(text: str) -> frozenset[tuple[int, int]]:
    """``1:0;1:2`` → pairs of component and class.

    Raises:
        ConfigError: Something else.
    """
    try:
        pairs = [part.split(":") for part in text.split(";") if part.strip()]
        return frozenset((int(component), int(class_id)) for component, class_id in pairs)
    except ValueError as error:
        raise ConfigError(f"blur-on-gie-class-ids={text!r}: write component:class;component:class") from error
