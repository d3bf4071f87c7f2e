"""Frames in CUDA memory on their way through pipelines; see `test_cuda_memory.py`, which runs this file.

The stand-in's pictures: luma 16, 17, 18, … in order, chroma 128.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any

import numpy as np
import pytest
from cuda_pipelines import FORGET, MUX, SINK, first_surface, watch, written

from headrace.elements.source.gpu_decoder import gpu_decoders
from headrace.frames import HOST, Tensor
from headrace.frames.cuda import CudaPlane
from headrace.gst import payload
from headrace.gst.cuda import has_primary_context
from headrace.meta.buffer import Buffer

DRIVER = ctypes.CDLL("libcuda.so.1")
PICTURES = "videotestsrc num-buffers=20 ! video/x-raw,format={},width=64,height=48,framerate=25/1"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Twenty frames of H.264; what is in them does not matter."""
    return written(tmp_path_factory.mktemp("clips") / "clip.mp4", PICTURES.format("I420"))


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Many more frames than are on their way through a pipeline."""
    return written(
        tmp_path_factory.mktemp("clips") / "clip.mp4", PICTURES.replace("=20", "=200").format("I420")
    )


def looked_at(buffer: int) -> Any:
    """Device, address and, read through the address, the first luma of a frame."""
    frame = first_surface(buffer).frame(on_device=True)
    plane: Any = frame.planes[0]
    assert isinstance(plane, CudaPlane)
    return frame.device, plane.address, ctypes.c_uint8.from_address(plane.address).value


def transfers() -> int:
    return int(DRIVER.standin_transfers())


def test_decoders_are_found_and_work_in_the_primary_context() -> None:
    assert [one.get_name() for one in gpu_decoders()][:2] == ["nvh264dec", "nvh265dec"]
    assert gpu_decoders(1) == []
    assert has_primary_context()
    assert not has_primary_context(7)


@pytest.mark.parametrize(
    "source",
    [
        "nvurisrcbin uri={}",
        "filesrc location={} ! qtdemux ! h264parse ! nvv4l2decoder",
        "filesrc location={} ! qtdemux ! h264parse ! nvv4l2decoder ! nvvideoconvert ! queue",
        "filesrc location={} ! qtdemux ! h264parse ! nvh264dec",
        "filesrc location={} ! qtdemux ! h264parse ! nvh264dec ! queue ! nvvideoconvert",
    ],
)
def test_frames_come_to_the_muxer_untouched(run: Any, clip: str, source: str) -> None:
    before = transfers()
    one = run(f"{source.format(clip)} ! {MUX} ! {SINK}")
    seen = watch(one, looked_at)
    one.to_end()
    assert [entry[0] for entry in seen] == [(2, 0)] * 20
    assert [entry[2] for entry in seen] == list(range(16, 36))
    assert transfers() == before
    assert one.out.caps[0].startswith("video/x-raw(memory:NVMM), format=(string)NV12, width=(int)64")


def test_frames_go_back_to_the_decoder(run: Any, long_clip: str) -> None:
    """A pool frees and makes anew what somebody else holds a part of: allocations would be as many as frames."""
    for path in ("", "nvvideoconvert ! ", "nvdsosd ! ", "nvstreamdemux name=d d.src_0 ! "):
        before = DRIVER.standin_allocations()
        run(f"nvurisrcbin uri={long_clip} ! {MUX} ! {path}{FORGET}").to_end()
        assert DRIVER.standin_allocations() - before <= 40


def test_no_context_is_made_beside_the_primary_one(run: Any, clip: str) -> None:
    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {SINK}")
    seen = watch(one, lambda _: DRIVER.standin_contexts())
    one.to_end()
    assert set(seen) == {0}


def test_who_looks_on_the_host_downloads_once(run: Any, clip: str) -> None:
    def look(buffer: int) -> Any:
        surface, results = first_surface(buffer), [0] * 6

        def read(place: int) -> None:
            frame = surface.frame(on_device=place % 2 == 0)
            results[place] = int(frame.host().planes[0].min())

        threads = [threading.Thread(target=read, args=(place,)) for place in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return set(results)

    before = transfers()
    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {SINK}")
    seen = watch(one, look)
    one.to_end()
    assert seen == [{value} for value in range(16, 36)]
    assert transfers() - before == 20


def test_a_frame_on_the_host_is_as_on_the_device(run: Any, clip: str) -> None:
    def look(buffer: int) -> Any:
        frame = first_surface(buffer).frame(on_device=True)
        host = frame.host()
        assert host.device == HOST
        assert host.host() is host
        assert [plane.shape for plane in host.planes] == [plane.shape for plane in frame.planes]
        assert not host.planes[0].flags.writeable
        return (host.format, host.width, host.height), (host.planes[1] == 128).all()

    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {SINK}")
    seen = watch(one, look)
    one.to_end()
    assert seen == [(("NV12", 64, 48), True)] * 20


def test_what_is_written_is_seen_on_the_device_and_by_no_other_branch(run: Any, clip: str) -> None:
    def write(buffer: int) -> Any:
        batch: Any = payload.find(buffer)
        surface = batch.fork().surfaces[0]  # as elements do that change a batch
        surface.frame(writable=True).planes[0][:] = 7
        plane: Any = surface.frame(on_device=True).planes[0]
        return ctypes.c_uint8.from_address(plane.address).value

    one = run(
        f"nvurisrcbin uri={clip} ! {MUX} ! tee name=t t. ! queue ! {SINK} t. ! queue ! fakesink name=b sync=false"
    )
    written, other = watch(one, write), watch(one, looked_at, "b")
    one.to_end()
    assert written == [7] * 20
    assert [entry[2] for entry in other] == list(range(16, 36))


def test_held_frames_stay_while_decoding_goes_on(run: Any, clip: str) -> None:
    held = []
    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {SINK}")
    watch(one, lambda buffer: held.append(first_surface(buffer).frame(on_device=True)))
    one.to_end()
    assert len({frame.planes[0].address for frame in held}) == 20
    assert [int(frame.planes[0].host().max()) for frame in held] == list(range(16, 36))


def test_ordinary_elements_get_pixels(run: Any, clip: str) -> None:
    ordinary = "video/x-raw,format=NV12 ! videoconvert ! video/x-raw,format=GRAY8"
    one = run(f"nvurisrcbin uri={clip} ! nvvideoconvert ! {ordinary} ! {SINK}", keep_data=True).to_end()
    assert [data[0] for data in one.out.data][:3] == [16, 17, 18]
    assert len(one.out.data) == 20


def test_overlay_and_tiler_work_on_downloaded_frames(run: Any, model: Any, clip: str) -> None:
    body = "def infer(self, frames):\n    return [Detections([[8, 8, 40, 30]], [0.9], [1]) for _ in frames]"
    tiled = (
        f"nvurisrcbin uri={clip} ! m.sink_0 nvurisrcbin uri={clip} ! m.sink_1 nvstreammux name=m batch-size=2"
    )
    for line in (
        f"nvurisrcbin uri={clip} ! {MUX} ! hrinfer model={model(body)} ! nvdsosd ! {SINK}",
        f"{tiled} ! hrinfer model={model(body)} ! nvmultistreamtiler width=128 height=48 ! nvdsosd ! {SINK}",
    ):
        one = run(line)
        seen = watch(one, lambda buffer: len(np.unique(first_surface(buffer).frame().planes[0])))
        one.to_end()
        assert min(seen) > 1  # something is drawn on flat pictures


def test_a_models_frames_lie_on_the_device(run: Any, model: Any, clip: str) -> None:
    body = """def infer(self, frames):
        assert frames[0].device == (2, 0)
        assert frames.numpy()[0].shape == (48, 64, 3)
        assert frames.dlpack()[0].shape == (48, 64, 3)
        assert frames.letterbox(32).shape == (1, 3, 32, 32)
        value = int(frames[0].host().planes[0][0, 0])
        return [Detections([[value, 8, 60, 30]], [0.9], [1])]"""
    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! hrinfer model={model(body)} ! {SINK}").to_end()
    found = [[entry.rect_params.left for entry in frame.object_items] for frame in one.out.frames]
    assert found == [[value] for value in range(16, 36)]


def test_regions_and_the_motion_gate_take_such_frames(run: Any, model: Any, clip: str) -> None:
    body = """def infer(self, frames):
        assert [(one.device, one.width, one.height) for one in frames] == [((2, 0), 32, 24)]
        assert frames[0].host().planes[1].shape == (12, 16, 2)
        return [Detections([[0, 0, 8, 8]], [0.9], [1]) for _ in frames]"""
    one = run(
        f"nvurisrcbin uri={clip} ! {MUX} ! hrinfer model={model(body)} regions=8,8,32,24 gate=motion ! {SINK}"
    )
    one.to_end()
    boxes = [entry.rect_params.left for frame in one.out.frames for entry in frame.object_items]
    assert boxes
    assert set(boxes) == {8}


def test_extract_gives_pixels(run: Any, clip: str) -> None:
    """On the host here, where torch has no CUDA; on a GPU see `test_cuda_memory_gpu.py`."""

    def look(buffer: int) -> Any:
        tensor = Buffer.at(buffer).extract(0)
        return type(tensor) is Tensor, tensor.shape, int(tensor.numpy()[0, 0, 0])

    one = run(f"nvurisrcbin uri={clip} ! {MUX} ! {SINK}")
    seen = watch(one, look)
    one.to_end()
    assert seen[0] == (True, (48, 64, 3), 0)
    assert len(seen) == 20


def test_a_muxer_that_scales_says_what_that_costs(run: Any, clip: str) -> None:
    one = run(f"nvurisrcbin uri={clip} ! {MUX} width=32 height=24 ! {SINK}")
    seen = watch(one, lambda buffer: first_surface(buffer).on_device)
    one.to_end()
    assert seen == [False] * 20
    warnings = [message.text for message in one.messages if message.kind == "warning"]
    assert len(warnings) == 1
    assert "64x48 NV12 to 32x24 NV12 by the CPU" in warnings[0]
    assert "width and height of nvstreammux" in warnings[0]


def test_streams_of_more_than_8_bits_are_brought_into_a_known_format(run: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("STANDIN_CUDA", "64x48x10")
    coded = PICTURES.format("I420_10LE") + " ! x264enc ! h264parse ! nvv4l2decoder name=d"
    one = run(f"{coded} ! {MUX} ! {SINK}")
    seen = watch(one, lambda buffer: (first_surface(buffer).on_device, first_surface(buffer).layout.format))
    one.to_end()
    assert one["d"].decoder.get_factory().get_name() == "nvh264dec"
    assert len(seen) == 20
    assert set(seen) <= {(False, "NV12"), (False, "I420")}


def test_another_gpu_that_is_not_there_leaves_decoding_to_the_cpu(run: Any, clip: str) -> None:
    one = run(f"nvurisrcbin uri={clip} gpu-id=3 ! {MUX} ! {SINK}")
    seen = watch(one, lambda buffer: first_surface(buffer).on_device)
    one.to_end()
    assert seen == [False] * 20


def test_what_is_not_decoded_never_comes_to_the_gpu(run: Any, clip: str) -> None:
    one = run(f"nvurisrcbin uri={clip} dec-skip-frames=2 ! {MUX} ! {SINK}").to_end()
    assert 1 <= len(one.out.pts) < 20


def test_uploaded_frames_of_other_formats(run: Any) -> None:
    for format in ("I420", "RGBA", "BGRx"):
        one = run(f"{PICTURES.format(format)} ! cudaupload ! video/x-raw(memory:CUDAMemory) ! {MUX} ! {SINK}")
        seen = watch(one, lambda buffer: first_surface(buffer).frame(on_device=True))
        one.to_end()
        assert {(frame.device, frame.format) for frame in seen} == {((2, 0), format)}


def test_converting_means_the_host(run: Any, clip: str) -> None:
    one = run(
        f"nvurisrcbin uri={clip} ! {MUX} ! nvvideoconvert ! video/x-raw(memory:NVMM),format=RGBA ! {SINK}"
    )
    seen = watch(
        one, lambda buffer: (first_surface(buffer).on_device, first_surface(buffer).frame().planes[0].shape)
    )
    one.to_end()
    assert seen == [(False, (48, 64, 4))] * 20
