"""The driver's answers on a machine without CUDA: there is no device."""

from enum import IntEnum


class CUresult(IntEnum):
    """Results of driver calls."""

    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_VALUE = 1
    CUDA_ERROR_NOT_INITIALIZED = 3
    CUDA_ERROR_NO_DEVICE = 100
    CUDA_ERROR_INVALID_DEVICE = 101


def cuInit(flags: int) -> tuple[CUresult]:
    """Succeeds, so that programs go on and find no device."""
    return (CUresult.CUDA_SUCCESS,)


def cuDeviceGetCount() -> tuple[CUresult, int]:
    """No device."""
    return CUresult.CUDA_SUCCESS, 0
