"""Colours of frames in CUDA memory, made by torch: on a GPU, or on the processor in its place."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from cuda_frames import DEVICE, on_device, picture  # noqa: E402

from headrace.frames import Colorimetry, to_rgb  # noqa: E402
from headrace.frames.color import convert  # noqa: E402
from headrace.frames.cuda import CudaPlane  # noqa: E402
from headrace.frames.cuda_tensor import rgb_on_device  # noqa: E402

pytestmark = pytest.mark.gpu if DEVICE == "cuda" else []


@pytest.fixture(autouse=True)
def host_in_its_place(monkeypatch):
    if DEVICE == "cpu":
        monkeypatch.setattr(CudaPlane, "torch", lambda plane: torch.from_numpy(plane.host()))
        stream = SimpleNamespace(synchronize=lambda: None)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda device: stream)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
@pytest.mark.parametrize("size", [(64, 48), (33, 21), (1, 5)])
def test_nv12_is_as_on_the_host(matrix, full, size):
    frame = picture(*size, Colorimetry(matrix, full), 1)
    found = rgb_on_device(on_device(frame))
    assert found.shape == (size[1], size[0], 3)
    assert np.abs(found.cpu().numpy().astype(int) - to_rgb(frame)).max() <= 2


@pytest.mark.parametrize("format", ["RGB", "BGR", "RGBA", "BGRx", "I420"])
def test_other_formats_are_as_on_the_host(format):
    frame = convert(picture(64, 48, Colorimetry("bt601", False)), format)
    frame = replace(frame, planes=tuple(map(np.array, frame.planes)))
    found = rgb_on_device(on_device(frame))
    assert np.abs(found.cpu().numpy().astype(int) - to_rgb(frame)).max() <= 2
