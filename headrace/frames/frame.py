"""A frame as data: pixel format, size and planes as NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headrace.errors import FrameError

PixelFormat = Literal["NV12", "I420", "RGB", "BGR", "RGBA", "BGRx", "GRAY8"]
PIXEL_FORMATS: tuple[PixelFormat, ...] = ("NV12", "I420", "RGB", "BGR", "RGBA", "BGRx", "GRAY8")

#: DLPack device ``(type, id)`` of host memory.
HOST = (1, 0)

#: Number of interleaved channels of the packed formats.
CHANNELS: dict[str, int] = {"RGB": 3, "BGR": 3, "RGBA": 4, "BGRx": 4}


@dataclass(frozen=True, slots=True)
class Colorimetry:
    """How luma and chroma map to RGB.

    Attributes:
        matrix: ``bt601`` (SD video, JPEG) or ``bt709`` (HD video).
        full_range: ``True`` when luma spans 0–255, ``False`` for video range 16–235.
    """

    matrix: Literal["bt601", "bt709"] = "bt601"
    full_range: bool = False


#: What video is taken for that does not say: BT.601, luma 16–235.
VIDEO_601 = Colorimetry()


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture in its own pixel format; the planes are views, nothing is copied.

    Attributes:
        format: One of `PIXEL_FORMATS`.
        width: Width in pixels.
        height: Height in pixels.
        planes: uint8 arrays, strides as in memory. NV12: ``(H, W)`` and ``(ceil(H/2), ceil(W/2), 2)``;
            I420: ``(H, W)`` and twice ``(ceil(H/2), ceil(W/2))``; RGB/BGR: ``(H, W, 3)``;
            RGBA/BGRx: ``(H, W, 4)``; GRAY8: ``(H, W)``. Of a frame on a GPU they are
            `headrace.frames.cuda.CudaPlane`, of the same shapes.
        color: Colorimetry of the YUV formats.
        source_id: Where it comes from; ``None`` where nobody said, which is anywhere but in front of a model.
        pts: Presentation time in ns, as ``source_id``.

    Example:
        >>> import numpy as np
        >>> frame = Frame.from_array(np.zeros((4, 6, 3), np.uint8), "RGB")
        >>> frame.width, frame.height
        (6, 4)
    """

    format: PixelFormat
    width: int
    height: int
    planes: tuple[NDArray[np.uint8], ...]
    color: Colorimetry = VIDEO_601
    source_id: int | None = None
    pts: int | None = None

    @property
    def device(self) -> tuple[int, int]:
        """DLPack device ``(type, id)`` that the planes lie on: `HOST`, or ``(2, number)`` for a CUDA device."""
        first: Any = self.planes[0]
        return HOST if isinstance(first, np.ndarray) else first.__dlpack_device__()

    def host(self) -> Frame:
        """The same frame in host memory, to be read only; the frame itself if it is there already.

        Whoever works with NumPy or OpenCV calls this first. A frame is downloaded once, however many ask.
        """
        if self.device == HOST:
            return self
        planes: Any = self.planes
        return replace(self, planes=tuple(plane.host() for plane in planes))

    @classmethod
    def from_array(cls, array: NDArray[np.uint8], format: PixelFormat) -> Frame:
        """Wrap a packed ``(H, W, C)`` or grey ``(H, W)`` array; no copy.

        Raises:
            FrameError: The array's shape does not fit the format, or the format has several planes.
        """
        channels = CHANNELS.get(format)
        shape_fits = array.ndim == 2 if format == "GRAY8" else array.ndim == 3 and array.shape[2] == channels
        if format not in ("GRAY8", *CHANNELS) or not shape_fits:
            raise FrameError(f"an array of shape {array.shape} is no {format} frame")
        return cls(format, array.shape[1], array.shape[0], (array,))

    @classmethod
    def empty(cls, format: PixelFormat, width: int, height: int, color: Colorimetry = VIDEO_601) -> Frame:
        """Allocate an uninitialised frame with dense planes."""
        planes = tuple(np.empty(shape, np.uint8) for shape in plane_shapes(format, width, height))
        return cls(format, width, height, planes, color)


def plane_shapes(format: str, width: int, height: int) -> tuple[tuple[int, ...], ...]:
    """Shapes of the planes of a frame; chroma of odd sizes is rounded up as GStreamer does.

    Raises:
        FrameError: Unknown format, or a size that is not positive.
    """
    if width <= 0 or height <= 0:
        raise FrameError(f"a frame of {width}x{height} pixels has no pixels; both sizes must be positive")
    half = ((height + 1) // 2, (width + 1) // 2)
    if format == "NV12":
        return (height, width), (*half, 2)
    if format == "I420":
        return (height, width), half, half
    if format == "GRAY8":
        return ((height, width),)
    if format in CHANNELS:
        return ((height, width, CHANNELS[format]),)
    raise FrameError(f"pixel format {format!r} is not supported; use one of {', '.join(PIXEL_FORMATS)}")
