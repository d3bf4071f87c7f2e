"""What is drawn on frames, and what answers the user's mouse (contract §6)."""

from headrace.flow.monitors.event_handler import EventHandler
from headrace.meta.osd import (
    Arrow,
    ArrowHead,
    Circle,
    Color,
    Font,
    FontFamily,
    Line,
    Mask,
    Rect,
    Text,
    TextParams,
)

__all__ = [
    "Arrow",
    "ArrowHead",
    "Circle",
    "Color",
    "EventHandler",
    "Font",
    "FontFamily",
    "Line",
    "Mask",
    "Rect",
    "Text",
    "TextParams",
]
