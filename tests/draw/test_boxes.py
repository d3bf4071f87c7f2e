from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.draw import class_color, class_colors, contrasting, draw_boxes, draw_labels, rgba_from_int
from headrace.errors import FrameError
from headrace.frames import PIXEL_FORMATS, Colorimetry, Frame, convert, to_rgb

GREY = 90  # of the fixture's frames
RED = (1.0, 0.0, 0.0, 1.0)
COLOR_FORMATS = [f for f in PIXEL_FORMATS if f != "GRAY8"]


def naive_box(x0, y0, x1, y1, width, size=(64, 96)):
    """Which pixels the border covers, pixel by pixel."""
    covered = np.zeros(size, bool)
    grow = width // 2
    for y in range(size[0]):
        for x in range(size[1]):
            outside = not (x0 - grow <= x < x1 + grow and y0 - grow <= y < y1 + grow)
            deep = width - grow
            inside = x0 + deep <= x < x1 - deep and y0 + deep <= y < y1 - deep
            covered[y, x] = not outside and not inside
    return covered


@pytest.mark.parametrize("width", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(
    "box", [(20, 16, 40, 30), (21, 17, 33, 21), (-10, -8, 40, 30), (80, 50, 40, 40), (0, 0, 96, 64)]
)
def test_a_border_covers_the_pixels_around_the_edge(frame, box, width, changed):
    left, top, w, h = box
    draw_boxes(frame, [box], width, RED)
    assert np.array_equal(changed(frame), naive_box(left, top, left + w, top + h, width))


@pytest.mark.parametrize("format", COLOR_FORMATS)
@pytest.mark.parametrize(
    "color", [Colorimetry(m, r) for m in ("bt601", "bt709") for r in (False, True)], ids=str
)
@pytest.mark.parametrize(
    "rgb", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (10, 120, 200)], ids=str
)
def test_colours_look_the_same_in_every_format(format, color, rgb):
    base = Frame.from_array(np.full((64, 96, 3), GREY, np.uint8), "RGB")
    frame = convert(base, format, color)
    if frame is base:
        frame = Frame.from_array(base.planes[0].copy(), "RGB")
    draw_boxes(frame, [[20, 16, 40, 30]], 0, RED, True, [c / 255 for c in rgb] + [1.0])
    got = to_rgb(frame).astype(int)
    assert np.abs(got[20:42, 24:56] - rgb).max() <= 3
    assert np.abs(got[50:, :] - GREY).max() <= 2


@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.9])
@pytest.mark.parametrize("format", COLOR_FORMATS)
def test_a_translucent_filling_mixes_with_the_picture(format, alpha, grey):
    frame = grey(format)
    draw_boxes(frame, [[20, 16, 40, 30]], 2, RED, True, (0.0, 0.0, 1.0, alpha))
    got = to_rgb(frame).astype(int)[22:40, 26:54]
    wanted = (1 - alpha) * GREY + alpha * np.array([0, 0, 255])
    assert np.abs(got - wanted).max() <= 4


def test_without_border_filling_and_opacity_nothing_is_drawn(frame, changed):
    draw_boxes(frame, [[20, 16, 40, 30]], 0, RED)
    draw_boxes(frame, [[20, 16, 40, 30]], 3, (1, 0, 0, 0), True, (0, 1, 0, 0))
    draw_boxes(frame, np.empty((0, 4)), 3, RED)
    assert not changed(frame).any()


def test_columns_apply_row_by_row(grey):
    frame = grey("RGB")
    colors = [[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]]
    boxes = [[4, 4, 20, 20], [34, 4, 20, 20], [64, 4, 20, 20]]
    draw_boxes(frame, boxes, [2, 0, 4], colors, [False, True, True], colors[::-1])
    rgb = frame.planes[0]
    assert rgb[4, 14].tolist() == [255, 0, 0]
    assert rgb[14, 14].tolist() == [GREY] * 3
    assert rgb[14, 44].tolist() == [0, 255, 0]
    assert rgb[4, 74].tolist() == [0, 0, 255]
    assert rgb[14, 74].tolist() == [255, 0, 0]


