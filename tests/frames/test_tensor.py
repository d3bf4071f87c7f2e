from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from headrace.errors import FrameError
from headrace.frames import Tensor, as_tensor


def padded(writeable=True):
    """A 4 x 6 RGB view with rows of 32 bytes."""
    sheet = np.arange(4 * 32, dtype=np.uint8).reshape(4, 32)
    sheet.flags.writeable = writeable
    return np.ndarray((4, 6, 3), np.uint8, sheet, 0, (32, 3, 1))


def test_a_tensor_describes_its_memory():
    tensor = Tensor(padded(), "HWC")
    assert (tensor.shape, tensor.strides, tensor.dtype) == ((4, 6, 3), (32, 3, 1), np.dtype(np.uint8))
    assert (tensor.size(), tensor.device_type, tensor.format) == (72, "CPU", "HWC")
    assert tensor
    assert tensor.__dlpack_device__() == (1, 0)


def test_an_empty_tensor_is_falsy_and_has_nothing_to_give():
    tensor = Tensor()
    assert not tensor
    assert (tensor.shape, tensor.size(), tensor.device_type) == ((), 0, "NONE")
    assert not tensor.clone()
    with pytest.raises(FrameError, match="empty"):
        tensor.numpy()
    with pytest.raises(BufferError, match="empty"):
        tensor.__dlpack__()


@pytest.mark.parametrize("writeable", [True, False])
def test_dlpack_hands_over_the_memory_itself(writeable):
    memory = padded(writeable)
    taken = np.from_dlpack(Tensor(memory))
    assert np.shares_memory(taken, memory)
    assert (taken.shape, taken.strides) == (memory.shape, memory.strides)
    assert np.array_equal(taken, memory)


@pytest.mark.parametrize("writeable", [True, False])
def test_consumers_of_the_first_dlpack_version_are_served_too(writeable):
    class Old:
        """Calls `__dlpack__` as libraries did before DLPack 1.0: with the stream only."""

        def __init__(self, tensor):
            self.tensor = tensor

        def __dlpack__(self, **_):
            return self.tensor.__dlpack__(stream=None)

        def __dlpack_device__(self):
            return self.tensor.__dlpack_device__()

    memory = padded(writeable)
    assert np.shares_memory(np.from_dlpack(Old(Tensor(memory))), memory)
    assert memory.flags.writeable is writeable


def test_the_memory_lives_as_long_as_somebody_has_it():
    memory = np.arange(12, dtype=np.uint8)
    memory.flags.writeable = False
    gone = weakref.ref(memory)
    taken = np.from_dlpack(Tensor(memory))
    del memory
    gc.collect()
    assert gone() is not None
    assert taken.tolist() == list(range(12))
    del taken
    gc.collect()
    assert gone() is None


def test_a_copy_can_be_asked_for_and_another_device_cannot():
    memory = padded()
    capsule = Tensor(memory).__dlpack__(copy=True)
    assert "dltensor" in repr(capsule)
    assert Tensor(memory).__dlpack__(dl_device=(1, 0))
    with pytest.raises(BufferError, match="host memory"):
        Tensor(memory).__dlpack__(dl_device=(2, 0))


def test_a_clone_is_dense_and_independent():
    memory = padded()
    clone = Tensor(memory, "HWC").clone()
    wanted = memory.copy()
    memory[...] = 0
    assert clone.strides == (18, 3, 1)
    assert clone.format == "HWC"
    assert np.array_equal(clone.numpy(), wanted)


def test_anything_with_dlpack_becomes_a_tensor_without_a_copy():
    array = np.arange(6.0).reshape(2, 3)
    for data in (array, Tensor(array), type("Other", (), {
        "__dlpack__": lambda self, **kw: array.__dlpack__(), "__dlpack_device__": lambda self: (1, 0)
    })()):  # fmt: skip
        tensor = as_tensor(data, "HW")
        assert (tensor.shape, tensor.format) == ((2, 3), "HW")
        assert np.shares_memory(tensor.numpy(), array)


def test_what_cannot_become_a_tensor_is_refused_by_name():
    with pytest.raises(FrameError, match="list has no __dlpack__"):
        as_tensor([1, 2])
    cuda = type("Cuda", (), {"__dlpack__": None, "__dlpack_device__": lambda self: (2, 1)})()
    with pytest.raises(FrameError, match=r"Cuda is on device \(2, 1\)"):
        as_tensor(cuda)
