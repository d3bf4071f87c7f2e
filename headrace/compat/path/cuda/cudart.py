"""The runtime's answers on a machine without CUDA: one discrete device, see `cuda.cuda`."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class cudaError_t(IntEnum):
    """Results of runtime calls."""

    cudaSuccess = 0
    cudaErrorNoDevice = 100


@dataclass(frozen=True)
class cudaDeviceProp:
    """Properties of a device; not integrated, so that programs use what works with host memory."""

    name: bytes = b"CPU"
    integrated: int = 0
    major: int = 0
    minor: int = 0


def cudaGetDeviceCount() -> tuple[cudaError_t, int]:
    """The stand-in's one device."""
    return cudaError_t.cudaSuccess, 1


def cudaGetDeviceProperties(device: int) -> tuple[cudaError_t, cudaDeviceProp]:
    """The stand-in's properties, whichever device is asked for."""
    return cudaError_t.cudaSuccess, cudaDeviceProp()


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"{name}: there is no CUDA here; Headrace's stand-in only says what kind of machine this is"
    )
