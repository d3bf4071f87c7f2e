from __future__ import annotations

import numpy as np
import pytest

from headrace.errors import FrameError
from headrace.frames import PIXEL_FORMATS, Frame, plane_shapes, resize, scale_plane


def ramp(height, width, channels=None):
    y, x = np.mgrid[0:height, 0:width]
    plane = (x * 200 / width + y * 55 / height).astype(np.uint8)
    return plane if channels is None else np.stack([plane, 255 - plane, plane // 2, plane][:channels], -1)


@pytest.mark.parametrize("channels", [None, 2, 3, 4])
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((48, 64), (24, 32)),
        ((48, 64), (12, 16)),
        ((270, 480), (60, 100)),
        ((271, 481), (60, 100)),
        ((48, 64), (31, 47)),
        ((20, 30), (45, 67)),
        ((20, 30), (10, 60)),
        ((20, 30), (1, 1)),
        ((1, 1), (7, 5)),
    ],
    ids=str,
)
def test_scaling_keeps_positions_and_values(source, target, channels):
    plane = ramp(*source, channels)
    result = scale_plane(plane, target[1], target[0])
    assert result.shape == (*target, *plane.shape[2:])
    rows = ((np.arange(target[0]) + 0.5) * source[0] / target[0]).astype(int)
    columns = ((np.arange(target[1]) + 0.5) * source[1] / target[1]).astype(int)
    wanted = plane[rows][:, columns].astype(int)
    step = 255 / min(min(source), min(target) + 1) + 3
    assert np.abs(result - wanted).max() <= step


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_shrinking_by_a_power_of_two_takes_means(factor):
    noise = np.random.default_rng(3).integers(0, 256, (64, 96), np.uint8)
    got = scale_plane(noise, 96 // factor, 64 // factor)
    means = noise.reshape(64 // factor, factor, 96 // factor, factor).mean((1, 3))
    assert np.abs(got - means).max() <= 0.5 * np.log2(factor) + 0.5


def test_shrinking_much_does_not_alias():
    stripes = np.zeros((100, 1000), np.uint8)
    stripes[:, ::2] = 255
    got = scale_plane(stripes, 130, 13)
    assert np.abs(got.astype(int) - 128).max() <= 20


def test_scaling_writes_into_a_part_of_a_larger_plane():
    sheet = np.zeros((20, 20), np.uint8)
    part = sheet[4:12, 6:16]
    assert scale_plane(np.full((40, 40), 9, np.uint8), 10, 8, out=part) is not None
    assert sheet.sum() == 9 * 80 == part.sum()
    scale_plane(np.full((8, 10), 7, np.uint8), 10, 8, out=part)
    assert sheet.sum() == 7 * 80


@pytest.mark.parametrize("format", PIXEL_FORMATS)
@pytest.mark.parametrize("size", [(32, 24), (33, 25), (1, 1), (128, 96)], ids=str)
def test_frames_resize_in_their_own_format(format, size):
    frame = Frame.empty(format, 64, 48)
    for index, plane in enumerate(frame.planes):
        plane[...] = 50 + index
    result = resize(frame, *size)
    assert result.format == format
    assert tuple(p.shape for p in result.planes) == plane_shapes(format, *size)
    assert all((plane == 50 + index).all() for index, plane in enumerate(result.planes))


def test_a_frame_of_the_right_size_is_returned_as_it_is():
    frame = Frame.empty("I420", 8, 8)
    assert resize(frame, 8, 8) is frame


def test_sizes_without_pixels_are_refused():
    with pytest.raises(FrameError, match="positive"):
        resize(Frame.empty("RGB", 8, 8), 0, 4)
