"""Frames that an NVIDIA GPU has decoded, read in place: ``pytest -m gpu``; without a GPU see `test_cuda_memory.py`."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gi.repository import Gst

from headrace.elements.source.gpu_decoder import gpu_decoders
from headrace.frames import Tensor, as_tensor, to_rgb
from headrace.frames.cuda_tensor import CudaTensor
from headrace.gst import payload
from headrace.meta.buffer import Buffer

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
    pytest.mark.skipif(not gpu_decoders(), reason="GStreamer finds no GPU that decodes"),
]
SINK = "fakesink name=sink sync=false"
MUX = "m.sink_0 nvstreammux name=m batch-size=1"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty frames of H.264 in colours, with motion; BT.709 as large video is."""
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    picture = "video/x-raw,format=I420,width=1280,height=720,framerate=25/1"
    line = f"videotestsrc pattern=smpte horizontal-speed=8 num-buffers=60 ! {picture} ! x264enc ! h264parse ! mp4mux"
    pipeline = Gst.parse_launch(f"{line} ! filesink location={path}")
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    return path


def watch(one: Any, call: Any) -> list[Any]:
    """What a function says of each buffer at the sink; an error stands for itself."""
    seen: list[Any] = []

    def probe(_pad: Any, info: Any) -> Any:
        try:
            seen.append(call(hash(info.get_buffer())))
        except Exception as error:  # noqa: BLE001 - C calls; the test compares
            seen.append(error)
        return Gst.PadProbeReturn.OK

    one["sink"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, probe)
    return seen


def surface_of(buffer: int) -> Any:
    batch: Any = payload.find(buffer)
    return batch.surfaces[0]


def test_planes_are_read_in_place_and_are_those_of_the_host(run: Any, clip: Path) -> None:
    def look(buffer: int) -> Any:
        frame = surface_of(buffer).frame(on_device=True)
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


def test_frames_are_of_torchs_context(run: Any, clip: Path) -> None:
    """What is allocated in the primary context, the driver says to belong to it."""
    driver, primary = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p()
    driver.cuDevicePrimaryCtxRetain(ctypes.byref(primary), 0)

    def context(buffer: int) -> Any:
        plane, found = surface_of(buffer).frame(on_device=True).planes[0], ctypes.c_void_p()
        assert driver.cuPointerGetAttribute(ctypes.byref(found), 1, ctypes.c_uint64(plane.address)) == 0
        return found.value

    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {SINK}")
    seen = watch(one, context)
    one.to_end()
    assert set(seen) == {primary.value}


def test_held_planes_stay_and_all_others_go_back_to_the_decoder(run: Any, clip: Path) -> None:
    held, addresses = [], set()

    def look(buffer: int) -> Any:
        plane = surface_of(buffer).frame(on_device=True).planes[0]
        addresses.add(plane.address)
        if len(held) < 5:
            taken = torch.as_tensor(plane, device="cuda")
            held.append((taken, taken.clone()))

    one = run(
        f"nvurisrcbin uri={clip} ! {MUX} ! appsink name=sink sync=false max-buffers=1 drop=true wait-on-eos=false"
    )
    watch(one, look)
    one.to_end()
    assert all(torch.equal(taken, copy) for taken, copy in held)
    assert len(addresses) < 30


def test_extract_converts_on_the_gpu_as_the_cpu_does(run: Any, clip: Path) -> None:
    def look(buffer: int) -> Any:
        tensor = Buffer.at(buffer).extract(0)
        assert isinstance(tensor, CudaTensor)
        assert (tensor.device_type, tensor.__dlpack_device__()) == ("GPU", (2, 0))
        assert torch.from_dlpack(tensor.clone()).is_cuda
        assert np.array_equal(as_tensor(tensor).numpy(), tensor.numpy())
        taken = torch.from_dlpack(tensor).cpu().numpy().astype(np.int32)
        return int(np.abs(taken - to_rgb(surface_of(buffer).frame())).max())

    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {SINK}")
    seen = watch(one, look)
    one.to_end()
    assert len(seen) == 60
    assert max(seen) <= 2


def test_a_model_gets_tensors_on_the_gpu(run: Any, model: Any, clip: Path) -> None:
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
