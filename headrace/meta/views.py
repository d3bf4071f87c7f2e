"""Boxes and colours of an object as live views of its row in the table."""

from __future__ import annotations

from typing import Any

from headrace.meta.objects import DEFAULT_BORDER, ObjectTable
from headrace.meta.osd import Color, Rect


def _number(column: str, index: int) -> Any:
    def get(self: Any) -> float:
        value: float = self._table.columns[column].item(self._row, index)
        return value

    def put(self: Any, value: float) -> None:
        self._table.columns[column][self._row, index] = value

    return property(get, put)


def _channel(index: int) -> Any:
    def get(self: Any) -> float:
        value: float = self._table.columns[self._column].item(self._row, index)
        return value

    def put(self: Any, value: float) -> None:
        self._table.columns[self._column][self._row, index] = value

    return property(get, put)


class TableColor(Color):
    """A colour column of one object; reading and writing a channel goes to the table."""

    __slots__ = ("_column", "_row", "_table")

    def __init__(self, table: ObjectTable, row: int, column: str) -> None:
        self._table, self._row, self._column = table, row, column

    r, g, b, a = _channel(0), _channel(1), _channel(2), _channel(3)


class TableRect(Rect):
    """The box of one object (`ObjectMetadata.rect_params`); every field reads and writes the table."""

    __slots__ = ("_row", "_table")

    def __init__(self, table: ObjectTable, row: int) -> None:
        self._table, self._row = table, row

    left, top = _number("rect", 0), _number("rect", 1)
    width, height = _number("rect", 2), _number("rect", 3)

    @property
    def rotation_angle(self) -> float:
        """Clockwise rotation about the centre in degrees."""
        return float(self._table.cell("rotation", self._row))

    @rotation_angle.setter
    def rotation_angle(self, value: float) -> None:
        self._table.set_cell("rotation", self._row, value)

    @property
    def border_width(self) -> int:
        """Border in pixels; 0 when nobody has set it (it is then drawn in the default style)."""
        width = self._table.cell("border_width", self._row)
        return 0 if width == DEFAULT_BORDER else int(width)

    @border_width.setter
    def border_width(self, value: int) -> None:
        self._table.set_cell("border_width", self._row, value)

    @property
    def border_color(self) -> Color:
        """Colour of the border, live."""
        return TableColor(self._table, self._row, "border_color")

    @border_color.setter
    def border_color(self, value: Color) -> None:
        self._table.set_cell("border_color", self._row, value.rgba)

    @property
    def has_bg_color(self) -> bool:
        """Whether the inside is filled."""
        return bool(self._table.cell("has_bg_color", self._row))

    @has_bg_color.setter
    def has_bg_color(self, value: bool) -> None:
        self._table.set_cell("has_bg_color", self._row, bool(value))

    @property
    def bg_color(self) -> Color:
        """Colour of the filling, live."""
        return TableColor(self._table, self._row, "bg_color")

    @bg_color.setter
    def bg_color(self, value: Color) -> None:
        self._table.set_cell("bg_color", self._row, value.rgba)

    def assign(self, other: Rect) -> None:
        """Copy every field of another box into the table."""
        rect = self._table.cell("rect", self._row)
        rect[:] = other.left, other.top, other.width, other.height
        self.rotation_angle = other.rotation_angle
        self.border_width = other.border_width
        self.border_color = other.border_color
        self.has_bg_color = other.has_bg_color
        self.bg_color = other.bg_color

    def __repr__(self) -> str:
        return f"Rect(left={self.left:g}, top={self.top:g}, width={self.width:g}, height={self.height:g})"
