"""References to GstBuffers and mapped memory as NumPy arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import FrameError
from headrace.gst.native import (
    BUFFER_COPY_FLAGS,
    BUFFER_COPY_TIMESTAMPS,
    MAP_READ,
    MAP_WRITE,
    MapInfo,
    gst,
    gst_quick,
)

_NO_SIZE = 2**64 - 1


class BufferRef:
    """Owns one reference to a GstBuffer and gives it back when it is dropped.

    Attributes:
        address: Address of the GstBuffer, 0 after `steal`.
    """

    __slots__ = ("__weakref__", "address")

    def __init__(self, address: int) -> None:
        """Take over a reference that the caller owns; use `of` to take one more instead."""
        self.address = address

    @classmethod
    def of(cls, address: int) -> BufferRef:
        """A new reference to a buffer that somebody else owns."""
        gst_quick.gst_mini_object_ref(address)
        return cls(address)

    @classmethod
    def allocate(cls, size: int) -> BufferRef:
        """A new buffer of `size` bytes of system memory, not initialised."""
        return cls(int(gst.gst_buffer_new_allocate(None, size, None)))

    def share(self) -> BufferRef:
        """A second buffer over the same memory; whoever writes first gets memory of its own."""
        return BufferRef(int(gst.gst_buffer_copy_region(self.address, 0xF, 0, _NO_SIZE)))

    def make_writable(self) -> None:
        """Make this the only reference to its buffer, by a shallow copy if others hold it too."""
        if not gst_quick.gst_mini_object_is_writable(self.address):
            shared = self.share()
            self.address, shared.address = shared.address, self.address

    def steal(self) -> int:
        """Hand the reference to the caller."""
        address, self.address = self.address, 0
        return address

    def __del__(self) -> None:
        if self.address:
            gst_quick.gst_mini_object_unref(self.address)


class Mapping:
    """Memory of a buffer, mapped for as long as this object or an array made from it lives.

    Args:
        buffer: The buffer; mapping for writing makes it nobody else's.
        writable: Whether it will be written.
        waits: Whether even mapping for reading takes its time, because the memory is a device's.

    Raises:
        FrameError: The memory cannot be mapped this way.
    """

    __slots__ = ("__weakref__", "_buffer", "_info", "size")

    def __init__(self, buffer: BufferRef, writable: bool = False, waits: bool = False) -> None:
        if writable:
            buffer.make_writable()
        info = MapInfo()
        flags = MAP_READ | MAP_WRITE if writable else MAP_READ
        library = gst if writable or waits else gst_quick  # mapping for writing may copy the pixels
        if not library.gst_buffer_map(buffer.address, info, flags):
            raise FrameError(
                "a frame's memory cannot be mapped for the CPU; convert it to system memory first"
            )
        self._info = info
        # A reference of its own: the memory outlives the mapping of a buffer that was swapped for a copy.
        self._buffer = BufferRef.of(buffer.address)
        self.size: int = info.size

    def array(self, offset: int, shape: Sequence[int], strides: Sequence[int]) -> NDArray[np.uint8]:
        """A view of the mapped bytes that keeps the mapping alive.

        Raises:
            FrameError: The view would reach past the end of the memory (a truncated frame).
        """
        end = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True)) + 1
        if end > self.size:
            raise FrameError(
                f"a frame needs {end} bytes, its buffer holds {self.size}: the stream is damaged"
            )
        return np.asarray(_Plane(self, self._info.data + offset, tuple(shape), tuple(strides)))

    @property
    def writable(self) -> bool:
        """Whether arrays of this mapping may be written."""
        return bool(self._info.flags & MAP_WRITE)

    def __del__(self) -> None:
        buffer = getattr(self, "_buffer", None)
        if buffer is not None:
            gst_quick.gst_buffer_unmap(buffer.address, self._info)


class _Plane:
    __slots__ = ("__array_interface__", "_mapping")

    def __init__(self, mapping: Mapping, data: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self._mapping = mapping
        self.__array_interface__: dict[str, Any] = {
            "version": 3,
            "typestr": "|u1",
            "data": (data, not mapping.writable),
            "shape": shape,
            "strides": strides,
        }


def new_buffer_like(source: int) -> int:
    """A new, empty buffer with the flags and timestamps of another; the caller owns it."""
    buffer = int(gst_quick.gst_buffer_new())
    gst_quick.gst_buffer_copy_into(buffer, source, BUFFER_COPY_FLAGS | BUFFER_COPY_TIMESTAMPS, 0, _NO_SIZE)
    return buffer


def copy_into(buffer: int, picture: NDArray[np.uint8], stride: int) -> None:
    """Copy the rows of a packed picture into a writable buffer.

    Args:
        buffer: Address of a buffer of at least ``stride * rows`` bytes, of which nobody else holds a
            reference.
        picture: ``(H, W, C)`` or ``(H, W)``.
        stride: Bytes per row in the buffer.

    Raises:
        FrameError: The buffer cannot be written, or is too small.
    """
    info = MapInfo()
    if not gst.gst_buffer_map(buffer, info, MAP_WRITE):
        raise FrameError("a frame's memory cannot be written; it is shared or not in system memory")
    try:
        height, row = picture.shape[0], picture.shape[1] * (picture.shape[2] if picture.ndim == 3 else 1)
        if stride * (height - 1) + row > info.size:
            raise FrameError(
                f"a picture of {height} rows of {stride} bytes does not fit into {info.size} bytes"
            )
        memory = np.ctypeslib.as_array((ctypes.c_uint8 * info.size).from_address(info.data))
        rows = np.lib.stride_tricks.as_strided(memory, (height, row), (stride, 1))
        rows[...] = picture.reshape(height, row)
    finally:
        gst_quick.gst_buffer_unmap(buffer, info)
