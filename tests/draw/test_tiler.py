from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.draw import TileLayout, Tiler
from headrace.errors import FrameError
from headrace.frames import PIXEL_FORMATS, Colorimetry, Frame, convert, to_rgb

COLORS = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40), (90, 90, 90)]


def plain(rgb, format="RGB", size=(40, 30)):
    return convert(Frame.from_array(np.full((size[1], size[0], 3), rgb, np.uint8), "RGB"), format)


def at_middle(picture, cell):
    x, y, width, height = cell
    return to_rgb(picture)[y + height // 2, x + width // 2].astype(int)


@pytest.mark.parametrize(
    ("n", "rows", "columns", "grid"),
    [
        (1, 1, 1, (1, 1)), (2, 1, 1, (1, 2)), (3, 1, 1, (2, 2)), (5, 1, 1, (2, 3)), (9, 1, 1, (3, 3)),
        (4, 1, 4, (1, 4)), (5, 1, 4, (2, 4)), (3, 3, 1, (3, 1)), (2, 2, 2, (2, 2)), (0, 0, 0, (1, 1)),
        (30, 0, 0, (5, 6)),
    ],
)  # fmt: skip
def test_the_grid_is_the_one_asked_for_and_grows_when_too_small(n, rows, columns, grid):
    assert TileLayout(n, rows, columns, 1280, 720).grid == grid


@given(st.integers(1, 40), st.integers(0, 7), st.integers(0, 7), st.integers(64, 400), st.integers(64, 400))
def test_tiles_cover_the_picture_once_and_begin_at_even_pixels(n, rows, columns, width, height):
    layout = TileLayout(n, rows, columns, width, height)
    rows, columns = layout.grid
    full = TileLayout(rows * columns, rows, columns, width, height)
    covered = np.zeros((height, width), int)
    for index in range(rows * columns):
        x, y, w, h = full.cell(index)
        assert (x % 2, y % 2) == (0, 0)
        covered[y : y + h, x : x + w] += 1
    assert (covered == 1).all()
    assert layout.cell(n) == layout.cell(-1) == (0, 0, 0, 0)


def test_places_are_mapped_into_their_tile():
    layout = TileLayout(4, 2, 2, 1280, 720)
    assert layout.transform(3, (1920, 1080)) == pytest.approx((1 / 3, 1 / 3, 640, 360))
    alone = TileLayout(4, 2, 2, 1280, 720, show_source=1)
    assert alone.cell(1) == (0, 0, 1280, 720)
    assert alone.transform(0, (1920, 1080))[:2] == (0, 0)


@pytest.mark.parametrize("size", [(160, 120), (161, 121)], ids=str)
@pytest.mark.parametrize("format", PIXEL_FORMATS)
def test_tiles_show_their_sources_row_by_row_in_the_sources_format(format, size):
    tiler = Tiler(*size)
    sources = {i: plain(COLORS[i], format, (40 + i, 30 + i)) for i in range(3)}
    picture = tiler.compose(sources)
    assert (picture.format, picture.width, picture.height) == (format, *size)
    for index, source in sources.items():
        assert np.abs(at_middle(picture, tiler.layout.cell(index)) - to_rgb(source)[5, 5]).max() <= 3
    assert at_middle(picture, (*(v // 2 for v in size), size[0] // 2, size[1] // 2)).max() <= 2


@pytest.mark.parametrize(
    ("source", "target"), list(itertools.product(PIXEL_FORMATS[:-1], PIXEL_FORMATS[:-1]))
)
def test_other_formats_are_converted(source, target):
    tiler = Tiler(64, 48, format=target)
    picture = tiler.compose({0: plain(COLORS[0], source)})
    assert picture.format == target
    assert np.abs(to_rgb(picture).astype(int) - COLORS[0]).max() <= 4


def test_mixed_formats_and_colorimetry_meet_in_nv12():
    other = convert(plain(COLORS[1]), "I420", Colorimetry("bt709"))
    tiler = Tiler(80, 40)
    picture = tiler.compose({0: plain(COLORS[0]), 1: other})
    assert picture.format == "NV12"
    for index in (0, 1):
        assert np.abs(at_middle(picture, tiler.layout.cell(index)) - COLORS[index]).max() <= 4


def test_slower_sources_keep_their_last_picture_also_when_the_grid_grows():
    tiler = Tiler(160, 120)
    tiler.compose({0: plain(COLORS[0]), 1: plain(COLORS[1])})
    picture = tiler.compose({1: plain(COLORS[2])})
    assert np.abs(at_middle(picture, tiler.layout.cell(0)) - COLORS[0]).max() <= 1
    assert np.abs(at_middle(picture, tiler.layout.cell(1)) - COLORS[2]).max() <= 1
    picture = tiler.compose({4: plain(COLORS[4])})
    assert tiler.layout.grid == (2, 3)
    for index, color in ((0, COLORS[0]), (1, COLORS[2]), (4, COLORS[4])):
        assert np.abs(at_middle(picture, tiler.layout.cell(index)) - color).max() <= 1
    assert at_middle(tiler.compose({}), tiler.layout.cell(0)).tolist() == list(COLORS[0])


def test_drawing_on_a_picture_does_not_show_in_the_next():
    tiler = Tiler(64, 48)
    tiler.compose({0: plain(COLORS[0])}).planes[0][...] = 0
    assert np.abs(to_rgb(tiler.compose({})).astype(int) - COLORS[0]).max() <= 1


def test_one_source_can_be_shown_alone_and_gone_ones_are_black():
    tiler = Tiler(64, 48)
    sources = {i: plain(COLORS[i]) for i in range(2)}
    tiler.compose(sources)
    tiler.show(1)
    picture = tiler.compose(sources)
    assert (to_rgb(picture) == COLORS[1]).all()
    tiler.show(-1)
    tiler.compose(sources)
    tiler.forget(0)
    picture = tiler.compose({})
    assert at_middle(picture, tiler.layout.cell(0)).tolist() == [0, 0, 0]
    assert at_middle(picture, tiler.layout.cell(1)).tolist() == list(COLORS[1])


def test_pictures_are_written_where_the_caller_wants():
    tiler = Tiler(64, 48)
    out = Frame.empty("RGB", 64, 48)
    assert tiler.compose({0: plain(COLORS[3])}, out) is out
    assert (out.planes[0] == COLORS[3]).all()
    with pytest.raises(FrameError, match="RGB 64x48, not NV12 64x48"):
        tiler.compose({}, Frame.empty("NV12", 64, 48))


def test_what_makes_no_sense_is_refused():
    with pytest.raises(FrameError, match="positive"):
        Tiler(0, 48)
    with pytest.raises(FrameError, match="negative"):
        Tiler(64, 48).compose({-1: plain(COLORS[0])})
