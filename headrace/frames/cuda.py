"""Planes of frames that lie in the memory of an NVIDIA GPU."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import FrameError

#: DLPack's number for CUDA memory.
_CUDA = 2


class CudaPlane:
    """One plane of a frame in CUDA memory; stands where a NumPy array stands in host memory.

    torch, CuPy and others read it in place: ``torch.as_tensor(plane, device="cuda")``. It is complete when one gets
    it, so that no stream needs to wait for another, and must only be read. The memory stays what it is as long as
    the plane, or what was made of it without a copy, lives. Keep one of them until the GPU has read it, not only until
    the work was started: the decoder writes another frame there (docs/performance.md).

    Args:
        address: Of the first element, on the device.
        shape: ``(H, W)`` or ``(H, W, C)``, uint8.
        strides: Bytes from one element to the next along each axis.
        device: Number of the device.
        owner: What keeps the memory mapped.
        download: Gives the same plane in host memory.

    Attributes:
        address: As given.
        shape: As given.
        strides: As given.
        device: As given.

    Example:
        >>> copy = np.arange(24, dtype=np.uint8).reshape(4, 6)
        >>> plane = CudaPlane(4096, (4, 6), (6, 1), 0, None, lambda: copy)
        >>> part = plane[1:3, 2:6]
        >>> part.address - plane.address, part.shape, part.host().tolist()
        (8, (2, 4), [[8, 9, 10, 11], [14, 15, 16, 17]])
    """

    __slots__ = ("_download", "_owner", "address", "device", "shape", "strides")

    #: NumPy's name for the type of all planes.
    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        address: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        device: int,
        owner: object,
        download: Callable[[], NDArray[np.uint8]],
    ) -> None:
        self.address, self.shape, self.strides, self.device = address, shape, strides, device
        self._owner, self._download = owner, download

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"CudaPlane(shape={self.shape}, strides={self.strides}, device={self.device})"

    def __getitem__(self, part: tuple[slice, slice]) -> CudaPlane:
        """A part: rows and columns, in steps of one; a view.

        Raises:
            FrameError: Something else is asked for.
        """
        if not (isinstance(part, tuple) and len(part) == 2 and all(isinstance(one, slice) for one in part)):
            raise FrameError("a plane in CUDA memory gives parts [rows, columns]; for more, use plane.host()")
        ranges = [one.indices(size) for one, size in zip(part, self.shape, strict=False)]
        if any(step != 1 for _, _, step in ranges):
            raise FrameError("a plane in CUDA memory gives parts in steps of one; for more, use plane.host()")
        offset = sum(one[0] * stride for one, stride in zip(ranges, self.strides, strict=False))
        shape = (*(max(stop - start, 0) for start, stop, _ in ranges), *self.shape[2:])
        return CudaPlane(
            self.address + offset, shape, self.strides, self.device, self._owner, lambda: self.host()[part]
        )

    def host(self) -> NDArray[np.uint8]:
        """The plane in host memory, read only; the first call for a frame downloads it."""
        return self._download()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """What NumPy asks for: the plane in host memory."""
        array = self.host()
        return array.astype(dtype or array.dtype, copy=bool(copy))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """Version 3 of the protocol (numba.readthedocs.io, CUDA Array Interface); no stream to wait for."""
        return {
            "version": 3,
            "typestr": "|u1",
            "data": (self.address, False),  # torch refuses what is said to be read only
            "shape": self.shape,
            "strides": self.strides,
            "stream": None,
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return _CUDA, self.device

    def __dlpack__(self, *, stream: Any = None, dl_device: Any = None, **_: Any) -> Any:
        """A DLPack capsule, made by torch.

        Raises:
            BufferError: torch is not installed, or another device is asked for.
        """
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError(f"the plane is on CUDA device {self.device}, not on device {dl_device}")
        return self.torch().__dlpack__(stream=stream)

    def torch(self) -> Any:
        """The plane as a torch tensor over the same memory, which it keeps.

        Raises:
            BufferError: torch is not installed.
        """
        try:
            torch = importlib.import_module("torch")
        except ImportError as error:
            text = "planes in CUDA memory need torch to be handed over: pip install 'headrace[torch]'"
            raise BufferError(text) from error
        return torch.as_tensor(self, device=f"cuda:{self.device}")
