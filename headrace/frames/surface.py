"""A frame inside a batch: a GstBuffer, in system or CUDA memory, with its layout."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import FrameError
from headrace.frames.cuda import CudaPlane
from headrace.frames.frame import CHANNELS, VIDEO_601, Colorimetry, Frame, PixelFormat, plane_shapes
from headrace.gst.buffer import BufferRef, Mapping
from headrace.gst.cuda import CudaMapping, in_cuda_memory

#: Offset, shape and strides of a plane.
_Place = tuple[int, tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class SurfaceLayout:
    """Where the planes of a frame lie in its buffer.

    Attributes:
        format: Pixel format.
        width: Width in pixels.
        height: Height in pixels.
        offsets: Byte offset of each plane.
        strides: Bytes from one row of a plane to the next.
        color: Colorimetry of YUV formats.
    """

    format: PixelFormat
    width: int
    height: int
    offsets: tuple[int, ...]
    strides: tuple[int, ...]
    color: Colorimetry = VIDEO_601
    _places: tuple[_Place, ...] = field(default=(), init=False, repr=False, compare=False)

    @classmethod
    def dense(
        cls, format: PixelFormat, width: int, height: int, color: Colorimetry = VIDEO_601
    ) -> SurfaceLayout:
        """GStreamer's default layout: rows padded to four bytes, planes one after the other."""
        offsets, strides, end = [], [], 0
        for shape in plane_shapes(format, _even(width, format), _even(height, format)):
            stride = -(-shape[1] * (shape[2] if len(shape) == 3 else 1) // 4) * 4
            offsets.append(end)
            strides.append(stride)
            end += stride * shape[0]
        return cls(format, width, height, tuple(offsets), tuple(strides), color)

    @property
    def size(self) -> int:
        """Bytes of a buffer that holds one frame."""
        rows = plane_shapes(self.format, self.width, _even(self.height, self.format))[-1][0]
        return self.offsets[-1] + self.strides[-1] * rows

    @property
    def places(self) -> tuple[_Place, ...]:
        """Offset, shape and strides of each plane; worked out once, as many frames share a layout."""
        if not self._places:
            shapes = plane_shapes(self.format, self.width, self.height)
            places = tuple(
                (offset, shape, (stride, shape[2], 1) if len(shape) == 3 else (stride, 1))
                for shape, offset, stride in zip(shapes, self.offsets, self.strides, strict=True)
            )
            object.__setattr__(self, "_places", places)
        return self._places


def _even(value: int, format: str) -> int:
    return value + value % 2 if format in ("NV12", "I420") else value


class Surface:
    """The pixels of one frame of a batch.

    Owns one reference to the frame's buffer. Pixels are shared with whoever else holds the memory (a decoder,
    another branch) until they are mapped for writing; then this surface gets memory of its own.

    Attributes:
        buffer: The reference.
        layout: Format, size and planes.
    """

    __slots__ = ("_on_device", "_written", "buffer", "layout")

    def __init__(self, buffer: BufferRef, layout: SurfaceLayout) -> None:
        self.buffer = buffer
        self.layout = layout
        self._written: weakref.ref[Mapping] | None = None
        self._on_device: bool | None = None

    @classmethod
    def allocate(
        cls, format: PixelFormat, width: int, height: int, color: Colorimetry = VIDEO_601
    ) -> Surface:
        """A new surface with pixels that are not initialised."""
        layout = SurfaceLayout.dense(format, width, height, color)
        return cls(BufferRef.allocate(layout.size), layout)

    @property
    def on_device(self) -> bool:
        """Whether the pixels lie in CUDA memory. The buffer says so itself: caps call all memory of batches alike."""
        if self._on_device is None:
            self._on_device = in_cuda_memory(self.buffer.address)
        return self._on_device

    def share(self) -> Surface:
        """A second surface over the same pixels; the first to write gets its own."""
        # The same buffer, no second one over its memory: a decoder's pool takes back only memory that nobody shares.
        return Surface(BufferRef.of(self.buffer.address), self.layout)

    def frame(
        self,
        writable: bool = False,
        source_id: int | None = None,
        pts: int | None = None,
        on_device: bool = False,
    ) -> Frame:
        """Map the pixels as a `Frame`; the planes keep the memory mapped as long as they live.

        Pixels in CUDA memory are downloaded, once for all who ask; what is written goes up again when the next one
        reads them on the device.

        Args:
            writable: Whether they will be written.
            source_id: What the frame is to say of where it comes from.
            pts: And of when it was taken, in ns.
            on_device: Leave pixels in CUDA memory where they are, for reading; see `Frame.device`.

        Raises:
            FrameError: The memory cannot be mapped, or is too small for the frame.
        """
        # Writers in one callback must see each other: they share the mapping while it lives.
        current = self._written() if self._written else None
        if on_device and current is None and not writable and self.on_device:
            planes = self._device_planes()
        else:
            mapping = current or self._map(writable)
            planes = tuple(mapping.array(*place) for place in self.layout.places)
        layout = self.layout
        return Frame(layout.format, layout.width, layout.height, planes, layout.color, source_id, pts)

    def _map(self, writable: bool) -> Mapping:
        mapping = Mapping(self.buffer, writable, waits=self.on_device)
        if writable:
            self._written = weakref.ref(mapping)
        return mapping

    def _device_planes(self) -> tuple[Any, ...]:
        mapping = CudaMapping(self.buffer)
        return tuple(_device_plane(mapping, *place) for place in self.layout.places)


def _device_plane(
    mapping: CudaMapping, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
) -> CudaPlane:
    end = (
        offset
        + (shape[0] - 1) * strides[0]
        + (shape[1] - 1) * strides[1]
        + (shape[2] if len(shape) == 3 else 1)
    )
    if end > mapping.size:
        raise FrameError(f"a frame needs {end} bytes, its CUDA memory holds {mapping.size}")
    return CudaPlane(
        mapping.address + offset, shape, strides, mapping.device, mapping,
        lambda: Mapping(mapping.buffer, waits=True).array(offset, shape, strides),
    )  # fmt: skip


def write_frame(frame: Frame) -> Surface:
    """Copy a frame into a new surface.

    Raises:
        FrameError: The planes do not fit the frame's format and size.
    """
    surface = Surface.allocate(frame.format, frame.width, frame.height, frame.color)
    target = surface.frame(writable=True)
    for source, plane in zip(frame.planes, target.planes, strict=True):
        if source.shape != plane.shape:
            raise FrameError(f"a {frame.format} plane has shape {source.shape}, expected {plane.shape}")
        plane[...] = source
    return surface


__all__ = ["CHANNELS", "Surface", "SurfaceLayout", "write_frame"]
