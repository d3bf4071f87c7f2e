"""Planes and frames in CUDA memory, with host memory in its place."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.errors import FrameError
from headrace.frames import HOST, Frame, to_rgb
from headrace.frames.cuda import CudaPlane
from headrace.frames.scale import crop
from headrace.infer import FrameBatch
from headrace.infer.preprocess import PreprocessOptions, preprocess
from headrace.infer.targets.motion_gate import MotionGate


class Memory:
    """What keeps a frame mapped, and counts downloads."""

    def __init__(self, frame):
        self.frame, self.downloads = frame, 0

    def plane(self, index):
        array = self.frame.planes[index]

        def download():
            self.downloads += 1
            return array

        return CudaPlane(array.ctypes.data, array.shape, array.strides, 1, self, download)


@pytest.fixture
def nv12():
    noise = np.random.default_rng(3)
    planes = noise.integers(0, 256, (48, 64), np.uint8), noise.integers(0, 256, (24, 32, 2), np.uint8)
    return Frame("NV12", 64, 48, planes, source_id=4, pts=7)


def on_device(frame):
    memory = Memory(frame)
    planes = tuple(memory.plane(index) for index in range(len(frame.planes)))
    return Frame(
        frame.format, frame.width, frame.height, planes, frame.color, frame.source_id, frame.pts
    ), memory


def test_a_frame_tells_its_device_and_comes_to_the_host(nv12):
    frame, memory = on_device(nv12)
    assert (frame.device, memory.downloads) == ((2, 1), 0)
    host = frame.host()
    assert host.device == HOST
    assert (host.format, host.source_id, host.pts) == ("NV12", 4, 7)
    assert all(np.array_equal(*pair) for pair in zip(host.planes, nv12.planes, strict=True))
    assert host.host() is host


def test_libraries_find_the_memory_by_its_interface(nv12):
    plane = on_device(nv12)[0].planes[1]
    interface = plane.__cuda_array_interface__
    assert interface == {
        "version": 3, "typestr": "|u1", "data": (nv12.planes[1].ctypes.data, False), "shape": (24, 32, 2),
        "strides": (64, 2, 1), "stream": None,
    }  # fmt: skip
    assert (plane.ndim, len(plane), plane.dtype, plane.__dlpack_device__()) == (3, 24, np.uint8, (2, 1))
    with pytest.raises(BufferError, match="CUDA device 1"):
        plane.__dlpack__(dl_device=(2, 0))


def test_numpy_gets_a_copy_in_host_memory(nv12):
    plane = on_device(nv12)[0].planes[0]
    assert np.array_equal(np.asarray(plane), nv12.planes[0])
    assert np.asarray(plane, np.float32).dtype == np.float32


def test_a_part_is_a_view(nv12):
    frame, memory = on_device(nv12)
    part = crop(frame, 6, 8, 20, 10)
    want = crop(nv12, 6, 8, 20, 10)
    assert part.device == (2, 1)
    assert memory.downloads == 0
    for one, other in zip(part.planes, want.planes, strict=True):
        assert (one.address, one.shape, one.strides) == (other.ctypes.data, other.shape, other.strides)
    assert np.array_equal(to_rgb(part.host()), to_rgb(want))


@pytest.mark.parametrize("part", [0, slice(2, 4), (slice(0, 4, 2), slice(None)), (1, slice(None))])
def test_parts_are_rows_and_columns(nv12, part):
    with pytest.raises(FrameError, match=r"plane\.host\(\)"):
        on_device(nv12)[0].planes[0][part]


def test_the_memory_stays_while_a_plane_of_it_lives(nv12):
    import gc
    import weakref

    frame, memory = on_device(nv12)
    part, kept = frame.planes[0][2:4, 0:8], weakref.ref(memory)
    del frame, memory
    gc.collect()
    assert kept() is not None
    del part
    gc.collect()
    assert kept() is None


def test_what_works_on_the_host_takes_such_frames(nv12):
    frame, _ = on_device(nv12)
    batch, want = FrameBatch([frame]), FrameBatch([nv12])
    assert np.array_equal(batch.numpy()[0], want.numpy()[0])
    assert np.array_equal(batch.letterbox(32), want.letterbox(32))
    assert np.array_equal(np.from_dlpack(batch.dlpack()[0]), want.numpy()[0])
    rows = np.zeros((2, 3, 32, 32), np.float32)
    for one, row in zip((frame, nv12), rows, strict=True):
        preprocess(one, row, PreprocessOptions())
    assert np.array_equal(*rows)
    assert MotionGate().opens(0, 0, frame)