def test_a_turned_box_stands_on_its_corner(frame, changed):
    draw_boxes(frame, [[28, 12, 40, 40]], 2, RED, rotation=[45])
    marked = changed(frame)
    rows, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    reach = 20 * 2**0.5
    assert abs(rows[0] - (32 - reach)) <= 3
    assert abs(columns[-1] - (48 + reach)) <= 3
    assert not marked[12, 28]


@pytest.mark.parametrize("angle", [0, 360, -360, 720])
def test_a_full_turn_is_no_turn(angle, grey):
    turned, plain = grey("NV12"), grey("NV12")
    draw_boxes(turned, [[20, 16, 40, 30]], 3, RED, rotation=[angle])
    draw_boxes(plain, [[20, 16, 40, 30]], 3, RED)
    assert np.array_equal(turned.planes[0], plain.planes[0])


numbers = (
    st.floats(width=32) | st.integers(-100, 200).map(float) | st.sampled_from([1e30, -1e30, 0.5, 32768.0])
)


@given(
    st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=4),
    numbers,
    st.sampled_from(PIXEL_FORMATS),
    numbers,
    st.floats(),
)
def test_no_number_breaks_it(grey, boxes, width, format, angle, alpha):
    frame = grey(format, 33, 17)
    guard = [np.asarray(p.base)[:, p.shape[1] :].copy() for p in frame.planes]
    array = np.array(boxes, np.float32).reshape(-1, 4)
    draw_boxes(frame, array, width, (1, 0, 0, alpha), True, (0, 1, alpha, 0.5), angle)
    draw_labels(frame, ["x"] * len(boxes), array, (1, 0, 0, alpha))
    for plane, before in zip(frame.planes, guard, strict=True):
        assert np.array_equal(np.asarray(plane.base)[:, plane.shape[1] :], before)


def test_a_read_only_frame_is_refused_with_the_remedy(grey):
    frame = grey("NV12")
    frame.planes[0].flags.writeable = False
    with pytest.raises(FrameError, match=r"read-only.*writing"):
        draw_boxes(frame, [[0, 0, 9, 9]], 1, RED)


def test_labels_stand_on_their_boxes_and_stay_in_the_frame(changed, grey):
    frame = grey("RGB", 200, 100)
    draw_labels(frame, ["car", "", "bus"], [[20, 40, 60, 40], [0, 80, 9, 9], [190, 2, 60, 40]], RED)
    marked = changed(frame)
    assert marked[30:40, 20:30].all()
    assert not marked[40:, :100].any()
    assert marked[2:10, 195:].all()
    assert not marked[80:].any()


def test_a_wrong_number_of_labels_is_refused(grey):
    with pytest.raises(ValueError, match="1 labels for 2 boxes"):
        draw_labels(grey("RGB"), ["one"], [[0, 0, 9, 9], [1, 1, 9, 9]], RED)


def test_class_colours_are_distinct_and_lasting():
    colors = np.array([class_color(i) for i in range(10)])
    apart = np.abs(colors[:, None, :3] - colors[None, :, :3]).sum(-1) + 9 * np.eye(10)
    assert apart.min() > 0.25
    assert np.allclose(class_colors(np.arange(10)), colors)
    assert class_color(-1) == class_color(255)


@pytest.mark.parametrize(
    ("value", "rgba"),
    [(0xFFFFFFFF, (1, 1, 1, 1)), (0xFF000080, (1, 0, 0, 128 / 255)), (0x00FF00FF, (0, 1, 0, 1))],
)
def test_colours_from_integers(value, rgba):
    assert rgba_from_int(value) == pytest.approx(rgba)


def test_letters_contrast_with_their_ground():
    assert contrasting((1, 1, 0, 1))[:3] == (0, 0, 0)
    assert contrasting((0, 0, 0.6, 1))[:3] == (1, 1, 1)
