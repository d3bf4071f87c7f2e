"""Boxes straight from columns: borders, fillings and the labels that stand on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headrace.draw import shapes, text
from headrace.draw.canvas import LIMIT, Canvas
from headrace.draw.ink import Ink
from headrace.draw.palette import RGBA, contrasting
from headrace.frames import Frame
from headrace.meta.turning import turned_corners


def draw_boxes(
    frame: Frame,
    ltwh: ArrayLike,
    border_width: ArrayLike,
    border_rgba: ArrayLike,
    has_bg: ArrayLike | None = None,
    bg_rgba: ArrayLike | None = None,
    rotation: ArrayLike | None = None,
) -> None:
    """Draw ``n`` boxes onto a frame, in place; each border lies half inside and half outside of its edge.

    Boxes with NaN or without area are left out, everything is clipped at the frame's edge.

    Args:
        frame: Any format; its planes are written to.
        ltwh: ``(n, 4)`` left, top, width, height in pixels of the frame.
        border_width: ``(n,)`` or one number, in pixels; 0 draws no border.
        border_rgba: ``(n, 4)`` or one colour ``(4,)``, 0–1.
        has_bg: ``(n,)`` or one flag: whether a box is filled; ``None`` fills none.
        bg_rgba: ``(n, 4)`` or one colour of the fillings, 0–1.
        rotation: ``(n,)`` degrees clockwise about the centre, or ``None``.

    Raises:
        FrameError: The frame is read-only.
        ValueError: A column does not fit the number of boxes.

    Example:
        >>> frame = Frame.empty("RGB", 64, 48)
        >>> draw_boxes(frame, [[10, 10, 20, 20]], 2, (1, 0, 0, 1))
        >>> frame.planes[0][10, 20].tolist()
        [255, 0, 0]
    """
    boxes = np.asarray(ltwh, np.float64).reshape(-1, 4)
    n = len(boxes)
    if n == 0:
        return
    canvas = Canvas(frame)
    widths = np.clip(np.nan_to_num(_column(border_width, (n,))), 0, 1024).astype(int)
    borders = _column(border_rgba, (n, 4)).tolist()
    filled = np.zeros(n, bool) if has_bg is None else _column(has_bg, (n,)).astype(bool)
    grounds = [None] * n if bg_rgba is None else _column(bg_rgba, (n, 4)).tolist()
    angles = np.zeros(n) if rotation is None else np.nan_to_num(_column(rotation, (n,)))
    usable = np.asarray(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1))
    upright = _corners(np.where(usable[:, None], boxes, 0))
    edges = np.rint(np.clip(upright, -LIMIT, LIMIT))
    turned = turned_corners(upright, angles) if angles.any() else upright
    ink = canvas.inks.ink
    for row in np.flatnonzero(usable).tolist():
        ground = grounds[row] if filled[row] else None
        inner = None if ground is None else ink(tuple(ground))
        outer = ink(tuple(borders[row])) if widths[row] else None
        if angles[row] % 360:
            _turned_box(canvas, turned[row], int(widths[row]), outer, inner)
        else:
            x0, y0, x1, y1 = map(int, edges[row])
            _box(canvas, x0, y0, max(x1, x0 + 1), max(y1, y0 + 1), int(widths[row]), outer, inner)


def draw_labels(
    frame: Frame, texts: Sequence[str], ltwh: ArrayLike, rgba: ArrayLike, size: int = text.DEFAULT_SIZE
) -> None:
    """Write a label on top of each box: black or white, on a ground of the box's colour.

    A label that would stand above the frame is written inside of its box, one beyond an edge is moved in.

    Args:
        frame: Any format; its planes are written to.
        texts: ``n`` labels; an empty one is left out.
        ltwh: ``(n, 4)`` left, top, width, height in pixels of the frame.
        rgba: ``(n, 4)`` or one colour, 0–1, of the grounds.
        size: Height of the font in pixels.

    Raises:
        FrameError: The frame is read-only.
        ValueError: The number of texts or colours does not fit the number of boxes.
    """
    boxes = np.asarray(ltwh, np.float64).reshape(-1, 4)
    if len(texts) != len(boxes):
        raise ValueError(f"{len(texts)} labels for {len(boxes)} boxes; give one for each box")
    canvas = Canvas(frame)
    colors = _column(rgba, (len(boxes), 4)).tolist()
    for label, (left, top, width, height), (r, g, b, a) in zip(texts, boxes.tolist(), colors, strict=True):
        if label and shapes.finite(left, top, width, height):
            _label(canvas, label, left, top, (r, g, b, a), size)


def _label(canvas: Canvas, label: str, left: float, top: float, ground: RGBA, size: int) -> None:
    width, height = text.text_size(label, size)
    x, y = int(min(max(left, -LIMIT), LIMIT)), int(min(max(top, -LIMIT), LIMIT))
    x = max(min(x, canvas.width - width), 0)
    y = y - height if y >= height else max(y, 0)
    text.draw_text(canvas, label, x, y, size, contrasting(ground), ground)


def _box(
    canvas: Canvas, x0: int, y0: int, x1: int, y1: int, width: int, outer: Ink | None, inner: Ink | None
) -> None:
    grow = width // 2
    x0, y0, x1, y1 = x0 - grow, y0 - grow, x1 + grow, y1 + grow
    if 2 * width >= min(x1 - x0, y1 - y0) and outer is not None:
        canvas.fill(x0, y0, x1, y1, outer)
        return
    left, top, right, bottom = x0 + width, y0 + width, x1 - width, y1 - width
    if inner is not None:
        canvas.fill(left, top, right, bottom, inner)
    if outer is not None:
        canvas.fill(x0, y0, x1, top, outer)
        canvas.fill(x0, bottom, x1, y1, outer)
        canvas.fill(x0, top, left, bottom, outer)
        canvas.fill(right, top, x1, bottom, outer)


def _turned_box(
    canvas: Canvas, corners: NDArray[np.float64], width: int, outer: Ink | None, inner: Ink | None
) -> None:
    if inner is not None:
        shapes.polygon(canvas, corners, inner)
    if outer is not None:
        shapes.polyline(canvas, corners, width, outer, closed=True)


def _corners(ltwh: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]])


def _column(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.broadcast_to(np.asarray(values, np.float64), shape)
