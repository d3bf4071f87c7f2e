"""Tensor: an array that other libraries take over through DLPack without a copy."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import FrameError, TensorError
from headrace.frames.frame import HOST, Frame

if TYPE_CHECKING:
    from headrace.meta.buffer import Buffer

_CUDA = 2  # DLPack's number
# From this version on NumPy can say in the capsule that an array is read-only.
_VERSIONED = tuple(int(part) for part in np.__version__.split(".")[:2]) >= (2, 1)


class ColorFormat(Enum):
    """What the elements of a tensor mean that becomes a buffer (contract §3)."""

    RGB = "RGB"
    RGBA = "RGBA"
    I420 = "I420"


class Tensor:
    """A view of memory, as `Buffer.extract` gives it; falsy when it holds nothing.

    This one is of host memory; for frames that stay on a GPU there is `headrace.frames.cuda_tensor.CudaTensor`.

    The view keeps its memory: it stays readable for as long as the tensor, or what was made of it through DLPack,
    lives. What others write into the memory shows, so `clone` what has to last longer than the callback.
    Names and meanings follow the contract's ``Tensor`` (§3).

    Args:
        array: The memory, any shape and strides; ``None`` for an empty tensor.
        format: Letters that name the axes, for example ``HWC``.

    Example:
        >>> frame = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        >>> tensor = Tensor(frame, "HWC")
        >>> tensor.shape, tensor.strides, tensor.size(), bool(Tensor())
        ((2, 4, 3), (12, 3, 1), 24, False)
        >>> np.shares_memory(np.from_dlpack(tensor), frame)
        True
    """

    __slots__ = ("_array", "format")

    def __init__(self, array: NDArray[Any] | None = None, format: str = "") -> None:
        self._array = array
        self.format = format

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each axis; empty for an empty tensor."""
        return () if self._array is None else self._array.shape

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis."""
        return () if self._array is None else self._array.strides

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy type of the elements; uint8 for an empty tensor."""
        return np.dtype(np.uint8) if self._array is None else self._array.dtype

    @property
    def device_type(self) -> str:
        """``CPU``, or ``NONE`` for an empty tensor."""
        return "NONE" if self._array is None else "CPU"

    def size(self) -> int:
        """Bytes of all elements, padding between rows not counted."""
        return 0 if self._array is None else self._array.nbytes

    def __bool__(self) -> bool:
        return self._array is not None and self._array.size > 0

    def __repr__(self) -> str:
        return f"Tensor(shape={self.shape}, dtype={self.dtype}, device_type={self.device_type!r})"

    def numpy(self) -> NDArray[Any]:
        """The memory as a NumPy array; no copy.

        Raises:
            FrameError: The tensor is empty.
        """
        if self._array is None:
            raise FrameError("the tensor is empty; test it with bool() before its data is used")
        return self._array

    def clone(self) -> Tensor:
        """A dense copy that owns its memory and may outlive the callback."""
        return Tensor(None if self._array is None else self._array.copy(order="C"), self.format)

    def to_gpu(self, device_id: int = 0) -> Tensor:
        """A copy in a GPU's memory.

        Raises:
            RuntimeError: torch is not installed, or does not find the GPU (`TensorError`).
            FrameError: The tensor is empty.
        """
        from headrace.frames.cuda_tensor import to_gpu

        return to_gpu(self.numpy(), device_id, self.format)

    def wrap(self, color_format: ColorFormat) -> Buffer:
        """A buffer with a copy of the elements, for a `BufferProvider` to return.

        Args:
            color_format: What the elements mean. A 1-dimensional uint8 tensor becomes a buffer of bytes, whatever
                is said here.

        Raises:
            RuntimeError: Shape or type do not fit the format (`TensorError`).

        Example:
            >>> buffer = Tensor(np.zeros((4, 6, 3), np.uint8), "HWC").wrap(ColorFormat.RGB)
            >>> buffer.frame.format, buffer.frame.width, buffer.extract(0).shape
            ('RGB', 6, (4, 6, 3))
        """
        # Up the layers, the only such import: Buffer.extract and Tensor.wrap are inverse to each other.
        from headrace.meta.buffer import Buffer

        array = self._array
        if array is not None and array.ndim == 1 and array.dtype == np.uint8:
            return Buffer(array.copy())
        return Buffer(_frame(array, color_format))

    def __dlpack_device__(self) -> tuple[int, int]:
        return HOST

    def __dlpack__(
        self,
        stream: object = None,
        *,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """A DLPack capsule of the memory; ``stream`` has no meaning on the host.

        A consumer of DLPack 1.0 is told when the memory is read-only. Older ones have no way to be told and
        get it all the same: they must not write to it.

        Raises:
            BufferError: The tensor is empty, or another device than the host is asked for.
        """
        if self._array is None:
            raise BufferError("an empty tensor has no memory to hand over")
        if dl_device is not None and tuple(dl_device) != HOST:
            raise BufferError(f"the tensor is in host memory and cannot be handed over on device {dl_device}")
        array = self._array.copy(order="C") if copy else self._array
        if max_version is not None and max_version[0] >= 1 and _VERSIONED:
            return array.__dlpack__(max_version=max_version)  # type: ignore[call-arg, unused-ignore]
        return _writable_view(array).__dlpack__()


def as_tensor(data: Any, format: str = "") -> Tensor:
    """A tensor on the memory of anything that speaks DLPack (torch, NumPy, CuPy, …); no copy.

    Args:
        data: An object with ``__dlpack__`` and ``__dlpack_device__``, in host or CUDA memory.
        format: Letters that name the axes, for example ``HWC`` or ``N``.

    Raises:
        FrameError: The object does not speak DLPack, or is on a device that Headrace does not know.
    """
    if type(data) is Tensor:
        return Tensor(data.numpy(), format or data.format)
    if not hasattr(data, "__dlpack__"):
        raise FrameError(f"a {type(data).__name__} has no __dlpack__; give a NumPy array or a torch tensor")
    if isinstance(data, np.ndarray):
        return Tensor(data, format)
    device = data.__dlpack_device__()
    if int(device[0]) == _CUDA:
        from headrace.frames.cuda_tensor import CudaTensor, cuda_torch

        torch = cuda_torch()
        if torch is not None:
            return CudaTensor(torch.from_dlpack(data), format or getattr(data, "format", ""))
    if int(device[0]) != HOST[0]:
        raise FrameError(
            f"the {type(data).__name__} is on device {tuple(device)}; move it to host memory first"
        )
    return Tensor(np.from_dlpack(data), format)


_EXPECTED = {
    ColorFormat.RGB: "(H, W, 3)",
    ColorFormat.RGBA: "(H, W, 4)",
    ColorFormat.I420: "(H * 3 / 2, W) with even W and H",
}


def _frame(array: NDArray[Any] | None, color_format: ColorFormat) -> Frame:
    expected = _EXPECTED.get(color_format)
    if expected is None:
        known = ", ".join(f"ColorFormat.{known.name}" for known in ColorFormat)
        raise TensorError(f"{color_format!r} is no color format; use one of {known}")
    found = "an empty tensor" if array is None else f"a {array.dtype} tensor of shape {array.shape}"
    if array is not None and array.dtype == np.uint8:
        if color_format is ColorFormat.I420:
            if array.ndim == 2 and array.shape[0] % 3 == 0 and array.shape[1] % 2 == 0 and array.size:
                return _i420(array)
        elif array.ndim == 3 and array.shape[2] == len(color_format.value) and array.size:
            return Frame.from_array(array, color_format.value)
    raise TensorError(f"{found} is no {color_format.value} picture; it must be uint8 of shape {expected}")


def _i420(array: NDArray[np.uint8]) -> Frame:
    height, width = array.shape[0] * 2 // 3, array.shape[1]
    chroma = np.ascontiguousarray(array[height:]).reshape(2, height // 2, width // 2)
    return Frame("I420", width, height, (array[:height], chroma[0], chroma[1]))


class _Writable:
    """The memory of an array without its read-only flag (NumPy's array interface); keeps it alive."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        interface = dict(array.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface


def _writable_view(array: NDArray[Any]) -> NDArray[Any]:
    return array if array.flags.writeable else np.asarray(_Writable(array))
