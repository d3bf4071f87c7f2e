from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from headrace.meta import osd

SHAPES = [osd.Color, osd.Font, osd.Text, osd.TextParams, osd.Rect, osd.Line, osd.Arrow, osd.Circle]


@pytest.mark.parametrize("shape", SHAPES)
def test_defaults_are_zero_or_empty(shape):
    for field in dataclasses.fields(shape):
        value = getattr(shape(), field.name)
        nested = (osd.Color, osd.Font)
        assert not value or (isinstance(value, nested) and value == type(value)())


@pytest.mark.parametrize(
    ("shape", "names"),
    [
        (osd.Color, "r g b a"),
        (osd.Font, "name size color"),
        (osd.Text, "display_text x_offset y_offset font set_bg_color bg_color"),
        (osd.TextParams, "display_text x_offset y_offset font_params set_bg_clr text_bg_clr"),
        (
            osd.Rect,
            "left top width height rotation_angle border_width border_color has_bg_color bg_color",
        ),
        (osd.Line, "x1 y1 x2 y2 width color"),
        (osd.Arrow, "x1 y1 x2 y2 width color head"),
        (osd.Circle, "xc yc radius color has_bg_color bg_color width"),
    ],
)
def test_positional_and_keyword_construction_agree(shape, names):
    values = {name: index for index, name in enumerate(names.split())}
    if "display_text" in values:
        values["display_text"] = "label"
    assert shape(*values.values()) == shape(**values)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("plain", "plain"), (b"plain", "plain"), ("Größe".encode(), "Größe"), (bytearray(b"x"), "x"), (b"", "")],
)
@pytest.mark.parametrize("shape", [osd.Text, osd.TextParams])
def test_display_text_takes_str_and_bytes(shape, value, expected):
    late = shape()
    late.display_text = value
    assert late.display_text == shape(value).display_text == expected


def test_bytes_that_are_not_utf8_come_back_unchanged():
    raw = b"caf\xe9 \xff"
    assert osd.Text(raw).display_text.encode("utf-8", "surrogateescape") == raw


def test_sub_objects_are_assignable_and_mutable_in_place():
    text = osd.Text()
    text.font = osd.Font(osd.FontFamily.Serif, 12, osd.Color(1, 1, 1, 1))
    text.font.color.r = 0.25
    text.bg_color = osd.Color(a=0.5)
    assert (text.font.color.rgba, text.bg_color.a) == ((0.25, 1, 1, 1), 0.5)
    assert osd.Text().font.color.rgba == (0, 0, 0, 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_copy_is_equal_and_shares_nothing_mutable(shape):
    original = shape()
    twin = original.copy()
    assert twin == original
    for field in dataclasses.fields(shape):
        value = getattr(original, field.name)
        if dataclasses.is_dataclass(value):
            assert getattr(twin, field.name) is not value


def test_later_edits_of_a_text_do_not_show_in_its_params():
    text = osd.Text("before", 1, 2, osd.Font(size=9), True, osd.Color(b=1))
    params = text.params()
    text.display_text, text.font.size, text.bg_color.b = "after", 1, 0
    assert params == osd.TextParams("before", 1, 2, osd.Font(size=9), True, osd.Color(b=1))


def test_a_copied_mask_owns_its_scores():
    mask = osd.Mask(0.5, np.ones((2, 3), np.float32))
    twin = mask.copy()
    mask.mask_array[:] = 0
    assert twin.mask_array.min() == 1
    assert twin.threshold == 0.5


def test_a_view_with_properties_can_stand_for_a_rect():
    class View(osd.Rect):
        __slots__ = ("row",)

        def __init__(self, row):
            self.row = row

        @property
        def left(self):
            return self.row[0]

        @left.setter
        def left(self, value):
            self.row[0] = value

    row = [3.0]
    view = View(row)
    view.left += 4
    assert row == [7.0]
    assert isinstance(view, osd.Rect)
