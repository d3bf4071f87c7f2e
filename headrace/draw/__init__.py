"""Drawing onto frames: overlay, tiler."""

from headrace.draw.blur import blur_boxes
from headrace.draw.boxes import draw_boxes, draw_labels
from headrace.draw.keypoints import draw_keypoints
from headrace.draw.masks import draw_masks
from headrace.draw.optical_flow import paint_flow
from headrace.draw.overlay import (
    draw_arrows,
    draw_circles,
    draw_clock,
    draw_display,
    draw_lines,
    draw_polygon,
    draw_rects,
    draw_texts,
)
from headrace.draw.palette import class_color, class_colors, contrasting, rgba_from_int
from headrace.draw.segmentation import paint_segmentation
from headrace.draw.text import text_size
from headrace.draw.tiler import TileLayout, Tiler

__all__ = [
    "TileLayout",
    "Tiler",
    "blur_boxes",
    "class_color",
    "class_colors",
    "contrasting",
    "draw_arrows",
    "draw_boxes",
    "draw_circles",
    "draw_clock",
    "draw_display",
    "draw_keypoints",
    "draw_labels",
    "draw_lines",
    "draw_masks",
    "draw_polygon",
    "draw_rects",
    "draw_texts",
    "paint_flow",
    "paint_segmentation",
    "rgba_from_int",
    "text_size",
]
