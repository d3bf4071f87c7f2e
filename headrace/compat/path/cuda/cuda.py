"""The driver's answers on a machine without CUDA, to programs that ask what kind of machine they are on.

There is one device, and it is a discrete one: those programs read "no device" as a fault and say so. Nothing can be
computed on it, and whoever wants to is told.
"""

from enum import IntEnum
from typing import Any


class CUresult(IntEnum):
    """Results of driver calls."""

    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_VALUE = 1
    CUDA_ERROR_NOT_INITIALIZED = 3
    CUDA_ERROR_NO_DEVICE = 100
    CUDA_ERROR_INVALID_DEVICE = 101


def cuInit(flags: int) -> tuple[CUresult]:
    """Succeeds."""
    return (CUresult.CUDA_SUCCESS,)


def cuDeviceGetCount() -> tuple[CUresult, int]:
    """The stand-in's one device."""
    return CUresult.CUDA_SUCCESS, 1


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"{name}: there is no CUDA here; Headrace's stand-in only says what kind of machine this is"
    )
