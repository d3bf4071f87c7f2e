"""The overlay: everything that nvdsosd shows, drawn onto a frame in the frame's own format.

All functions write to the frame's planes in place, on the caller's thread, and may be used by several threads
on different frames. What cannot be drawn (NaN, no area, transparent, outside of the frame) is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike

from headrace.draw import shapes
from headrace.draw.boxes import draw_boxes
from headrace.draw.canvas import LIMIT, Canvas
from headrace.draw.palette import RGBA
from headrace.draw.text import DEFAULT_SIZE, draw_text
from headrace.frames import Frame
from headrace.meta.osd import Arrow, Circle, Color, Line, Rect, Text, TextParams


def draw_display(
    frame: Frame,
    rects: Sequence[Rect] = (),
    texts: Sequence[Text | TextParams] = (),
    lines: Sequence[Line] = (),
    arrows: Sequence[Arrow] = (),
    circles: Sequence[Circle] = (),
) -> None:
    """Draw the shapes of display metadata, in nvdsosd's order: boxes, texts, lines, arrows, circles.

    Args:
        frame: Any format; its planes are written to.
        rects: Boxes.
        texts: Texts; the offset is the top left corner of the text's box.
        lines: Lines.
        arrows: Arrows.
        circles: Circles.

    Raises:
        FrameError: The frame is read-only.

    Example:
        >>> frame = Frame.empty("NV12", 64, 48)
        >>> draw_display(frame, lines=[Line(0, 24, 63, 24, 3, Color(1, 1, 1, 1))])
        >>> int(frame.planes[0][24, 30])
        235
    """
    draw_rects(frame, rects)
    draw_texts(frame, texts)
    draw_lines(frame, lines)
    draw_arrows(frame, arrows)
    draw_circles(frame, circles)


def draw_rects(frame: Frame, rects: Sequence[Rect]) -> None:
    """Draw boxes given one by one; `draw_boxes` takes columns."""
    if not rects:
        return
    draw_boxes(
        frame,
        [(r.left, r.top, r.width, r.height) for r in rects],
        [r.border_width for r in rects],
        [_rgba(r.border_color) for r in rects],
        [r.has_bg_color for r in rects],
        [_rgba(r.bg_color) for r in rects],
        [r.rotation_angle for r in rects],
    )


def draw_texts(frame: Frame, texts: Iterable[Text | TextParams]) -> None:
    """Write texts, each with the top left corner of its box at its offset."""
    canvas = Canvas(frame)
    for text in texts:
        if not text.display_text:
            continue
        if isinstance(text, TextParams):
            font, ground, filled = text.font_params, text.text_bg_clr, text.set_bg_clr
        else:
            font, ground, filled = text.font, text.bg_color, text.set_bg_color
        x, y = _whole(text.x_offset), _whole(text.y_offset)
        size = _whole(font.size)
        draw_text(canvas, text.display_text, x, y, size, _rgba(font.color), _rgba(ground) if filled else None)


def draw_lines(frame: Frame, lines: Iterable[Line]) -> None:
    """Draw lines; a width of 0 is drawn as 1."""
    canvas = Canvas(frame)
    for line in lines:
        ink = canvas.inks.ink(_rgba(line.color))
        shapes.line(canvas, (line.x1, line.y1), (line.x2, line.y2), line.width, ink)


def draw_arrows(frame: Frame, arrows: Iterable[Arrow]) -> None:
    """Draw arrows; a width of 0 is drawn as 1."""
    canvas = Canvas(frame)
    for arrow in arrows:
        ink = canvas.inks.ink(_rgba(arrow.color))
        start, end = (arrow.x1, arrow.y1), (arrow.x2, arrow.y2)
        shapes.arrow(canvas, start, end, arrow.width, arrow.head, ink)


def draw_circles(frame: Frame, circles: Iterable[Circle]) -> None:
    """Draw circles: the filling, then the outline (a width of 0 is drawn as 1)."""
    canvas = Canvas(frame)
    for circle in circles:
        center = (circle.xc, circle.yc)
        if circle.has_bg_color:
            ground = canvas.inks.ink(_rgba(circle.bg_color))
            shapes.circle(canvas, center, circle.radius, -1, ground)
        width = max(circle.width, 0)
        shapes.circle(canvas, center, circle.radius, width, canvas.inks.ink(_rgba(circle.color)))


def draw_polygon(
    frame: Frame,
    points: ArrayLike,
    width: float,
    rgba: RGBA,
    bg_rgba: RGBA | None = None,
    closed: bool = True,
) -> None:
    """Draw the outline, and with ``bg_rgba`` the filling, of the polygon through ``(n, 2)`` points."""
    canvas = Canvas(frame)
    corners = np.asarray(points, np.float64).reshape(-1, 2)
    if bg_rgba is not None:
        shapes.polygon(canvas, corners, canvas.inks.ink(bg_rgba))
    if width > 0:
        shapes.polyline(canvas, corners, width, canvas.inks.ink(rgba), closed)


def draw_clock(
    frame: Frame,
    x: int = 0,
    y: int = 0,
    size: int = DEFAULT_SIZE,
    rgba: RGBA = (1.0, 1.0, 1.0, 1.0),
    now: datetime | None = None,
) -> None:
    """Write date and time of day, local time unless ``now`` is given."""
    text = f"{now or datetime.now():%Y-%m-%d %H:%M:%S}"
    draw_text(Canvas(frame), text, x, y, size, rgba)


def _rgba(color: Color) -> RGBA:
    return color.r, color.g, color.b, color.a


def _whole(value: float) -> int:
    """A coordinate as an integer; NaN is 0."""
    return int(min(max(value, -LIMIT), LIMIT)) if value == value else 0
