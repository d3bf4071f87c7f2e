"""Shapes that the overlay draws: text, boxes, lines, arrows, circles and masks.

Plain mutable records. Coordinates and widths are pixels of the frame, colours are 0–1. Sub-objects
(`Text.font`, `Rect.border_color`, …) may be replaced or changed in place. Nothing is checked when a shape is
filled; the drawing code clips and ignores what it cannot draw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

_Class = TypeVar("_Class", bound=type)


def _accept_bytes(cls: _Class) -> _Class:
    """Let ``display_text`` of a slots class be set from bytes; invalid UTF-8 survives."""
    slot: Any = cls.__dict__["display_text"]
    get: Callable[[object], str] = slot.__get__
    put: Callable[[object, str], None] = slot.__set__

    def setter(self: object, text: str | bytes) -> None:
        put(self, text if isinstance(text, str) else bytes(text).decode("utf-8", "surrogateescape"))

    cls.display_text = property(get, setter, doc="The text; bytes are decoded when set.")  # type: ignore[attr-defined]
    return cls


class FontFamily(IntEnum):
    """Font families that a `Font` can name."""

    Serif = 0


class ArrowHead(IntEnum):
    """Which end of an `Arrow` carries the head."""

    Start = 0
    End = 1
    Both = 2


@dataclass(slots=True)
class Color:
    """A colour; every channel is 0–1 and alpha 1 is opaque.

    Example:
        >>> Color(1.0, 0.5).rgba
        (1.0, 0.5, 0.0, 0.0)
    """

    r: float = 0.0
    g: float = 0.0
    b: float = 0.0
    a: float = 0.0

    @property
    def rgba(self) -> tuple[float, float, float, float]:
        """The four channels as a tuple."""
        return self.r, self.g, self.b, self.a

    def copy(self) -> Color:
        """An independent copy."""
        return Color(self.r, self.g, self.b, self.a)


@dataclass(slots=True)
class Font:
    """A font: family (or its name), size in points of the frame's pixels, colour of the letters."""

    name: FontFamily | str = FontFamily.Serif
    size: int = 0
    color: Color = field(default_factory=Color)

    def copy(self) -> Font:
        """An independent copy."""
        return Font(self.name, self.size, self.color.copy())


@_accept_bytes
@dataclass(slots=True)
class Text:
    """A text to draw on a frame, as `DisplayMetadata.add_text` takes it.

    Attributes:
        display_text: The text. UTF-8 bytes may be assigned too; invalid ones are kept as surrogate escapes.
        x_offset: Left edge in pixels.
        y_offset: Top edge in pixels.
        font: Family, size and colour.
        set_bg_color: Whether the text stands on a filled box.
        bg_color: Colour of that box.

    Example:
        >>> text = Text(b"Person=2", 10, 12, Font(size=12, color=Color(1, 1, 1, 1)))
        >>> text.font.color.g = 0.5
        >>> text.display_text, text.params().font_params.color.g
        ('Person=2', 0.5)
    """

    display_text: str = ""
    x_offset: int = 0
    y_offset: int = 0
    font: Font = field(default_factory=Font)
    set_bg_color: bool = False
    bg_color: Color = field(default_factory=Color)

    def copy(self) -> Text:
        """An independent copy."""
        return Text(
            self.display_text, self.x_offset, self.y_offset,
            self.font.copy(), self.set_bg_color, self.bg_color.copy(),
        )  # fmt: skip

    def params(self) -> TextParams:
        """An independent copy in the form that objects carry."""
        return TextParams(
            self.display_text, self.x_offset, self.y_offset,
            self.font.copy(), self.set_bg_color, self.bg_color.copy(),
        )  # fmt: skip


@_accept_bytes
@dataclass(slots=True)
class TextParams:
    """The label of an object; the fields of `Text` under the names that objects use."""

    display_text: str = ""
    x_offset: int = 0
    y_offset: int = 0
    font_params: Font = field(default_factory=Font)
    set_bg_clr: bool = False
    text_bg_clr: Color = field(default_factory=Color)

    def copy(self) -> TextParams:
        """An independent copy."""
        return TextParams(
            self.display_text, self.x_offset, self.y_offset,
            self.font_params.copy(), self.set_bg_clr, self.text_bg_clr.copy(),
        )  # fmt: skip


@dataclass(slots=True)
class Rect:
    """A box, with border and filling.

    May be subclassed by a view whose fields are properties; `copy` of such a view is a plain `Rect`.

    Attributes:
        left: Left edge in pixels.
        top: Top edge in pixels.
        width: Width in pixels.
        height: Height in pixels.
        rotation_angle: Degrees, clockwise on the screen, about the centre.
        border_width: Border in pixels; 0 draws none.
        border_color: Colour of the border.
        has_bg_color: Whether the inside is filled.
        bg_color: Colour of the filling.

    Example:
        >>> box = Rect(10, 20, 30, 40, border_width=2)
        >>> box.border_color.r = 1.0
        >>> box.copy() == box
        True
    """

    left: float = 0.0
    top: float = 0.0
    width: float = 0.0
    height: float = 0.0
    rotation_angle: float = 0.0
    border_width: int = 0
    border_color: Color = field(default_factory=Color)
    has_bg_color: bool = False
    bg_color: Color = field(default_factory=Color)

    def copy(self) -> Rect:
        """An independent copy."""
        return Rect(
            self.left, self.top, self.width, self.height, self.rotation_angle,
            self.border_width, self.border_color.copy(), self.has_bg_color, self.bg_color.copy(),
        )  # fmt: skip


@dataclass(slots=True)
class Line:
    """A straight line from ``(x1, y1)`` to ``(x2, y2)``, ``width`` pixels wide."""

    x1: int = 0
    y1: int = 0
    x2: int = 0
    y2: int = 0
    width: int = 0
    color: Color = field(default_factory=Color)

    def copy(self) -> Line:
        """An independent copy."""
        return Line(self.x1, self.y1, self.x2, self.y2, self.width, self.color.copy())


@dataclass(slots=True)
class Arrow:
    """A line with a head at its start, its end, or both."""

    x1: int = 0
    y1: int = 0
    x2: int = 0
    y2: int = 0
    width: int = 0
    color: Color = field(default_factory=Color)
    head: ArrowHead = ArrowHead.Start

    def copy(self) -> Arrow:
        """An independent copy."""
        return Arrow(self.x1, self.y1, self.x2, self.y2, self.width, self.color.copy(), self.head)


@dataclass(slots=True)
class Circle:
    """A circle around ``(xc, yc)``; ``width`` is that of its outline (0 is drawn as 1)."""

    xc: int = 0
    yc: int = 0
    radius: int = 0
    color: Color = field(default_factory=Color)
    has_bg_color: bool = False
    bg_color: Color = field(default_factory=Color)
    width: int = 0

    def copy(self) -> Circle:
        """An independent copy."""
        return Circle(
            self.xc, self.yc, self.radius, self.color.copy(),
            self.has_bg_color, self.bg_color.copy(), self.width,
        )  # fmt: skip


@dataclass(slots=True, eq=False)
class Mask:
    """An instance mask over an object's box.

    Attributes:
        threshold: Values above it belong to the object.
        mask_array: ``(h, w)`` float32 scores that are stretched over the box; shape ``(0, 0)`` is no mask.

    Example:
        >>> Mask().mask_array.shape
        (0, 0)
    """

    threshold: float = 0.0
    mask_array: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))

    def copy(self) -> Mask:
        """An independent copy, scores included."""
        return Mask(self.threshold, self.mask_array.copy())
