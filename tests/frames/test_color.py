from __future__ import annotations

import itertools

import numpy as np
import pytest

from headrace.errors import FrameError
from headrace.frames import (
    PIXEL_FORMATS,
    Colorimetry,
    Frame,
    convert,
    plane_shapes,
    rgb_matrix,
    to_bgr,
    to_rgb,
    yuv_matrix,
)

YUV = ("NV12", "I420")
COLORS = [Colorimetry(matrix, full) for matrix in ("bt601", "bt709") for full in (False, True)]
SIZES = [(64, 48), (63, 47), (2, 2), (1, 1), (1, 9), (300, 271)]


def smooth_rgb(width, height):
    """A picture that varies slowly, so that chroma at half resolution loses little of it."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height, 64)
    planes = (110 + 90 * np.sin(3 * x), 120 + 80 * np.cos(2 * y + x), 128 + 70 * np.sin(2 * x - 3 * y))
    return np.rint(np.stack(planes, -1)).astype(np.uint8)


def reference_rgb(frame):
    """Every format to RGB, straight from the definitions, in floating point."""
    first = frame.planes[0].astype(float)
    if frame.format == "GRAY8":
        return np.repeat(first[..., None], 3, -1)
    if frame.format not in YUV:
        return first[..., [2, 1, 0]] if frame.format in ("BGR", "BGRx") else first[..., :3]
    parts = frame.planes[1:] if frame.format == "I420" else np.moveaxis(frame.planes[1], -1, 0)
    u, v = (np.kron(p, np.ones((2, 2)))[: frame.height, : frame.width] - 128.0 for p in parts)
    kr, kb = (0.299, 0.114) if frame.color.matrix == "bt601" else (0.2126, 0.0722)
    y = first if frame.color.full_range else (first - 16) * 255 / 219
    gain = 1.0 if frame.color.full_range else 255 / 224
    red, blue = y + 2 * (1 - kr) * gain * v, y + 2 * (1 - kb) * gain * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.stack([red, green, blue], -1), 0, 255)


def reference_gray(rgb):
    return rgb @ (0.299, 0.587, 0.114)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("source", "target"), list(itertools.product(PIXEL_FORMATS, PIXEL_FORMATS)))
def test_every_format_pair_keeps_the_picture(source, target, size):
    picture = Frame.from_array(smooth_rgb(*size), "RGB")
    frame = convert(picture, source)
    result = convert(frame, target)
    assert (result.format, result.width, result.height) == (target, *size)
    assert tuple(plane.shape for plane in result.planes) == plane_shapes(target, *size)
    wanted = reference_rgb(frame)
    if target == "GRAY8":
        assert np.abs(result.planes[0] - reference_gray(wanted)).max() <= 4
    else:
        # Neighbours that share chroma differ by a step of the picture.
        assert np.abs(reference_rgb(result) - wanted).max() <= 8


@pytest.mark.parametrize("color", COLORS, ids=str)
@pytest.mark.parametrize("format", YUV)
@pytest.mark.parametrize("size", [(64, 300), (63, 271)], ids=str)
def test_yuv_to_rgb_follows_its_colorimetry(color, format, size):
    frame = convert(Frame.from_array(smooth_rgb(*size), "RGB"), format, color)
    assert frame.color == color
    assert np.abs(to_rgb(frame) - reference_rgb(frame)).max() <= 4
    assert np.array_equal(to_bgr(frame), to_rgb(frame)[..., ::-1])


@pytest.mark.parametrize(
    ("color", "rgb", "yuv"),
    [
        (Colorimetry("bt601", False), (255, 255, 255), (235, 128, 128)),
        (Colorimetry("bt601", False), (255, 0, 0), (81, 90, 240)),
        (Colorimetry("bt601", False), (0, 255, 0), (145, 54, 34)),
        (Colorimetry("bt601", False), (0, 0, 255), (41, 240, 110)),
        (Colorimetry("bt709", False), (255, 0, 0), (63, 102, 240)),
        (Colorimetry("bt709", False), (0, 255, 0), (173, 42, 26)),
        (Colorimetry("bt709", False), (0, 0, 255), (32, 240, 118)),
        (Colorimetry("bt601", True), (255, 0, 0), (76, 85, 255)),
        (Colorimetry("bt709", True), (0, 0, 0), (0, 128, 128)),
    ],
    ids=str,
)
def test_the_recommendations_colour_bars(color, rgb, yuv):
    got = rgb_matrix(color) @ (*rgb, 1)
    assert np.abs(got - yuv).max() <= 0.6
    back = yuv_matrix(color) @ (*got, 1)
    assert back == pytest.approx(rgb, abs=1e-6)
    frame = convert(Frame.from_array(np.full((4, 4, 3), rgb, np.uint8), "RGB"), "NV12", color)
    measured = (*frame.planes[0][0, :1], *frame.planes[1][0, 0])
    assert np.abs(np.array(measured, int) - yuv).max() <= 1


def test_chroma_is_the_mean_of_its_four_pixels():
    rgb = np.zeros((2, 2, 3), np.uint8)
    rgb[0, 0] = rgb[1, 1] = (255, 0, 0)
    u, v = convert(Frame.from_array(rgb, "RGB"), "NV12").planes[1][0, 0].tolist()
    assert (u, v) == (109, 184)  # half way between black's 128, 128 and red's 90, 240


def test_changing_colorimetry_keeps_the_colours():
    source = convert(Frame.from_array(smooth_rgb(64, 48), "RGB"), "NV12", Colorimetry("bt709"))
    other = convert(source, "NV12", Colorimetry("bt601"))
    assert other.color.matrix == "bt601"
    assert not np.array_equal(source.planes[0], other.planes[0])
    assert np.abs(reference_rgb(source) - reference_rgb(other)).max() <= 8


@pytest.mark.parametrize("format", PIXEL_FORMATS)
def test_padded_rows_and_read_only_planes_are_fine(format):
    dense = convert(Frame.from_array(smooth_rgb(30, 22), "RGB"), format)
    planes = []
    for plane in dense.planes:
        padded = np.full((plane.shape[0], plane.shape[1] + 5, *plane.shape[2:]), 77, np.uint8)
        view = padded[:, : plane.shape[1]]
        view[...] = plane
        view.flags.writeable = False
        planes.append(view)
    frame = Frame(format, 30, 22, tuple(planes), dense.color)
    for target in PIXEL_FORMATS:
        for got, wanted in zip(convert(frame, target).planes, convert(dense, target).planes, strict=True):
            assert np.array_equal(got, wanted)


def test_nothing_is_copied_when_nothing_changes():
    frame = Frame.empty("NV12", 8, 8)
    assert convert(frame, "NV12") is frame
    rgb = np.zeros((4, 4, 3), np.uint8)
    assert to_rgb(Frame.from_array(rgb, "RGB")) is rgb


def test_alpha_and_padding_are_opaque_even_where_the_source_has_garbage():
    bgrx = np.zeros((4, 4, 4), np.uint8)
    assert convert(Frame.from_array(bgrx, "BGRx"), "RGBA").planes[0][..., 3].min() == 255


@pytest.mark.parametrize(("width", "height"), [(0, 4), (4, 0), (-2, 2)])
def test_frames_without_pixels_are_refused(width, height):
    with pytest.raises(FrameError, match="positive"):
        Frame.empty("RGB", width, height)


@pytest.mark.parametrize(
    ("shape", "format"), [((4, 4), "RGB"), ((4, 4, 4), "RGB"), ((4, 4, 3), "GRAY8"), ((6, 4), "NV12")]
)
def test_arrays_that_do_not_fit_a_format_are_refused(shape, format):
    with pytest.raises(FrameError, match=format):
        Frame.from_array(np.zeros(shape, np.uint8), format)


def test_unknown_formats_are_refused_by_name():
    with pytest.raises(FrameError, match="YUY2"):
        plane_shapes("YUY2", 4, 4)
