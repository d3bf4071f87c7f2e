from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.draw import draw_boxes, draw_clock, draw_display, draw_masks, draw_polygon
from headrace.frames import PIXEL_FORMATS, to_rgb
from headrace.meta.osd import Arrow, ArrowHead, Circle, Color, Font, Line, Mask, Rect, Text, TextParams

GREY = 90  # of the fixture's frames
WHITE = Color(1, 1, 1, 1)


def test_lines_cover_what_lies_within_half_their_width(frame, changed):
    draw_display(frame, lines=[Line(10, 10, 80, 50, 6, WHITE)])
    y, x = np.mgrid[0:64, 0:96]
    along = np.array([70, 40]) / np.hypot(70, 40)
    t = np.clip((x - 10) * along[0] + (y - 10) * along[1], 0, np.hypot(70, 40))
    distance = np.hypot(x - 10 - t * along[0], y - 10 - t * along[1])
    marked = changed(frame)
    assert marked[distance < 2].all()
    assert not marked[distance > 5].any()


@pytest.mark.parametrize("alpha", [1.0, 0.5])
@pytest.mark.parametrize("format", ["NV12", "I420", "BGRx"])
def test_strokes_have_their_colour_in_every_format(format, alpha, grey):
    frame = grey(format)
    draw_display(frame, lines=[Line(5, 32, 90, 32, 8, Color(1, 0, 0, alpha))])
    wanted = (1 - alpha) * GREY + alpha * np.array([255, 0, 0])
    assert np.abs(to_rgb(frame)[31:34, 10:80] - wanted).max() <= 4


@pytest.mark.parametrize("alpha", [1.0, 0.4])
def test_circles_are_round_and_filled_when_asked(frame, alpha, changed, grey):
    y, x = np.mgrid[0:64, 0:96]
    radius = np.hypot(x - 48, y - 32)
    draw_display(frame, circles=[Circle(48, 32, 20, Color(1, 1, 1, alpha), width=3)])
    ring = changed(frame)
    assert ring[abs(radius - 20) < 0.7].all()
    assert not ring[abs(radius - 20) > 4].any()
    frame = grey(frame.format)
    draw_display(frame, circles=[Circle(48, 32, 20, Color(), True, Color(0, 0, 0, alpha))])
    assert changed(frame)[radius < 19].all()


@pytest.mark.parametrize(
    ("head", "ends"), [(ArrowHead.Start, "s"), (ArrowHead.End, "e"), (ArrowHead.Both, "se")]
)
def test_arrows_are_wide_where_their_heads_are(frame, head, ends, changed):
    draw_display(frame, arrows=[Arrow(10, 32, 86, 32, 2, WHITE, head)])
    marked = changed(frame)
    at_start, at_end = marked[:, 10:24].sum(0).max(), marked[:, 72:86].sum(0).max()
    assert (at_start > 8) == ("s" in ends)
    assert (at_end > 8) == ("e" in ends)
    assert 2 <= marked[:, 48].sum() <= 5


def test_polygons_have_outline_and_filling(frame, changed):
    draw_polygon(frame, [[20, 10], [70, 10], [70, 50], [20, 50]], 2, (1, 1, 1, 1), (0, 0, 0, 0.5))
    marked = changed(frame)
    assert marked[12:48, 22:68].all()
    assert not marked[:, 74:].any()


def test_masks_tint_what_is_above_the_threshold(frame, changed):
    scores = np.zeros((4, 4), np.float32)
    scores[:, 2:] = 0.9
    draw_masks(frame, [[16, 12, 40, 40]], [Mask(0.5, scores)], (1, 1, 1, 0.5))
    marked = changed(frame)
    assert marked[12:52, 38:56].all()
    assert not marked[:, :34].any()
    assert not marked[:, 58:].any()


