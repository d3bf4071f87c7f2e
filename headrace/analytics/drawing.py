"""The rules of a stream as shapes on the frame (contract: elements §8)."""

from __future__ import annotations

from collections.abc import Iterator

from headrace.analytics.analyser import FrameResult
from headrace.analytics.config import Points, StreamRules
from headrace.meta.osd import Arrow, ArrowHead, Color, Font, Line, Text

_YELLOW, _ORANGE = (1.0, 1.0, 0.0, 1.0), (1.0, 0.5, 0.0, 1.0)
_GREEN, _RED, _WHITE = (0.0, 1.0, 0.0, 1.0), (1.0, 0.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0)
_BLACK = (0.0, 0.0, 0.0, 0.6)
_WIDTH = 3
Shape = Line | Arrow | Text


def shapes(rules: StreamRules, result: FrameResult, font_size: int, counts: bool) -> Iterator[Shape]:
    """What to draw on one frame.

    Args:
        rules: In pixels of the frame.
        result: What was counted in it.
        font_size: Size of texts.
        counts: Whether labels carry their counts.
    """

    def text(label: str, count: int, at: Points) -> Text:
        return _text(f"{label}={count}" if counts else label, at, font_size)

    for region in rules.regions:
        yield from _outline(region.polygon, _YELLOW)
        yield text(region.label, result.in_roi[region.label], region.polygon[0])
    for region in rules.crowds:
        yield from _outline(region.polygon, _ORANGE)
        yield text(region.label, result.in_roi[region.label], region.polygon[0])
    for rule in rules.lines:
        yield _line(rule.ends[0], rule.ends[1], _GREEN)
        yield _arrow(rule.arrow)
        yield text(rule.label, result.line_total[rule.label], rule.ends[0])
    for direction in rules.directions:
        yield _arrow(direction.arrow)
        yield _text(direction.label, direction.arrow[0], font_size)


def banner(result: FrameResult, font_size: int) -> Iterator[Text]:
    """One line of text for each class with its number of objects."""
    for row, (class_id, count) in enumerate(result.per_class.items()):
        yield _text(f"Count for ClassId{class_id}={count}", (10, 10 + row * 2 * font_size), font_size)


def _outline(polygon: Points, color: tuple[float, float, float, float]) -> Iterator[Line]:
    for index in range(len(polygon)):
        yield _line(polygon[index - 1], polygon[index], color)


def _line(start: Points, end: Points, color: tuple[float, float, float, float]) -> Line:
    return Line(*_whole(start), *_whole(end), _WIDTH, Color(*color))


def _arrow(points: Points) -> Arrow:
    return Arrow(*_whole(points[0]), *_whole(points[1]), _WIDTH, Color(*_RED), ArrowHead.End)


def _text(text: str, at: Points | tuple[int, int], size: int) -> Text:
    return Text(text, *_whole(at), Font(size=size, color=Color(*_WHITE)), True, Color(*_BLACK))


def _whole(point: Points | tuple[int, int]) -> tuple[int, int]:
    return max(round(float(point[0])), 0), max(round(float(point[1])), 0)
