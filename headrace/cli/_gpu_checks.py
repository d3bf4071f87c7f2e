"""What ``headrace doctor`` says of an NVIDIA GPU: who finds it, and whether frames stay in its memory."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Iterator

from headrace.cli._checks import Check

_GROUP = "gpu"


def gpu_checks() -> Iterator[Check]:
    """Check the way of a frame from the GPU's decoder to a model on the GPU; one line where there is no GPU."""
    count, why = _devices()
    yield Check(
        _GROUP, "NVIDIA GPU", count > 0, False, f"{count} found" if count else f"{why}: all runs on the CPU"
    )
    if not count:
        return
    names, shared = _gstreamer()
    yield Check(
        _GROUP, "decoders of GStreamer's nvcodec", bool(names), False,
        ", ".join(names) or "none: NVDEC (libnvcuvid.so.1), the plugin, or a new registry is missing",
        apt="gstreamer1.0-plugins-bad", hint="and delete GStreamer's registry, ~/.cache/gstreamer-1.0",
    )  # fmt: skip
    found, what = _torch()
    yield Check(_GROUP, "torch on the GPU", found, False, what, pip="torch")
    context = "in torch's CUDA context" if shared else "in a CUDA context of GStreamer's own"
    both = bool(names) and found
    said = (
        f"from decoder to model, decoded {context}"
        if both
        else "needs the two above; until then they are downloaded"
    )
    yield Check(_GROUP, "frames stay on the GPU", both, False, said)


def _devices() -> tuple[int, str]:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0, "no driver (libcuda.so.1)"
    count = ctypes.c_int()
    failed = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    return (0, f"the driver reports error {failed}") if failed else (count.value, "no device")


def _gstreamer() -> tuple[list[str], bool]:
    try:
        from headrace.elements.source.gpu_decoder import gpu_decoders
        from headrace.gst.cuda import has_primary_context
    except (ImportError, ValueError):  # GStreamer or its binding is missing, which other lines tell
        return [], False
    return [factory.get_name() for factory in gpu_decoders()], has_primary_context()


def _torch() -> tuple[bool, str]:
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        return False, str(error)
    if not torch.cuda.is_available():
        return False, f"torch {torch.__version__} sees none; install a build for CUDA"
    return True, f"torch {torch.__version__}, {torch.cuda.get_device_name()}"
