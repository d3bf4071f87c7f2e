"""Frames in the memory of an NVIDIA GPU, as GStreamer's nvcodec plugin makes them (GstCudaMemory, since 1.22).

Facts of GStreamer (gst-libs/gst/cuda/gstcudamemory, sys/nvcodec; 1.22 to 1.26) that this rests on:

- In 1.22 a decoder waits for its CUDA stream before it pushes a frame. Since 1.24 it may not, and says so in a flag of
  the memory; `gst_cuda_memory_sync` waits then. After that the frame may be read at once, on any stream.
- Mapping for the CPU downloads by itself, once, under the memory's own lock; the copy stays with the memory until the
  device memory is written again. Writing through such a mapping uploads by itself at the next mapping for CUDA.
- A decoder takes its frames from a pool and writes into one again as soon as its buffer is given back: whoever reads on
  the GPU holds the mapping until the GPU has read.
"""

from __future__ import annotations

import ctypes
import functools
import logging
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_size_t, c_uint, c_void_p
from typing import Any

from headrace.errors import FrameError
from headrace.gst.buffer import BufferRef
from headrace.gst.native import MAP_READ, MapInfo, MiniObject, gobject, gst, gst_quick

_log = logging.getLogger(__name__)

_MAP_CUDA = 1 << 17
#: Flags of a memory (GstCudaMemoryTransfer): mapping it for CUDA, or reading it then, takes its time.
_NEED_UPLOAD, _NEED_SYNC = 1 << 21, 1 << 22
_DEVICE_ID = c_char_p(b"cuda-device-id")
_MEMORY_TYPE = b"gst.cuda.memory"
_LIBRARY = "libgstcuda-1.0.so.0"

gst_quick.gst_buffer_peek_memory.restype = c_void_p
gst_quick.gst_buffer_peek_memory.argtypes = [c_void_p, c_uint]
gst_quick.gst_memory_is_type.restype = c_int
gst_quick.gst_memory_is_type.argtypes = [c_void_p, c_char_p]
gst_quick.gst_element_set_context.restype = None
gst_quick.gst_element_set_context.argtypes = [c_void_p, c_void_p]
gobject.g_object_get.restype = None


class _CudaMemory(Structure):
    """`GstCudaMemory` as far as it is public: a `GstMemory`, and the context that it belongs to."""

    _fields_ = [
        ("mini_object", MiniObject),
        ("allocator", c_void_p),
        ("parent", c_void_p),
        ("maxsize", c_size_t),
        ("align", c_size_t),
        ("offset", c_size_t),
        ("size", c_size_t),
        ("context", c_void_p),
    ]


def in_cuda_memory(buffer: int) -> bool:
    """Whether the pixels of the GstBuffer at this address lie in CUDA memory."""
    memory = gst_quick.gst_buffer_peek_memory(buffer, 0)
    return bool(memory) and bool(gst_quick.gst_memory_is_type(memory, _MEMORY_TYPE))


class CudaMapping:
    """CUDA memory of a buffer, mapped for reading on the device for as long as this object lives.

    What the CPU has written before is uploaded. Any thread may make and drop it.

    Args:
        buffer: A buffer for which `in_cuda_memory` holds.

    Attributes:
        address: Of the first byte, on the device.
        size: Bytes.
        device: Number of the device.
        buffer: A reference of the mapping's own.

    Raises:
        FrameError: The memory cannot be mapped.
    """

    __slots__ = ("__weakref__", "_info", "address", "buffer", "device", "size")

    def __init__(self, buffer: BufferRef) -> None:
        info, memory = (
            MapInfo(),
            _CudaMemory.from_address(gst_quick.gst_buffer_peek_memory(buffer.address, 0)),
        )
        # Letting go of the GIL costs more than the call, where there is nothing to wait for.
        waits = bool(memory.mini_object.flags & (_NEED_UPLOAD | _NEED_SYNC))
        library = gst if waits else gst_quick
        if not library.gst_buffer_map(buffer.address, info, MAP_READ | _MAP_CUDA):
            raise FrameError("a frame's CUDA memory cannot be mapped: somebody is writing to it")
        self._info = info
        wait = _wait_for_decoder()[waits]
        if wait is not None:
            wait(info.memory)
        self.buffer = BufferRef.of(buffer.address)
        self.address: int = info.data
        self.size: int = info.size
        self.device = _device_of(memory.context)

    def __del__(self) -> None:
        buffer = getattr(self, "buffer", None)
        if buffer is not None:
            gst_quick.gst_buffer_unmap(buffer.address, self._info)


@functools.cache
def _wait_for_decoder() -> tuple[Any, Any]:
    """`gst_cuda_memory_sync`, where there is one, else ``None``: keeping the GIL and releasing it."""
    try:
        functions = [kind(_LIBRARY).gst_cuda_memory_sync for kind in (ctypes.PyDLL, ctypes.CDLL)]
    except (OSError, AttributeError):
        return None, None
    for function in functions:
        function.restype, function.argtypes = None, [c_void_p]
    return functions[0], functions[1]


def _device_of(context: int) -> int:
    number = c_uint()
    gobject.g_object_get(c_void_p(context), _DEVICE_ID, byref(number), None)
    return number.value


def share_primary_context(element: int, device: int = 0) -> bool:
    """Let an element of the nvcodec plugin work in a device's primary CUDA context, as torch and most libraries do.

    Without it GStreamer makes a context of its own, in each pipeline. Frames of it can be read in the primary one too,
    but every context takes some hundred MB of the GPU's memory, and the GPU works for one of them at a time.

    Args:
        element: Its address; it is not yet in READY.
        device: Number of the device, which the element must be of.

    Returns:
        Whether it was done; if not (no CUDA driver, no libgstcuda, a library that lacks the functions), the element
        makes a context as ever.
    """
    context = _primary_context(device)
    if context:
        gst_quick.gst_element_set_context(element, context)
    return bool(context)


def has_primary_context(device: int = 0) -> bool:
    """Whether `share_primary_context` can do its work here."""
    return bool(_primary_context(device))


@functools.cache
def _primary_context(device: int) -> int:
    """A GstContext around the device's primary context, kept for the life of the process; 0 where there is none."""
    try:
        driver, library = ctypes.CDLL("libcuda.so.1"), ctypes.CDLL(_LIBRARY)
        library.gst_cuda_context_new_wrapped.restype = c_void_p
        library.gst_cuda_context_new_wrapped.argtypes = [c_void_p, c_int]
        library.gst_context_new_cuda_context.restype = c_void_p
        library.gst_context_new_cuda_context.argtypes = [c_void_p]
        driver.cuDevicePrimaryCtxRetain.argtypes = [POINTER(c_void_p), c_int]
        handle, number = c_void_p(), c_int()
        failed = (
            driver.cuInit(0)
            or driver.cuDeviceGet(byref(number), device)
            or driver.cuDevicePrimaryCtxRetain(byref(handle), number)
        )
        if failed or not library.gst_cuda_load_library():
            _log.info("GStreamer makes its own CUDA context on device %d (CUDA error %d)", device, failed)
            return 0
        wrapped = library.gst_cuda_context_new_wrapped(handle, number)
        return int(library.gst_context_new_cuda_context(wrapped)) if wrapped else 0
    except (OSError, AttributeError) as error:
        _log.info("GStreamer makes its own CUDA context: %s", error)
        return 0
