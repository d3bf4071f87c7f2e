"""A frame inside a batch: a GstBuffer of system memory with its layout."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

from headrace.errors import FrameError
from headrace.frames.frame import CHANNELS, VIDEO_601, Colorimetry, Frame, PixelFormat, plane_shapes
from headrace.gst.buffer import BufferRef, Mapping


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

    __slots__ = ("_written", "buffer", "layout")

    def __init__(self, buffer: BufferRef, layout: SurfaceLayout) -> None:
        self.buffer = buffer
        self.layout = layout
        self._written: weakref.ref[Mapping] | None = None

    @classmethod
    def allocate(
        cls, format: PixelFormat, width: int, height: int, color: Colorimetry = VIDEO_601
    ) -> Surface:
        """A new surface with pixels that are not initialised."""
        layout = SurfaceLayout.dense(format, width, height, color)
        return cls(BufferRef.allocate(layout.size), layout)

    def share(self) -> Surface:
        """A second surface over the same pixels; the first to write gets its own."""
        return Surface(self.buffer.share(), self.layout)

    def frame(self, writable: bool = False, source_id: int | None = None, pts: int | None = None) -> Frame:
        """Map the pixels as a `Frame`; the planes keep the memory mapped as long as they live.

        Args:
            writable: Whether they will be written.
            source_id: What the frame is to say of where it comes from.
            pts: And of when it was taken, in ns.

        Raises:
            FrameError: The memory cannot be mapped, or is too small for the frame.
        """
        mapping = self._mapping(writable)
        layout = self.layout
        planes = []
        for shape, offset, stride in zip(
            plane_shapes(layout.format, layout.width, layout.height),
            layout.offsets,
            layout.strides,
            strict=True,
        ):
            strides = (stride, shape[2], 1) if len(shape) == 3 else (stride, 1)
            planes.append(mapping.array(offset, shape, strides))
        return Frame(layout.format, layout.width, layout.height, tuple(planes), layout.color, source_id, pts)

    def _mapping(self, writable: bool) -> Mapping:
        # Writers in one callback must see each other: they share the mapping while it lives.
        current = self._written() if self._written else None
        if current is not None:
            return current
        mapping = Mapping(self.buffer, writable)
        if writable:
            self._written = weakref.ref(mapping)
        return mapping


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