@pytest.mark.parametrize("box", [(-20, -12, 61, 43), (70, 40, 61, 43), (-500, -500, 1200, 1100)], ids=str)
def test_the_visible_part_of_a_mask_is_where_the_whole_would_be(box, changed, grey):
    frame = grey("GRAY8")
    y, x = np.mgrid[-1:1:28j, -1:1:28j]
    mask = Mask(0.3, (1 - np.hypot(x, y)).astype(np.float32))
    draw_masks(frame, [box], [mask], (1, 1, 1, 0.5))
    y, x = np.mgrid[0:64, 0:96] + 0.5
    # The mask's outer samples lie half a cell inside of the box.
    ellipse = (
        np.hypot((x - box[0] - box[2] / 2) / (box[2] / 2), (y - box[1] - box[3] / 2) / (box[3] / 2)) * 28 / 27
    )
    marked = changed(frame)
    assert marked[ellipse < 0.66].all()
    assert not marked[ellipse > 0.74].any()


def test_empty_masks_are_left_out_and_a_missing_one_is_an_error(frame, changed):
    draw_masks(
        frame,
        [[0, 0, 9, 9], [0, 0, 9, 9], [0, 0, 0, 9]],
        [None, Mask(), Mask(0, np.ones((2, 2), np.float32))],
        (1, 1, 1, 1),
    )
    assert not changed(frame).any()
    with pytest.raises(ValueError, match="0 masks for 1 boxes"):
        draw_masks(frame, [[0, 0, 9, 9]], [], (1, 1, 1, 1))


def test_rects_equal_boxes_and_texts_of_both_kinds_are_drawn(frame, changed, grey):
    other = grey(frame.format)
    draw_display(frame, [Rect(20, 16, 40, 30, 0, 3, WHITE, True, Color(0, 0, 0, 0.5))])
    draw_boxes(other, [[20, 16, 40, 30]], 3, (1, 1, 1, 1), True, (0, 0, 0, 0.5))
    assert np.array_equal(frame.planes[0], other.planes[0])
    before = changed(frame).sum()
    draw_display(frame, texts=[Text(b"a", 2, 2, Font(size=12, color=WHITE)), Text("")])
    middle = changed(frame).sum()
    draw_display(frame, texts=[TextParams("b", 70, 2, Font(size=12, color=WHITE), True, Color(0, 0, 0, 1))])
    assert before < middle < changed(frame).sum()


def test_the_clock_shows_the_time_it_is_given(frame, changed, grey):
    other = grey(frame.format)
    draw_clock(frame, 0, 10, 8, now=datetime(2024, 5, 6, 7, 8, 9))
    draw_display(other, texts=[Text("2024-05-06 07:08:09", 0, 10, Font(size=8, color=WHITE))])
    assert changed(frame).any()
    assert np.array_equal(frame.planes[0], other.planes[0])


numbers = st.floats() | st.integers(-200, 200) | st.sampled_from([1e30, -(2**40), 2**31, 32768])
colors = st.builds(Color, *[st.floats(0, 1) | st.just(1.0)] * 4)


@given(
    st.lists(st.builds(Line, numbers, numbers, numbers, numbers, numbers, colors), max_size=3),
    st.lists(
        st.builds(Arrow, numbers, numbers, numbers, numbers, numbers, colors, st.sampled_from(ArrowHead)),
        max_size=3,
    ),
    st.lists(
        st.builds(Circle, numbers, numbers, numbers, colors, st.booleans(), colors, numbers), max_size=3
    ),
    st.lists(
        st.builds(Text, st.text(max_size=8), numbers, numbers, st.builds(Font, st.just(""), numbers, colors)),
        max_size=3,
    ),
    st.sampled_from(PIXEL_FORMATS),
)
def test_no_number_and_no_character_breaks_it(grey, lines, arrows, circles, texts, format):
    frame = grey(format, 33, 17)
    guard = [np.asarray(p.base)[:, p.shape[1] :].copy() for p in frame.planes]
    draw_display(frame, [], texts, lines, arrows, circles)
    for plane, before in zip(frame.planes, guard, strict=True):
        assert np.array_equal(np.asarray(plane.base)[:, plane.shape[1] :], before)
