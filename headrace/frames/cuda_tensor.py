"""Tensors and colours of frames in the memory of an NVIDIA GPU, through torch."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import TensorError
from headrace.frames.color import yuv_matrix
from headrace.frames.frame import CHANNELS, Colorimetry, Frame
from headrace.frames.tensor import ColorFormat, Tensor

_ORDER = {"RGB": (0, 1, 2), "RGBA": (0, 1, 2), "BGR": (2, 1, 0), "BGRx": (2, 1, 0)}


def cuda_torch() -> Any | None:
    """The module torch, if it is installed and finds a CUDA device; ``None`` otherwise."""
    try:
        torch = importlib.import_module("torch")
    except ImportError:
        return None
    return torch if torch.cuda.is_available() else None


class CudaTensor(Tensor):
    """A `Tensor` in CUDA memory, around a torch tensor that owns the memory or keeps it.

    Args:
        array: A torch tensor on a CUDA device.
        format: Letters that name the axes, for example ``HWC``.
    """

    __slots__ = ("_on_device",)

    def __init__(self, array: Any, format: str = "") -> None:
        super().__init__(None, format)
        self._on_device = array

    @property
    def shape(self) -> tuple[int, ...]:
        """Elements along each axis."""
        return tuple(self._on_device.shape)

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis."""
        return tuple(step * self._on_device.element_size() for step in self._on_device.stride())

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy type of the elements."""
        return np.dtype(str(self._on_device.dtype).removeprefix("torch."))

    @property
    def device_type(self) -> str:
        """``GPU``."""
        return "GPU"

    def size(self) -> int:
        """Bytes of all elements, padding between rows not counted."""
        return int(self._on_device.numel() * self._on_device.element_size())

    def __bool__(self) -> bool:
        return self.size() > 0

    def numpy(self) -> NDArray[Any]:
        """A copy in host memory."""
        copy: NDArray[Any] = self._on_device.cpu().numpy()
        return copy

    def torch(self) -> Any:
        """The torch tensor itself."""
        return self._on_device

    def clone(self) -> CudaTensor:
        """A dense copy on the same device, complete when this returns."""
        return self.to_gpu(self._on_device.device.index)

    def to_gpu(self, device_id: int = 0) -> CudaTensor:
        """A dense copy on a device, complete when this returns."""
        copy = self._on_device.to(f"cuda:{device_id}", copy=True).contiguous()
        importlib.import_module("torch").cuda.current_stream(self._on_device.device).synchronize()
        return CudaTensor(copy, self.format)

    def wrap(self, color_format: ColorFormat) -> Any:
        """A buffer with a copy of the elements, in host memory; see `Tensor.wrap`."""
        return Tensor(self.numpy(), self.format).wrap(color_format)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, self._on_device.device.index

    def __dlpack__(
        self, stream: Any = None, *, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        """A DLPack capsule of the memory, ready for work on the consumer's ``stream``."""
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError(
                f"the tensor is on CUDA device {self.__dlpack_device__()[1]}, not on {dl_device}"
            )
        return (self.clone()._on_device if copy else self._on_device).__dlpack__(stream=stream)


def to_gpu(array: NDArray[Any], device_id: int, format: str = "") -> CudaTensor:
    """A copy of host memory on a device.

    Raises:
        TensorError: There is no torch that finds the device.
    """
    torch = cuda_torch()
    if torch is None or device_id >= torch.cuda.device_count():
        raise TensorError(
            f"the tensor cannot go to GPU {device_id}: torch (pip install 'headrace[torch]') does not find it"
        )
    return CudaTensor(torch.from_numpy(np.array(array)).to(f"cuda:{device_id}"), format)


def rgb_on_device(frame: Frame) -> Any:
    """A frame in CUDA memory as a torch tensor on its device, RGB ``(H, W, 3)`` uint8.

    A view of an RGB frame, complete otherwise: the frame is no longer needed when this returns. Colours are those of
    `headrace.frames.to_rgb`, within 2 of 255.
    """
    torch = importlib.import_module("torch")
    planes: Any = frame.planes
    parts = [plane.torch() for plane in planes]
    if frame.format == "RGB":
        return parts[0]
    if frame.format in CHANNELS:
        rgb = torch.stack([parts[0][..., channel] for channel in _ORDER[frame.format]], -1)
    else:
        rgb = _from_yuv(torch, frame, parts)
    # The decoder may write the frame's memory as soon as the planes are gone.
    torch.cuda.current_stream(rgb.device).synchronize()
    return rgb


def _from_yuv(torch: Any, frame: Frame, parts: list[Any]) -> Any:
    chroma = parts[1].permute(2, 0, 1) if len(parts) == 2 else torch.stack(parts[1:])
    # As OpenCV does on the CPU, which repeats chroma in the one case that it has a routine for.
    even = frame.width % 2 == 0 and frame.height % 2 == 0
    mode = "nearest" if even and frame.color == Colorimetry("bt601", False) else "bilinear"
    large = torch.nn.functional.interpolate(chroma[None].float(), scale_factor=2, mode=mode)[0]
    yuv = torch.cat([parts[0][None].float(), large[:, : frame.height, : frame.width]])
    matrix = torch.from_numpy(yuv_matrix(frame.color)).to(yuv)
    rgb = torch.einsum("cp,phw->hwc", matrix[:, :3], yuv) + matrix[:, 3]
    return rgb.round_().clamp_(0, 255).to(torch.uint8)
