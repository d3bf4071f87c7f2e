"""Buffer: what user code sees of a GstBuffer."""

from __future__ import annotations

from typing import Any

import numpy as np

from headrace.errors import FrameError
from headrace.frames.color import to_rgb
from headrace.frames.surface import Surface
from headrace.frames.tensor import Tensor
from headrace.gst import payload
from headrace.gst.native import CLOCK_TIME_NONE, buffer_struct
from headrace.meta.batch import Batch, BatchMetadata


class Buffer:
    """A batch on its way through a pipeline, or bytes of the user's own (contract §3).

    Args:
        data: A ``Gst.Buffer`` (its payload is looked at, nothing is copied), uint8 values or bytes, or
            nothing for the empty buffer that means end of stream. Other objects give an empty buffer too.

    Pixels and metadata are valid until the callback that got the buffer returns; `Tensor.clone` lives on.

    Example:
        >>> Buffer().batch_size, Buffer(b"abc").extract(0).shape
        (0, (3,))
    """

    __slots__ = ("_batch", "_bytes", "_timestamp")

    def __init__(self, data: Any = None) -> None:
        self._batch: Batch | None = None
        self._bytes: np.ndarray[Any, np.dtype[np.uint8]] | None = None
        self._timestamp = CLOCK_TIME_NONE
        if isinstance(data, bytes | bytearray | memoryview):
            self._bytes = np.frombuffer(data, np.uint8)
        elif isinstance(data, list | tuple | np.ndarray):
            self._bytes = np.asarray(data, np.uint8)
        elif data is not None and type(data).__name__ == "Buffer" and hasattr(data, "pts"):
            self._look_at(hash(data))

    @classmethod
    def at(cls, address: int) -> Buffer:
        """The buffer at an address, for callers that hold a reference to it."""
        buffer = cls()
        buffer._look_at(address)
        return buffer

    def _look_at(self, address: int) -> None:
        rider = payload.find(address)
        self._timestamp = buffer_struct(address).pts
        if isinstance(rider, Batch):
            self._batch = rider

    @property
    def batch_meta(self) -> BatchMetadata | None:
        """The metadata, ``None`` before the muxer."""
        return self._batch.meta if self._batch is not None else None

    @property
    def batch_size(self) -> int:
        """Number of frames; 1 for a buffer that is no batch, 0 for an empty one."""
        if self._batch is not None:
            return len(self._batch.surfaces) or len(self._batch.meta.frames)
        return 0 if self._bytes is None else 1

    @property
    def timestamp(self) -> int:
        """Presentation time in ns, 2**64-1 when unset."""
        return self._timestamp

    def surface(self, batch_id: int) -> Surface:
        """The pixels of one frame in their own format.

        Raises:
            FrameError: There is no such frame.
        """
        surfaces = self._batch.surfaces if self._batch is not None else []
        if not 0 <= batch_id < len(surfaces):
            raise FrameError(f"there is no frame {batch_id} in a batch of {len(surfaces)}")
        return surfaces[batch_id]

    def extract(self, batch_id: int) -> Tensor:
        """One frame as an RGB tensor ``(H, W, 3)`` uint8.

        An RGB frame is a writable view of its memory, nothing is copied and what is written is seen
        downstream; frames of other formats are converted into a tensor of their own.

        Raises:
            FrameError: There is no such frame, or its memory cannot be mapped.
        """
        if self._bytes is not None:
            return Tensor(self._bytes, "N")
        surface = self.surface(batch_id)
        if surface.layout.format == "RGB":
            return Tensor(surface.frame(writable=True).planes[0], "HWC")
        return Tensor(to_rgb(surface.frame()), "HWC")

    def __bool__(self) -> bool:
        return self._batch is not None or self._bytes is not None
