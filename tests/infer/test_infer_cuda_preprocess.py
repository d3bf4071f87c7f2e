"""Frames in CUDA memory become the same input as frames on the host; on a GPU, or in Triton's interpreter."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")
from cuda_frames import DEVICE, on_device, picture  # noqa: E402

from headrace.errors import FrameError, ModelError  # noqa: E402
from headrace.frames import Colorimetry  # noqa: E402
from headrace.infer import FrameBatch  # noqa: E402
from headrace.infer.preprocess import PreprocessOptions, cuda, preprocess  # noqa: E402

pytestmark = pytest.mark.gpu if DEVICE == "cuda" else []
COLORS = [Colorimetry(matrix, full) for matrix in ("bt601", "bt709") for full in (False, True)]
#: Much larger than the input, exactly twice, thrice and four times, a bit larger, as large, smaller, odd, tiny.
SIZES = [
    (1920, 1080),
    (640, 320),
    (960, 540),
    (1280, 640),
    (333, 217),
    (320, 160),
    (160, 90),
    (101, 57),
    (2, 2),
    (1, 5),
]
WAYS = {
    "yolo": PreprocessOptions(),
    "yolox": PreprocessOptions(color="BGR", scale=1.0, padding="topleft"),
    "grey": PreprocessOptions(color="GRAY"),
    "stretched": PreprocessOptions(resize="stretch", mean=(10.0, 20.0, 30.0), std=(2.0, 3.0, 4.0)),
}


@pytest.fixture(autouse=True)
def few_programs(monkeypatch):
    if DEVICE == "cpu":  # the interpreter runs one after the other
        monkeypatch.setattr(cuda, "_BLOCK", 1 << 16)


@pytest.fixture(scope="module")
def frames():
    return [picture(*size, COLORS[index % 4], index) for index, size in enumerate(SIZES)]


def expected(frames, options, width, height):
    rows = np.empty((len(frames), options.channels, height, width), np.float32)
    return rows, [preprocess(frame, row, options) for frame, row in zip(frames, rows, strict=True)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("width", "height"), [(320, 320), (320, 192), (64, 96)])
def test_a_batch_of_all_sizes_equals_that_of_the_host(frames, way, width, height):
    options = WAYS[way]
    wanted, placements = expected(frames, options, width, height)
    out = torch.full(wanted.shape, float("nan"), device=DEVICE).to(memory_format=torch.channels_last)
    assert cuda.preprocess_cuda(list(map(on_device, frames)), out, options) == placements
    gain = np.array(options.gain_and_bias()[0])[:, None, None]
    levels = np.abs(out.cpu().numpy() - wanted) / gain
    assert levels.max() <= (0 if way == "grey" else 2) + 1e-4
    assert levels.mean() < 0.1


@pytest.mark.parametrize("color", COLORS)
def test_every_colorimetry(color):
    frame = picture(128, 72, color, 3)
    (wanted,), _ = expected([frame], PreprocessOptions(), 64, 64)
    out = torch.empty((1, 3, 64, 64), device=DEVICE)
    cuda.preprocess_cuda([on_device(frame)], out, PreprocessOptions())
    assert np.abs(out[0].cpu().numpy() - wanted).max() <= 2 / 255 + 1e-6


@pytest.mark.parametrize("dtype", ["float16", "float32", "uint8"])
@pytest.mark.parametrize("last", [False, True])
def test_types_and_orders_of_the_input(frames, dtype, last):
    options = PreprocessOptions(scale=1.0)
    wanted, _ = expected(frames[:4], options, 64, 48)
    shape = (6, 48, 64, 3) if last else (6, 3, 48, 64)
    out = torch.full(shape, 7, dtype=getattr(torch, dtype), device=DEVICE)
    cuda.preprocess_cuda(list(map(on_device, frames[:4])), out, options)
    found = out.permute(0, 3, 1, 2) if last else out
    assert np.abs(found[:4].float().cpu().numpy() - wanted).max() <= 2
    assert (found[4:] == 7).all()  # rows that no frame is for


def test_a_batch_is_filled_on_the_device(frames):
    batch = FrameBatch([on_device(frame) for frame in frames[:3]])
    out = torch.empty((3, 3, 96, 96), device=DEVICE)
    batch.fill(out, PreprocessOptions())
    assert batch.placements == tuple(expected(frames[:3], PreprocessOptions(), 96, 96)[1])


def test_what_does_not_fit_is_named(frames):
    frame = on_device(frames[0])
    with pytest.raises(ModelError, match=r"shape \(1, 4, 8, 8\), but colour RGB gives 3"):
        cuda.preprocess_cuda([frame], torch.empty((1, 4, 8, 8)), PreprocessOptions())
    with pytest.raises(ModelError, match="input of 1 rows cannot hold 2 frames"):
        cuda.preprocess_cuda([frame, frame], torch.empty((1, 3, 8, 8)), PreprocessOptions())
    area = PreprocessOptions(interpolation="area")
    assert not cuda.supports(frame, area)
    with pytest.raises(FrameError, match=r"NV12 frame with interpolation area .* use frame.host\(\)"):
        cuda.preprocess_cuda([frame], torch.empty((1, 3, 8, 8)), area)
