"""Tensors become buffers, and may not become what they do not fit."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from headrace.frames import ColorFormat, Tensor, as_tensor
from headrace.frames.color import to_rgb
from headrace.frames.surface import Surface


def picture(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("shape", "format", "size"),
    [
        ((4, 6, 3), ColorFormat.RGB, (6, 4)),
        ((5, 7, 3), ColorFormat.RGB, (7, 5)),
        ((4, 6, 4), ColorFormat.RGBA, (6, 4)),
        ((6, 8), ColorFormat.I420, (8, 4)),
        ((9, 4), ColorFormat.I420, (4, 6)),
    ],
)
def test_a_wrapped_tensor_is_a_frame_of_its_own(shape, format, size):
    array = picture(*shape)
    wanted = array.copy()
    buffer = Tensor(array).wrap(format)
    array[:] = 0
    frame = buffer.frame
    assert (frame.format, frame.width, frame.height, buffer.batch_size) == (format.name, *size, 1)
    assert np.array_equal(np.concatenate([plane.reshape(-1) for plane in frame.planes]), wanted.reshape(-1))
    taken = buffer.extract(0)
    assert (taken.shape, taken.dtype) == ((size[1], size[0], 3), np.uint8)
    if format is not ColorFormat.I420:
        assert np.array_equal(taken.numpy(), wanted[..., :3])
    assert buffer
    assert buffer.batch_meta is None


def test_strided_and_foreign_memory_is_wrapped_too():
    array = picture(8, 12, 3)[::2, ::2]
    assert np.array_equal(as_tensor(array, "HWC").wrap(ColorFormat.RGB).extract(0).numpy(), array)


def test_one_dimension_is_a_buffer_of_bytes():
    buffer = Tensor(np.arange(5, dtype=np.uint8)).wrap(ColorFormat.RGB)
    assert (buffer.frame, buffer.batch_size, buffer.extract(0).shape) == (None, 1, (5,))


@pytest.mark.parametrize(
    ("tensor", "format", "named"),
    [
        (Tensor(), ColorFormat.RGB, "empty"),
        (Tensor(np.zeros((4, 6, 4), np.uint8)), ColorFormat.RGB, r"\(4, 6, 4\).*\(H, W, 3\)"),
        (Tensor(np.zeros((4, 6, 3), np.uint8)), ColorFormat.RGBA, r"\(4, 6, 3\).*\(H, W, 4\)"),
        (Tensor(np.zeros((4, 6, 3), np.float32)), ColorFormat.RGB, "float32"),
        (Tensor(np.zeros((4, 6), np.uint8)), ColorFormat.RGB, r"\(4, 6\)"),
        (Tensor(np.zeros((0, 6, 3), np.uint8)), ColorFormat.RGB, r"\(0, 6, 3\)"),
        (Tensor(np.zeros((4, 6), np.uint8)), ColorFormat.I420, r"H \* 3 / 2"),
        (Tensor(np.zeros((6, 5), np.uint8)), ColorFormat.I420, r"H \* 3 / 2"),
        (Tensor(np.zeros((4, 6, 3), np.uint8)), "NV12", r"ColorFormat\.I420"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(tensor, format, named):
    with pytest.raises(RuntimeError, match=named):
        tensor.wrap(format)


def test_a_gpu_that_is_not_there_is_named():
    with pytest.raises(RuntimeError, match="GPU 99: torch"):
        Tensor(np.zeros(3)).to_gpu(99)


def test_colours_survive_the_round_trip():
    color = np.zeros((4, 4, 3), np.uint8)
    color[:] = (200, 30, 90)
    frame = Tensor(color).wrap(ColorFormat.RGB).frame
    assert (to_rgb(frame) == (200, 30, 90)).all()


def test_a_tensor_keeps_the_frame_it_shows():
    surface = Surface.allocate("RGB", 6, 4)
    surface.frame(writable=True).planes[0][:] = 7
    gone = weakref.ref(surface.buffer)
    taken = np.from_dlpack(Tensor(surface.frame().planes[0], "HWC"))
    del surface
    gc.collect()
    churn = [np.full(72, 9, np.uint8) for _ in range(100)]
    assert (taken == 7).all()
    assert gone() is None, "the surface is gone, the mapped memory is not"
    del churn
