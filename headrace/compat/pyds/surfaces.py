"""Pixels of frames (pyds, §1.4) and the structures that describe them (§2.4)."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from headrace.compat.pyds.addresses import buffer_at
from headrace.compat.pyds.enums import NvBufSurfaceColorFormat, NvBufSurfaceLayout, NvBufSurfaceMemType
from headrace.compat.pyds.fields import Field, Struct, whole
from headrace.frames.surface import Surface
from headrace.gst import payload
from headrace.meta.batch import Batch

_READABLE = ("RGBA", "RGB")


def surface_at(buffer: int, batch_id: int) -> Surface:
    """The pixels of one frame of a buffer.

    Raises:
        RuntimeError: The buffer carries no batch of frames, or none with this number.
    """
    batch = payload.find(buffer_at(buffer))
    surfaces = batch.surfaces if isinstance(batch, Batch) else []
    if not surfaces:
        raise RuntimeError(
            "the buffer carries no batch of frames; probe behind nvstreammux, in memory:NVMM caps"
        )
    if not 0 <= whole(batch_id) < len(surfaces):
        raise RuntimeError(f"there is no frame {batch_id} in a batch of {len(surfaces)}")
    return surfaces[batch_id]


def get_nvds_buf_surface(gst_buffer: int, batchID: int) -> NDArray[np.uint8]:
    """The pixels of a frame as a writable array, RGBA ``(H, W, 4)`` or RGB ``(H, W, 3)``; seen downstream.

    Args:
        gst_buffer: ``hash()`` of the ``Gst.Buffer``.
        batchID: ``frame_meta.batch_id``.

    Raises:
        RuntimeError: The frame has another format, or there is no such frame.
    """
    surface = surface_at(gst_buffer, batchID)
    if surface.layout.format not in _READABLE:
        raise RuntimeError(
            f"the frame is {surface.layout.format}; get_nvds_buf_surface reads RGBA and RGB: put nvvideoconvert and "
            'caps "video/x-raw(memory:NVMM), format=RGBA" before the probe'
        )
    return surface.frame(writable=True).planes[0]


def unmap_nvds_buf_surface(gst_buffer: int, batchID: int) -> None:
    """Nothing to do: the memory is unmapped when the last array of it is gone.

    Raises:
        RuntimeError: There is no such frame.
    """
    surface_at(gst_buffer, batchID)


def get_nvds_buf_surface_gpu(gst_buffer: int, batchID: int) -> NoReturn:
    """Always an error: frames are in host memory.

    Raises:
        RuntimeError: Always.
    """
    surface_at(gst_buffer, batchID)
    raise RuntimeError("frames are in host memory here; use get_nvds_buf_surface, which gives a NumPy array")


def _read_only(default: Any) -> Any:
    return Field(_refuse, default)


def _refuse(_value: Any) -> NoReturn:
    raise AttributeError("fields of surfaces can be read only")


class NvBufSurfacePlaneParams(Struct):
    """Where the planes of a picture are."""

    __slots__ = ()
    num_planes = Field(whole, 0)
    width, height, pitch, offset, psize, bytesPerPix = (_read_only(()) for _ in range(6))


class NvBufSurfaceMappedAddr(Struct):
    """Addresses of mapped planes; `get_nvds_buf_surface` maps."""

    __slots__ = ()
    addr, eglImage = _read_only(()), _read_only(None)


class NvBufSurfaceCreateParams(Struct):
    """What a new surface should be."""

    __slots__ = ()
    gpuId, width, height, size = (_read_only(0) for _ in range(4))
    isContiguous = _read_only(False)
    colorFormat = _read_only(NvBufSurfaceColorFormat(0))
    layout = _read_only(NvBufSurfaceLayout(0))
    memType = _read_only(NvBufSurfaceMemType.NVBUF_MEM_SYSTEM)


class NvBufSurfaceParams(Struct):
    """One picture of a surface."""

    __slots__ = ()
    width, height, pitch, bufferDesc, dataSize = (_read_only(0) for _ in range(5))
    colorFormat = _read_only(NvBufSurfaceColorFormat(0))
    layout = _read_only(NvBufSurfaceLayout(0))
    dataPtr = _read_only(None)
    planeParams, mappedAddr = _read_only(None), _read_only(None)


class NvBufSurface(Struct):
    """The pictures of a batch."""

    __slots__ = ()
    gpuId, batchSize, numFilled = (_read_only(0) for _ in range(3))
    isContiguous = _read_only(False)
    memType = _read_only(NvBufSurfaceMemType.NVBUF_MEM_SYSTEM)
    surfaceList = _read_only(None)


def _unavailable(name: str) -> Any:
    def function(*_arguments: Any) -> NoReturn:
        raise RuntimeError(
            f"{name} is not available: frames are GStreamer buffers in host memory, not NvBufSurfaces; "
            "get_nvds_buf_surface reads and writes their pixels"
        )

    function.__name__ = name
    function.__doc__ = "Always an error: there are no NvBufSurfaces here."
    return function


_FUNCTIONS = (
    "Create", "Destroy", "Map", "UnMap", "Copy", "SyncForCpu", "SyncForDevice", "FromFd", "MemSet", "MapEglImage",
)  # fmt: skip
SURFACE_FUNCTIONS = {f"NvBufSurface{name}": _unavailable(f"NvBufSurface{name}") for name in _FUNCTIONS}
