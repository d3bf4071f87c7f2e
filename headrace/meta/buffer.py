"""Buffer: what user code sees of a GstBuffer, and gives back as one."""

from __future__ import annotations

import dataclasses
import logging
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import FrameError
from headrace.frames.color import to_rgb
from headrace.frames.cuda_tensor import CudaTensor, cuda_torch, rgb_on_device
from headrace.frames.frame import Frame, PixelFormat
from headrace.frames.surface import Surface, SurfaceLayout, write_frame
from headrace.frames.tensor import Tensor
from headrace.gst import payload
from headrace.gst.buffer import BufferRef, Mapping
from headrace.gst.native import CLOCK_TIME_NONE, buffer_struct
from headrace.gst.videometa import picture_of, planes_of
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.latency import frame_latencies

_log = logging.getLogger(__name__)

#: Values of GstVideoFormat.
_VIDEO_FORMATS: dict[int, PixelFormat] = {
    2: "I420", 8: "BGRx", 11: "RGBA", 15: "RGB", 16: "BGR", 23: "NV12", 25: "GRAY8",
}  # fmt: skip


class Buffer:
    """A batch or frame on its way through a pipeline, or data of the user's own (contract §3).

    Args:
        data: A ``Gst.Buffer`` (looked at, nothing is copied), uint8 values or bytes, a `Frame` (copied), or
            nothing for the empty buffer that means end of stream. Other objects give an empty buffer too.

    Metadata is valid until the callback that got the buffer returns; tensors keep the memory that they show.

    Example:
        >>> Buffer().batch_size, Buffer(b"abc").extract(0).shape
        (0, (3,))
    """

    __slots__ = ("_batch", "_bytes", "_plain", "_surface", "_timestamp")

    def __init__(self, data: Any = None) -> None:
        self._batch: Batch | None = None
        self._bytes: NDArray[np.uint8] | None = None
        self._surface: Surface | None = None
        self._plain: BufferRef | None = None  # a buffer that is its own pixels
        self._timestamp = CLOCK_TIME_NONE
        if isinstance(data, Frame):
            self._surface = write_frame(data)
        elif isinstance(data, bytes | bytearray | memoryview):
            self._bytes = np.frombuffer(data, np.uint8)
        elif isinstance(data, list | tuple | np.ndarray):
            self._bytes = np.asarray(data, np.uint8)
        elif data is not None and type(data).__name__ == "Buffer" and hasattr(data, "pts"):
            self._look_at(hash(data), None)

    @classmethod
    def at(cls, address: int, layout: SurfaceLayout | None = None) -> Buffer:
        """The buffer at an address.

        Args:
            address: Of a GstBuffer that the caller holds a reference to.
            layout: What its caps say, for a plain frame without GstVideoMeta (one from an appsink, for example).
        """
        buffer = cls()
        buffer._look_at(address, layout)
        return buffer

    def _look_at(self, address: int, layout: SurfaceLayout | None) -> None:
        self._timestamp = buffer_struct(address).pts
        rider = payload.find(address)
        if isinstance(rider, Batch):
            self._batch = rider
            if rider.surfaces:
                return
        self._plain = BufferRef.of(address)
        found = _layout_at(address, layout)
        if found is not None:
            self._surface = Surface(self._plain, found)

    @property
    def batch_meta(self) -> BatchMetadata | None:
        """The metadata, ``None`` before the muxer."""
        return self._batch.meta if self._batch is not None else None

    @property
    def batch_size(self) -> int:
        """Number of frames; 1 for a buffer that is no batch, 0 for an empty one."""
        if self._batch is not None and self._batch.surfaces:
            return len(self._batch.surfaces)
        return 1 if self else 0

    @property
    def timestamp(self) -> int:
        """Presentation time in ns, 2**64-1 when unset."""
        return self._timestamp

    @property
    def frame(self) -> Frame | None:
        """The pixels of a single frame with format and size, only to be read; ``None`` if there is no single one."""
        surfaces = self._surfaces()
        return surfaces[0].frame() if len(surfaces) == 1 else None

    def _surfaces(self) -> list[Surface]:
        if self._surface is not None:
            return [self._surface]
        return self._batch.surfaces if self._batch is not None else []

    def surface(self, batch_id: int) -> Surface:
        """The pixels of one frame in their own format.

        Raises:
            FrameError: There is no such frame.
        """
        surfaces = self._surfaces()
        if not 0 <= batch_id < len(surfaces):
            raise FrameError(f"there is no frame {batch_id} in a batch of {len(surfaces)}")
        return surfaces[batch_id]

    def extract(self, batch_id: int) -> Tensor:
        """One frame as an RGB tensor ``(H, W, 3)`` uint8, or data that is no picture as bytes ``(n,)``.

        An RGB frame of a batch is a writable view of its memory: nothing is copied, and what is written is seen
        downstream. A plain RGB frame is a view that can only be read. Frames of other formats are converted into
        a tensor of their own, on the GPU where the frame lies there and torch is installed. What cannot be converted
        gives an empty (false) tensor and an error in the log.

        Raises:
            FrameError: There is no such frame, or its memory cannot be mapped.
        """
        if self._bytes is not None:
            return Tensor(self._bytes, "N")
        if self._plain is not None and self._surface is None:
            return self._plain_bytes()
        surface = self.surface(batch_id)
        if surface.layout.format == "RGB":
            return Tensor(surface.frame(writable=self._plain is None).planes[0], "HWC")
        if surface.on_device and cuda_torch() is not None:
            frame = surface.frame(on_device=True)
            return CudaTensor(rgb_on_device(frame), "HWC")
        return Tensor(to_rgb(surface.frame()), "HWC")

    def _plain_bytes(self) -> Tensor:
        assert self._plain is not None
        picture = picture_of(self._plain.address)
        if picture is not None:
            known = ", ".join(sorted(_VIDEO_FORMATS.values()))
            _log.error(
                "cannot extract a frame of GstVideoFormat %d; convert it to one of %s", picture[0], known
            )
            return Tensor()
        mapping = Mapping(self._plain)
        return Tensor(mapping.array(0, (mapping.size,), (1,)), "N") if mapping.size else Tensor()

    def measure_latency(self) -> list[dict[str, int | float]]:
        """``source_id``, ``frame_num`` and ``latency`` in ms of each frame since the muxer got it.

        Empty unless the environment has ``NVDS_ENABLE_LATENCY_MEASUREMENT=1``.
        """
        return frame_latencies(self._batch.meta) if self._batch is not None else []

    def get_chunk_id(self, batch_id: int) -> int:
        """Which piece of media a frame is from (its metadata's extra ``chunk_id``); -1 when it has none."""
        frames = self._batch.meta.frames if self._batch is not None else []
        return int(frames[batch_id].extras.get("chunk_id", -1)) if 0 <= batch_id < len(frames) else -1

    def to_gst(self, batch: bool = True, layout: SurfaceLayout | None = None) -> Any:
        """A new ``Gst.Buffer`` of this one's content, as an appsrc pushes it.

        Pixels are shared until somebody writes, metadata is copied, the timestamp is set if there is one.

        Args:
            batch: Make a batch, for caps with ``memory:NVMM``; otherwise the first frame's plain memory.
            layout: What the caps say, for bytes that are to become a frame.

        Raises:
            FrameError: The buffer is empty (push end of stream instead), or bytes do not fill the layout.

        Example:
            >>> picture = Buffer(Frame.empty("RGB", 4, 2))
            >>> Buffer(picture.to_gst()).extract(0).shape, picture.to_gst(batch=False).get_size()
            ((2, 4, 3), 24)
        """
        from headrace.gst.handover import binding_buffer

        surfaces = self._surfaces() or self._surface_of_bytes(layout)
        if not surfaces:
            buffer = binding_buffer(self._raw())
        elif batch:
            buffer = binding_buffer()
            payload.attach(hash(buffer), self._as_batch(surfaces))
        else:
            buffer = binding_buffer(_dense(surfaces[0]).buffer)
        if self._timestamp != CLOCK_TIME_NONE:
            buffer.pts = self._timestamp
        return buffer

    def _raw(self) -> BufferRef | None:
        """The plain buffer, or a new one of the bytes; ``None`` for no bytes at all."""
        if self._plain is not None or (self._bytes is not None and not self._bytes.size):
            return self._plain
        if self._bytes is None:
            raise FrameError("an empty buffer has no content; it stands for the end of the stream")
        memory = BufferRef.allocate(self._bytes.size)
        Mapping(memory, writable=True).array(0, self._bytes.shape, (1,))[...] = self._bytes
        return memory

    def _surface_of_bytes(self, layout: SurfaceLayout | None) -> list[Surface]:
        raw = self._raw() if layout is not None else None
        if raw is None or layout is None:
            return []
        surface = Surface(raw, layout)
        surface.frame()  # too few bytes show now, not downstream
        return [surface]

    def _as_batch(self, surfaces: list[Surface]) -> Batch:
        if self._batch is not None:
            return Batch(self._batch.meta.fork(), [surface.share() for surface in surfaces])
        meta, layout = BatchMetadata.new(), surfaces[0].layout
        meta.add_frame(
            buffer_pts=self._timestamp, ntp_timestamp=time.time_ns(),
            source_width=layout.width, source_height=layout.height,
            pipeline_width=layout.width, pipeline_height=layout.height,
        )  # fmt: skip
        return Batch(meta, [surface.share() for surface in surfaces])

    def __bool__(self) -> bool:
        return any(part is not None for part in (self._batch, self._bytes, self._surface, self._plain))


def _dense(surface: Surface) -> Surface:
    """The surface, or a copy of it, with its planes where caps say that they are."""
    layout = surface.layout
    usual = SurfaceLayout.dense(layout.format, layout.width, layout.height, layout.color)
    return surface if layout == usual else write_frame(surface.frame())


def _layout_at(address: int, layout: SurfaceLayout | None) -> SurfaceLayout | None:
    """Layout of a plain frame: what its caps say, planes as its GstVideoMeta says; ``None`` if it is none."""
    picture, planes = picture_of(address), planes_of(address)
    if layout is None and picture is not None and picture[0] in _VIDEO_FORMATS:
        layout = SurfaceLayout.dense(_VIDEO_FORMATS[picture[0]], picture[1], picture[2])
    if layout is None or planes is None:
        return layout
    return dataclasses.replace(layout, offsets=planes[0], strides=planes[1])
