"""Things to draw on a frame that are not objects."""

from __future__ import annotations

from typing import Any

from headrace.meta.objects import copied
from headrace.meta.osd import Arrow, Circle, Line, Rect, Text, TextParams

#: Most shapes of one kind that one display meta holds; more are ignored, as DeepStream does.
MAX_ELEMENTS = 16


class DisplayMetadata:
    """Up to 16 each of texts, boxes, lines, arrows and circles (contract §4.5).

    Made by `BatchMetadata.acquire_display_meta`; drawn even when it is never appended to a frame. Shapes are
    copied when they are added.

    Attributes:
        frame: Position in the batch of the frame it was appended to, -1 before that.
        rects, texts, lines, arrows, circles: The shapes.
        extras: Anything else by name; values are copied with the meta, by `copy.copy`.

    Example:
        >>> from headrace.meta import BatchMetadata, osd
        >>> batch = BatchMetadata.new(1)
        >>> display = batch.acquire_display_meta()
        >>> display.add_text(osd.Text(b"Person=2", 10, 12))
        >>> batch.frames[0].append(display)
        >>> display.n_labels, display.texts[0].display_text
        (1, 'Person=2')
    """

    __slots__ = ("arrows", "circles", "extras", "frame", "lines", "rects", "texts")

    def __init__(self) -> None:
        raise TypeError("a DisplayMetadata comes from batch_meta.acquire_display_meta(), not from its class")

    @classmethod
    def _new(cls) -> DisplayMetadata:
        meta = object.__new__(cls)
        meta.frame, meta.extras = -1, {}
        meta.rects, meta.texts, meta.lines, meta.arrows, meta.circles = [], [], [], [], []
        return meta

    frame: int
    extras: dict[str, Any]
    rects: list[Rect]
    texts: list[TextParams]
    lines: list[Line]
    arrows: list[Arrow]
    circles: list[Circle]

    def add_text(self, text: Text) -> None:
        """Draw a text; later changes of `text` do not show."""
        if len(self.texts) < MAX_ELEMENTS:
            self.texts.append(text.params())

    def add_rect(self, rect: Rect) -> None:
        """Draw a box."""
        if len(self.rects) < MAX_ELEMENTS:
            self.rects.append(rect.copy())

    def add_line(self, line: Line) -> None:
        """Draw a line."""
        if len(self.lines) < MAX_ELEMENTS:
            self.lines.append(line.copy())

    def add_arrow(self, arrow: Arrow) -> None:
        """Draw an arrow."""
        if len(self.arrows) < MAX_ELEMENTS:
            self.arrows.append(arrow.copy())

    def add_circle(self, circle: Circle) -> None:
        """Draw a circle."""
        if len(self.circles) < MAX_ELEMENTS:
            self.circles.append(circle.copy())

    @property
    def n_labels(self) -> int:
        """Number of texts."""
        return len(self.texts)

    @property
    def n_rects(self) -> int:
        """Number of boxes."""
        return len(self.rects)

    @property
    def n_lines(self) -> int:
        """Number of lines."""
        return len(self.lines)

    @property
    def n_arrows(self) -> int:
        """Number of arrows."""
        return len(self.arrows)

    @property
    def n_circles(self) -> int:
        """Number of circles."""
        return len(self.circles)

    def fork(self) -> DisplayMetadata:
        """An independent copy."""
        copy = DisplayMetadata._new()
        copy.frame, copy.extras = self.frame, copied(self.extras)
        copy.rects = [shape.copy() for shape in self.rects]
        copy.texts = [shape.copy() for shape in self.texts]
        copy.lines = [shape.copy() for shape in self.lines]
        copy.arrows = [shape.copy() for shape in self.arrows]
        copy.circles = [shape.copy() for shape in self.circles]
        return copy
