"""Frames that an NVIDIA GPU has decoded, read in place: ``pytest -m gpu``; without a GPU see `test_cuda_memory.py`."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
from cuda_pipelines import FORGET, MUX, SINK, first_surface, watch, written

from headrace.elements.source.gpu_decoder import gpu_decoders
from headrace.frames import Tensor, as_tensor, to_rgb
from headrace.frames.cuda_tensor import CudaTensor
from headrace.meta.buffer import Buffer

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
    pytest.mark.skipif(not gpu_decoders(), reason="GStreamer finds no GPU that decodes"),
]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Sixty frames of H.264 in colours, with motion; BT.709 as large video is."""
    picture = "video/x-raw,format=I420,width=1280,height=720,framerate=25/1"
    line = f"videotestsrc pattern=smpte horizontal-speed=8 num-buffers=60 ! {picture}"
    return written(tmp_path_factory.mktemp("clips") / "clip.mp4", line)


def test_planes_are_read_in_place_and_are_those_of_the_host(run: Any, clip: str) -> None:
    def look(buffer: int) -> Any:
        frame = first_surface(buffer).frame(on_device=True)
        assert frame.device == (2, 0)
        for plane, host in zip(frame.planes, frame.host().planes, strict=True):
            for taken in (torch.as_tensor(plane, device="cuda"), torch.from_dlpack(plane)):
                assert taken.data_ptr() == plane.address
                assert np.array_equal(taken.cpu().numpy(), host)
        return True

    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {SINK}")
    seen = watch(one, look)
    one.to_end()
    assert seen == [True] * 60


def test_frames_are_of_torchs_context(run: Any, clip: str) -> None:
    """What is allocated in the primary context, the driver says to belong to it."""
    driver, primary = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p()
    driver.cuDevicePrimaryCtxRetain(ctypes.byref(primary), 0)

    def context(buffer: int) -> Any:
        plane, found = first_surface(buffer).frame(on_device=True).planes[0], ctypes.c_void_p()
        assert driver.cuPointerGetAttribute(ctypes.byref(found), 1, ctypes.c_uint64(plane.address)) == 0
        return found.value

    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {SINK}")
    seen = watch(one, context)
    one.to_end()
    assert set(seen) == {primary.value}


def test_held_planes_stay_and_all_others_go_back_to_the_decoder(run: Any, clip: str) -> None:
    held, addresses = [], set()

    def look(buffer: int) -> Any:
        plane = first_surface(buffer).frame(on_device=True).planes[0]
        addresses.add(plane.address)
        if len(held) < 5:
            taken = torch.as_tensor(plane, device="cuda")
            held.append((taken, taken.clone()))

    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {FORGET}")
    watch(one, look)
    one.to_end()
    assert all(torch.equal(taken, copy) for taken, copy in held)
    assert len(addresses) < 30


def test_extract_converts_on_the_gpu_as_the_cpu_does(run: Any, clip: str) -> None:
    def look(buffer: int) -> Any:
        tensor = Buffer.at(buffer).extract(0)
        assert isinstance(tensor, CudaTensor)
        assert (tensor.device_type, tensor.__dlpack_device__()) == ("GPU", (2, 0))
        assert torch.from_dlpack(tensor.clone()).is_cuda
        assert np.array_equal(as_tensor(tensor).numpy(), tensor.numpy())
        taken = torch.from_dlpack(tensor).cpu().numpy().astype(np.int32)
        return int(np.abs(taken - to_rgb(first_surface(buffer).frame())).max())

    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {SINK}")
    seen = watch(one, look)
    one.to_end()
    assert len(seen) == 60
    assert max(seen) <= 2


def test_a_model_gets_tensors_on_the_gpu(run: Any, model: Any, clip: str) -> None:
    body = """def infer(self, frames):
        pixels = frames.torch()[0]
        assert pixels.is_cuda and tuple(pixels.shape) == (720, 1280, 3)
        assert np.abs(frames.numpy()[0].astype(int) - pixels.cpu().numpy()).max() <= 2
        return [Detections([[8, 8, 80, 80]], [0.9], [1]) for _ in frames]"""
    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! hrinfer model={model(body)} ! nvdsosd ! {SINK}").to_end()
    assert [len(list(frame.object_items)) for frame in one.out.frames] == [1] * 60


def test_host_tensors_go_to_the_gpu() -> None:
    tensor = Tensor(np.arange(6, dtype=np.float32).reshape(2, 3), "HW").to_gpu(0)
    assert (tensor.shape, tensor.strides, tensor.dtype, tensor.format) == ((2, 3), (12, 4), np.float32, "HW")
    assert torch.from_dlpack(tensor).tolist() == [[0, 1, 2], [3, 4, 5]]
