"""Lines, arrows, circles, polygons and rotated boxes as strokes on a canvas."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.draw.canvas import LIMIT, Canvas
from headrace.draw.ink import Bytes, Channels, Ink
from headrace.meta.osd import ArrowHead

_BITS = 4  # binary places of the fixed-point coordinates that OpenCV takes
_WIDEST = 1024

Points = NDArray[np.float64]


def finite(*values: float) -> bool:
    """Whether all values are numbers that can be drawn: no NaN, no infinity."""
    return all(map(math.isfinite, values))


def line(
    canvas: Canvas, start: tuple[float, float], end: tuple[float, float], width: float, ink: Ink
) -> None:
    """A straight line; its ends are round."""
    if finite(*start, *end, width):
        polyline(canvas, np.array([start, end], np.float64), width, ink, closed=False)


def polyline(canvas: Canvas, points: Points, width: float, ink: Ink, closed: bool) -> None:
    """Lines through ``(n, 2)`` points; a width under 1 is 1."""
    if len(points) < 2 or not np.isfinite(points).all() or not finite(width):
        return
    thick = _width(width)

    def paint(image: Bytes, x0: int, y0: int, halved: bool, value: Channels) -> None:
        fixed = [_fixed(points, x0, y0, halved)]
        cv2.polylines(image, fixed, closed, value, _halved(thick, halved), cv2.LINE_AA, _BITS)

    canvas.stroke(_bounds(points, thick), ink, paint)


def segments(canvas: Canvas, pairs: Points, width: float, ink: Ink) -> None:
    """Straight lines between ``(n, 2, 2)`` pairs of points, in one go; all are finite."""
    if not len(pairs):
        return
    thick = _width(width)

    def paint(image: Bytes, x0: int, y0: int, halved: bool, value: Channels) -> None:
        fixed = list(_fixed(pairs, x0, y0, halved))
        cv2.polylines(image, fixed, False, value, _halved(thick, halved), cv2.LINE_AA, _BITS)

    canvas.stroke(_bounds(pairs.reshape(-1, 2), thick), ink, paint)


def dots(canvas: Canvas, centers: Points, radius: float, ink: Ink) -> None:
    """Filled circles of one size around ``(n, 2)`` points, in one go; all are finite."""

    def paint(image: Bytes, x0: int, y0: int, halved: bool, value: Channels) -> None:
        size = round(radius * (1 << _BITS)) >> halved
        for x, y in _fixed(centers, x0, y0, halved).tolist():
            cv2.circle(image, (x, y), size, value, -1, cv2.LINE_AA, _BITS)

    if len(centers):
        canvas.stroke(_bounds(centers, round(2 * radius)), ink, paint)


def polygon(canvas: Canvas, points: Points, ink: Ink) -> None:
    """The inside of the polygon through ``(n, 2)`` points."""
    if len(points) < 3 or not np.isfinite(points).all():
        return

    def paint(image: Bytes, x0: int, y0: int, halved: bool, value: Channels) -> None:
        cv2.fillPoly(image, [_fixed(points, x0, y0, halved)], value, cv2.LINE_AA, _BITS)

    canvas.stroke(_bounds(points, 1), ink, paint)


def arrow(
    canvas: Canvas, start: tuple[float, float], end: tuple[float, float], width: float, head: int, ink: Ink
) -> None:
    """A line with a filled head at its start, its end or both; nothing when both ends are one point."""
    if not finite(*start, *end, width) or start == end:
        return
    thick = _width(width)
    points = np.array([start, end], np.float64)
    heads = []
    if head != ArrowHead.End:
        heads.append(_head(points[1], points[0], thick))
    if head != ArrowHead.Start:
        heads.append(_head(points[0], points[1], thick))
    shaft = _shaft(points, heads, head)

    def paint(image: Bytes, x0: int, y0: int, halved: bool, value: Channels) -> None:
        fixed = [_fixed(shaft, x0, y0, halved)]
        cv2.polylines(image, fixed, False, value, _halved(thick, halved), cv2.LINE_AA, _BITS)
        for triangle in heads:
            cv2.fillPoly(image, [_fixed(triangle, x0, y0, halved)], value, cv2.LINE_AA, _BITS)

    canvas.stroke(_bounds(np.concatenate([points, *heads]), thick), ink, paint)


def circle(canvas: Canvas, center: tuple[float, float], radius: float, width: float, ink: Ink) -> None:
    """A circle; ``width`` is that of the outline, negative fills it."""
    if not finite(*center, radius, width) or radius <= 0:
        return
    thick = -1 if width < 0 else _width(width)
    point = np.array([center], np.float64)

    def paint(image: Bytes, x0: int, y0: int, halved: bool, value: Channels) -> None:
        x, y = _fixed(point, x0, y0, halved)[0].tolist()
        size = round(min(radius, LIMIT) * (1 << _BITS)) >> halved
        thickness = thick if thick < 0 else _halved(thick, halved)
        cv2.circle(image, (x, y), size, value, thickness, cv2.LINE_AA, _BITS)

    canvas.stroke(_bounds(point, round(2 * min(radius, LIMIT)) + max(thick, 0)), ink, paint)


def _head(tail: Points, tip: Points, thick: int) -> Points:
    length = float(np.hypot(*(tip - tail)))
    along = (tip - tail) / length
    size = min(4.0 * thick + 6.0, length)
    across = np.array([-along[1], along[0]]) * size / 2
    base = tip - along * size
    return np.stack([tip, base + across, base - across])


def _shaft(points: Points, heads: Sequence[Points], head: int) -> Points:
    """The line without the tips, which a wide line would blunt."""
    start, end = points
    if head != ArrowHead.End:
        start = heads[0][1:].mean(axis=0)
    if head != ArrowHead.Start:
        end = heads[-1][1:].mean(axis=0)
    return np.stack([start, end])


def _width(width: float) -> int:
    return int(min(max(round(min(width, _WIDEST)), 1), _WIDEST))


def _halved(thick: int, halved: bool) -> int:
    """Width on a plane; a little wide on chroma: missing colour shows more than bleeding colour."""
    return thick // 2 + 1 if halved else thick


def _fixed(points: Points, x0: int, y0: int, halved: bool) -> NDArray[np.int32]:
    """Points relative to an image's origin, in OpenCV's fixed point; a chroma sample spans two pixels."""
    local = np.clip(points, -LIMIT, LIMIT) - (x0, y0)
    if halved:
        local = (local - 0.5) / 2
    return np.rint(local * (1 << _BITS)).astype(np.int32)


def _bounds(points: Points, thick: int) -> tuple[int, int, int, int]:
    margin = thick // 2 + 2
    low, high = np.clip([points.min(axis=0), points.max(axis=0)], -LIMIT, LIMIT).astype(int).tolist()
    return low[0] - margin, low[1] - margin, high[0] + margin + 1, high[1] + margin + 1
