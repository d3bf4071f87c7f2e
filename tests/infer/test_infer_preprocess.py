"""Preprocessing against a reference that samples every pixel by the textbook formulas."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from headrace.errors import ConfigError, FrameError, ModelError
from headrace.frames import PIXEL_FORMATS, Colorimetry, Frame, convert, plane_shapes
from headrace.infer.preprocess import PreprocessOptions, crop, place, preprocess

BT601 = Colorimetry()
LUMA = {"bt601": (0.299, 0.587, 0.114), "bt709": (0.2126, 0.7152, 0.0722)}


def make_frame(format, width, height, color=BT601, padding=0, seed=0):
    """Smooth random planes, each a view into wider rows when ``padding`` is set."""
    rng = np.random.default_rng(seed)
    planes = []
    for shape in plane_shapes(format, width, height):
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        wave = [
            127 + 120 * np.sin(rows / rng.uniform(5, 9) + columns / rng.uniform(5, 9) + rng.uniform(0, 6))
            for _ in range(shape[2] if len(shape) == 3 else 1)
        ]
        plane = np.stack(wave, -1).reshape(shape).astype(np.uint8)
        wide = np.full((shape[0], shape[1] + padding, *shape[2:]), 99, np.uint8)
        wide[:, : shape[1]] = plane
        wide.flags.writeable = False  # as mapped buffers are
        planes.append(wide[:, : shape[1]])
    return Frame(format, width, height, tuple(planes), color)


def sample(plane, width, height):
    """Bilinear sampling with pixel centres at halves, as floats ``(height, width, channels)``."""
    plane = plane.reshape(*plane.shape[:2], -1).astype(float)
    y = np.clip((np.arange(height) + 0.5) * plane.shape[0] / height - 0.5, 0, plane.shape[0] - 1)
    x = np.clip((np.arange(width) + 0.5) * plane.shape[1] / width - 0.5, 0, plane.shape[1] - 1)
    y0, x0 = np.floor(y).astype(int), np.floor(x).astype(int)
    y1, x1 = np.minimum(y0 + 1, plane.shape[0] - 1), np.minimum(x0 + 1, plane.shape[1] - 1)
    fy, fx = (y - y0)[:, None, None], (x - x0)[None, :, None]
    top = plane[y0][:, x0] * (1 - fx) + plane[y0][:, x1] * fx
    bottom = plane[y1][:, x0] * (1 - fx) + plane[y1][:, x1] * fx
    return top * (1 - fy) + bottom * fy


def reference_rgb(frame, width, height, gray):
    """The resized frame as float RGB 0–255."""
    first = sample(frame.planes[0], width, height)
    if frame.format == "GRAY8":
        return np.repeat(first, 3, axis=2)
    if frame.format in ("RGB", "RGBA"):
        return first[..., :3]
    if frame.format in ("BGR", "BGRx"):
        return first[..., 2::-1]
    halves = frame.planes[1:]
    if width > halves[0].shape[1] or height > halves[0].shape[0]:
        halves = [p.repeat(2, axis=0).repeat(2, axis=1)[: frame.height, : frame.width] for p in halves]
        if not gray:  # converted first, as pictures in files are
            chroma = np.concatenate([p.reshape(*p.shape[:2], -1) for p in halves], axis=2)
            whole = from_yuv(frame.planes[0].astype(float), chroma.astype(float), frame.color)
            return sample(np.rint(whole), width, height)
    chroma = np.concatenate([sample(plane, width, height) for plane in halves], axis=2)
    return from_yuv(first[..., 0], chroma, frame.color)


def from_yuv(luma, chroma, color):
    """RGB 0–255 by the formulas of ITU-R BT.601 and BT.709."""
    kr, kg, kb = LUMA[color.matrix]
    chroma = chroma - 128
    luma = luma if color.full_range else (luma - 16) * 255 / 219
    u, v = np.moveaxis(chroma if color.full_range else chroma * 255 / 224, 2, 0)
    red, blue = luma + 2 * (1 - kr) * v, luma + 2 * (1 - kb) * u
    green = (luma - kr * red - kb * blue) / kg
    return np.clip(np.stack([red, green, blue], -1), 0, 255)


def reference(frame, width, height, options):
    """``(C, height, width)`` by the definition of the options."""
    placement = place((frame.width, frame.height), (width, height), options)
    rgb = reference_rgb(frame, *placement.size, options.color == "GRAY")
    if options.color == "GRAY":
        picture = (
            rgb @ np.array(LUMA[frame.color.matrix if frame.format in ("NV12", "I420") else "bt601"])[:, None]
        )
    else:
        picture = rgb if options.color == "RGB" else rgb[..., ::-1]
    out = np.full((height, width, options.channels), options.pad_value)
    left, top = placement.left, placement.top
    out[top : top + placement.size[1], left : left + placement.size[0]] = picture
    channels = options.channels
    y = options.scale * (out - options.mean[:channels]) / options.std[:channels]
    return y.transpose(2, 0, 1)


OPTIONS = {
    "yolox": PreprocessOptions(padding="topleft", color="BGR", scale=1.0),
    "yolov8": PreprocessOptions(),
    "nanodet": PreprocessOptions(
        resize="stretch",
        color="BGR",
        scale=1.0,
        mean=(103.53, 116.28, 123.675),
        std=(57.375, 57.12, 58.395),
    ),
    "gray": PreprocessOptions(color="GRAY", scale=1.0),
}
COLORS = [Colorimetry(m, full) for m in ("bt601", "bt709") for full in (False, True)]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("size", [(64, 48), (63, 47), (31, 80), (20, 10), (205, 161)], ids=str)
@pytest.mark.parametrize("padding", [0, 13], ids=["dense", "padded"])
@pytest.mark.parametrize("format", PIXEL_FORMATS)
def test_equals_the_reference(format, padding, size, options):
    frame = make_frame(format, *size, padding=padding)
    if format in ("NV12", "I420"):  # colours that exist: arbitrary YUV is clipped before or after averaging
        frame = convert(make_frame("RGB", *size, padding=padding), format)
    out = np.full((options.channels, 48, 56), np.nan, np.float32)
    placement = preprocess(frame, out, options)
    # Planes are rounded by themselves and then multiplied; gray comes from luma alone, before any clipping.
    levels = (4.1 if options.color == "GRAY" else 3.1) if format in ("NV12", "I420") else 1.5
    tolerance = levels * options.scale / min(options.std)
    np.testing.assert_allclose(out, reference(frame, 56, 48, options), atol=tolerance)
    assert placement == place(size, (56, 48), options)


@pytest.mark.parametrize("color", COLORS, ids=str)
@pytest.mark.parametrize("options", [OPTIONS["yolov8"], OPTIONS["gray"]], ids=["rgb", "gray"])
def test_colorimetry_of_yuv_frames_is_respected(color, options):
    flat = [
        np.full(shape, value, np.uint8)
        for shape, value in zip(plane_shapes("I420", 30, 20), (90, 110, 150), strict=True)
    ]
    frame = Frame("I420", 30, 20, tuple(flat), color)
    out = np.empty((options.channels, 20, 30), np.float32)
    preprocess(frame, out, options)
    atol = 1.1 * options.scale + (1.0 if options.color == "GRAY" else 0.0)
    np.testing.assert_allclose(out, reference(frame, 30, 20, options), atol=atol)


@pytest.mark.parametrize(("dtype", "atol"), [(np.float16, 1e-3), (np.float32, 1e-6)])
def test_half_precision_and_nhwc_hold_the_same_numbers(dtype, atol):
    frame, options = make_frame("BGR", 40, 30), PreprocessOptions()
    plain = np.empty((3, 32, 32), np.float32)
    other = np.empty((32, 32, 3), dtype)
    preprocess(frame, plain, options)
    preprocess(frame, other, options)
    np.testing.assert_allclose(other.transpose(2, 0, 1), plain, atol=atol)


def test_uint8_tensors_take_pixels_as_they_are():
    frame = make_frame("RGB", 32, 32)
    out = np.empty((3, 32, 32), np.uint8)
    preprocess(frame, out, PreprocessOptions(scale=1.0))
    np.testing.assert_array_equal(out.transpose(1, 2, 0), frame.planes[0])


def test_a_row_of_a_batch_is_written_and_its_neighbours_are_not():
    batch = np.full((3, 3, 32, 32), 7.0, np.float32)
    preprocess(make_frame("NV12", 50, 20), batch[1], PreprocessOptions())
    assert (batch[[0, 2]] == 7).all()
    assert not (batch[1] == 7).any()


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("size", [(1920, 1080), (31, 641), (7, 5), (640, 640)], ids=str)
def test_boxes_go_to_the_network_and_back(size, options):
    placement = place(size, (416, 320), options)
    boxes = np.array([[0, 0, *size], [1, 2, size[0] / 2, size[1] / 3]], np.float32)
    there = placement.to_network(boxes)
    assert there.min() >= 0
    assert (there <= [416, 320, 416, 320]).all()
    np.testing.assert_allclose(placement.to_frame(there), boxes, atol=1e-2)


def test_boxes_are_clipped_to_the_frame():
    placement = place((100, 50), (64, 64), PreprocessOptions())
    assert placement.to_frame(np.array([[-9, -9, 99, 99]])).tolist() == [[0, 0, 100, 50]]


@pytest.mark.parametrize("format", PIXEL_FORMATS)
@pytest.mark.parametrize("region", [(3.2, 5.7, 20.1, 17.9), (-5, -5, 9, 9), (30, 20, 99, 99), (0, 0, 41, 31)])
def test_a_crop_shows_the_pixels_of_its_region(format, region):
    frame = make_frame(format, 41, 31, padding=5)
    part, (left, top) = crop(frame, region)
    assert left <= max(region[0], 0)
    assert top <= max(region[1], 0)
    assert left + part.width == min(41, np.ceil(region[2]))
    assert top + part.height == min(31, np.ceil(region[3]))
    assert [plane.shape for plane in part.planes] == list(plane_shapes(format, part.width, part.height))
    np.testing.assert_array_equal(
        part.planes[0], frame.planes[0][top : top + part.height, left : left + part.width]
    )
    if len(part.planes) > 1:
        np.testing.assert_array_equal(part.planes[1][0, 0], frame.planes[1][top // 2, left // 2])
    assert np.shares_memory(part.planes[0], frame.planes[0])


@pytest.mark.parametrize("region", [(50, 0, 60, 10), (5, 5, 5, 9), (9, 9, 2, 2), (0, 0, np.nan, 5)])
def test_a_region_without_pixels_is_refused(region):
    with pytest.raises(FrameError, match="region"):
        crop(make_frame("NV12", 41, 31), region)


@pytest.mark.parametrize(
    ("values", "word"),
    [({"resize": "fit"}, "letterbox"), ({"std": (1, 0, 1)}, "std"), ({"mean": (1.0,)}, "mean")],
)
def test_options_out_of_bounds_are_refused(values, word):
    with pytest.raises(ConfigError, match=word):
        PreprocessOptions(**values)


def test_options_from_json_refuse_unknown_keys():
    assert PreprocessOptions.from_json('{"color": "BGR", "mean": [1, 2, 3]}').mean == (1, 2, 3)
    for text in ('{"colour": "BGR"}', "[1]", "{"):
        with pytest.raises(ConfigError, match="preprocessing options"):
            PreprocessOptions.from_json(text)


def test_wrong_number_of_channels_is_refused():
    with pytest.raises(ModelError, match="channel"):
        preprocess(make_frame("RGB", 8, 8), np.empty((4, 8, 9), np.float32), PreprocessOptions())


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "area", "cubic"])
@pytest.mark.parametrize("format", ["I420", "NV12", "BGR"])
@pytest.mark.parametrize(
    ("source", "target"), [((1280, 960), (640, 480)), ((1344, 760), (640, 362))], ids=str
)
def test_large_pictures_are_resized_as_opencv_resizes_them(format, source, target, interpolation):
    """Parts of them are resized by themselves; no seam may be seen."""
    frame = make_frame(format, *source)
    options = PreprocessOptions(resize="stretch", scale=1.0, interpolation=interpolation)
    out = np.empty((3, target[1], target[0]), np.float32)
    preprocess(frame, out, options)
    method = getattr(cv2, f"INTER_{interpolation.upper()}")
    planes = [cv2.resize(plane, target, interpolation=method) for plane in frame.planes]
    if format == "BGR":
        whole = planes[0][..., ::-1]
    else:
        chroma = np.concatenate([plane.reshape(*plane.shape[:2], -1) for plane in planes[1:]], axis=2)
        whole = from_yuv(planes[0].astype(float), chroma.astype(float), frame.color)
    np.testing.assert_allclose(out, whole.transpose(2, 0, 1), atol=3.1)


def test_threads_that_preprocess_at_once_do_not_disturb_each_other():
    frames = [make_frame(format, 1280, 720, seed=seed) for seed, format in enumerate(["I420", "NV12", "BGR"])]
    alone = np.empty((3, 3, 384, 640), np.float32)
    for frame, row in zip(frames, alone, strict=True):
        preprocess(frame, row, PreprocessOptions())
    together = np.empty((30, 3, 384, 640), np.float32)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda k: preprocess(frames[k % 3], together[k], PreprocessOptions()), range(30)))
    np.testing.assert_array_equal(together, np.tile(alone, (10, 1, 1, 1)))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in Linux's /proc")
def test_opencv_starts_no_threads_of_its_own():
    code = """if True:
        import os, cv2, numpy as np
        from headrace.frames import Frame
        from headrace.infer.preprocess import PreprocessOptions, preprocess
        cv2.setNumThreads(4)
        before = len(os.listdir("/proc/self/task"))
        for format in ("I420", "NV12", "RGBA"):
            frame = Frame.empty(format, 1920, 1080)
            for side in (640, 1280):
                preprocess(frame, np.empty((3, side, side), np.float32), PreprocessOptions())
        print(len(os.listdir("/proc/self/task")) - before, cv2.getNumThreads())
    """
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0", "4"]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.float64, np.float16])
@pytest.mark.parametrize("channels_last", [False, True])
def test_every_type_of_number_holds_what_float32_holds_rounded_and_within_its_range(dtype, channels_last):
    options = PreprocessOptions(scale=1.5, mean=(100.0, 20.0, 3.0), pad_value=0.0)
    frame = make_frame("RGB", 40, 30)
    expected, out = np.empty((3, 48, 48), np.float32), np.empty((48, 48, 3), dtype)
    preprocess(frame, expected, options)
    target = out if channels_last else np.ascontiguousarray(out.transpose(2, 0, 1))
    preprocess(frame, target, options)
    if np.dtype(dtype).kind == "i" or dtype == np.uint8:
        expected = np.clip(np.rint(expected), np.iinfo(dtype).min, np.iinfo(dtype).max)
    found = target.transpose(2, 0, 1) if channels_last else target
    np.testing.assert_allclose(found.astype(np.float32), expected, rtol=1e-3, atol=1e-3)
