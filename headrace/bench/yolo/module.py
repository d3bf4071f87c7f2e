"""The detector as a torch module; torch is imported only when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

from headrace.bench.yolo.architecture import STRIDES, Conv, detector
from headrace.bench.yolo.graph import OnnxSteps
from headrace.errors import ModelError


def yolo_module() -> Any:
    """A ``torch.nn.Module`` with the weights of `yolo_onnx`: ``(N, 3, H, W)`` to ``(N, 84, cells)``.

    It is on the CPU, in float32 and in evaluation mode; ``.to(...)`` moves it and changes its number type. Height and
    width are multiples of 32; each forward may have others.

    Raises:
        ModelError: torch is not installed.
    """
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise ModelError("the torch module needs torch: pip install 'headrace[torch]'") from error
    weights = _Recorder()
    detector(weights, "images")

    class Yolo(torch.nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            # Named as convolutions name theirs: engines know by that what to keep in 16 bits.
            for number, pair in enumerate(weights.pairs):
                for name, array in zip(("weight", "bias"), pair, strict=True):
                    parameter = torch.nn.Parameter(torch.from_numpy(array), False)
                    self.register_parameter(f"{number}_{name}", parameter)

        def forward(self, pictures: Any) -> Any:
            return detector(_TorchSteps(torch, self.parameters()), pictures)

    return Yolo().eval()


class _Recorder(OnnxSteps):
    """Notes the weights that the description asks for."""

    def __init__(self) -> None:
        super().__init__(None)
        self.pairs: list[tuple[Any, Any]] = []

    def conv(self, x: str, conv: Conv) -> str:
        self.pairs.append(self.weights.next(conv))
        return x


class _TorchSteps:
    """Steps that are carried out at once; see `Steps` for what each does."""

    def __init__(self, torch: Any, values: Iterator[Any]) -> None:
        self._torch, self._values = torch, values

    def conv(self, x: Any, conv: Conv) -> Any:
        kernel, bias = next(self._values), next(self._values)
        call = self._torch.nn.functional
        y = call.conv2d(x, kernel, bias, conv.stride, conv.kernel // 2, 1, conv.groups)
        return call.silu(y) if conv.silu else y

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def subtract(self, a: Any, b: Any) -> Any:
        return a - b

    def multiply(self, a: Any, b: Any) -> Any:
        return a * b

    def join(self, parts: Sequence[Any], axis: int = 1) -> Any:
        return self._torch.cat(list(parts), axis)

    def split(self, x: Any, sizes: Sequence[int], axis: int = 1) -> Any:
        return x.split(list(sizes), axis)

    def pool(self, x: Any) -> Any:
        return self._torch.nn.functional.max_pool2d(x, 5, 1, 2)

    def double(self, x: Any) -> Any:
        return self._torch.nn.functional.interpolate(x, scale_factor=2, mode="nearest")

    def reshape(self, x: Any, *sizes: int) -> Any:
        return x.reshape([x.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)])

    def like(self, x: Any, model: Any) -> Any:
        return x.reshape(model.shape)

    def transpose(self, x: Any, *axes: int) -> Any:
        return x.permute(axes)

    def matmul(self, a: Any, b: Any) -> Any:
        return a @ b

    def softmax(self, x: Any, axis: int) -> Any:
        return x.softmax(axis)

    def sigmoid(self, x: Any) -> Any:
        return x.sigmoid()

    def cells(self, maps: Sequence[Any]) -> tuple[Any, Any]:
        levels = [self._cells(one, stride) for one, stride in zip(maps, STRIDES, strict=True)]
        middles, strides = zip(*levels, strict=True)
        return self.join(middles, 1), self.join(strides, 1)

    def _cells(self, x: Any, stride: int) -> tuple[Any, Any]:
        height, width = x.shape[2:]
        where = {"device": x.device, "dtype": x.dtype}
        rows, columns = (self._torch.arange(side, **where) + 0.5 for side in (height, width))
        y, x = self._torch.meshgrid(rows, columns, indexing="ij")  # which can be traced on any device
        middles = self._torch.stack((x.reshape(-1), y.reshape(-1)))
        return middles, self._torch.full((1, height * width), stride, **where)
