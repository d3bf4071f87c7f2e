"""The detector as an ONNX file; the package onnx is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from headrace.assets.onnxfile import Attribute, Graph
from headrace.bench.yolo.architecture import CLASSES, STRIDES, Conv, detector
from headrace.bench.yolo.weights import Weights
from headrace.errors import ConfigError

_OPSET = 17
_INPUT, _OUTPUT = "images", "output0"


def yolo_onnx(path: Path, size: tuple[int, int] = (640, 640), open_size: bool = False) -> Path:
    """Write the detector with input ``images`` ``(batch, 3, height, width)`` and output ``output0``.

    The output is ``(batch, 84, cells)``: centre, size in pixels, 80 scores. The number of pictures is open.

    Args:
        path: The file.
        size: Width and height in pixels, multiples of 32.
        open_size: Leave width and height open; ``size`` is then only noted as the usual one.

    Raises:
        ConfigError: A side is no multiple of 32.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     yolo_onnx(Path(folder) / "yolo.onnx", (320, 320)).stat().st_size // 1_000_000
        10
    """
    width, height = size
    if width % STRIDES[-1] or height % STRIDES[-1] or min(size) < STRIDES[-1]:
        raise ConfigError(f"size is {width}x{height}; use multiples of {STRIDES[-1]}")
    steps = OnnxSteps(None if open_size else size)
    steps.graph.add("Identity", [detector(steps, _INPUT)], _OUTPUT)
    sides: tuple[int | str, int | str] = ("height", "width") if open_size else (height, width)
    cells = "cells" if open_size else sum(width * height // stride**2 for stride in STRIDES)
    about = {
        "task": "detect",
        "stride": str(STRIDES[-1]),
        "imgsz": str([height, width]),
        "names": str({number: f"class{number}" for number in range(CLASSES)}),
    }
    path.write_bytes(
        steps.graph.model(
            {_INPUT: ("batch", 3, *sides)},
            {_OUTPUT: ("batch", 4 + CLASSES, cells)},
            _OPSET,
            "The shape of YOLO11n with random weights, to measure speed with",
            about,
        )
    )
    return path


class OnnxSteps:
    """Steps that add nodes to a graph; a tensor is its name.

    Args:
        size: Width and height of the pictures; ``None`` leaves them open.

    Attributes:
        graph: What was added.
        weights: Where weights come from.
    """

    def __init__(self, size: tuple[int, int] | None) -> None:
        self.graph, self.weights = Graph(), Weights()
        self._size = size
        self._last = 0

    def _add(self, kind: str, *inputs: str, **attributes: Attribute) -> str:
        return self.graph.add(kind, inputs, self._name(), **attributes)

    def _name(self) -> str:
        self._last += 1
        return f"t{self._last}"

    def _numbers(self, *values: int) -> str:
        return self.graph.constant(self._name(), np.array(values, np.int64))

    def conv(self, x: str, conv: Conv) -> str:
        """See `Steps.conv`."""
        kernel, bias = self.weights.next(conv)
        name, around = self._name(), conv.kernel // 2
        inputs = [x, self.graph.constant(f"{name}.weight", kernel)]
        if conv.role != "bins":
            inputs.append(self.graph.constant(f"{name}.bias", bias))
        y = self._add(
            "Conv", *inputs, kernel_shape=[conv.kernel] * 2, pads=[around] * 4,
            strides=[conv.stride] * 2, dilations=[1, 1], group=conv.groups,
        )  # fmt: skip
        return self._add("Mul", y, self._add("Sigmoid", y)) if conv.silu else y

    def add(self, a: str, b: str) -> str:
        """See `Steps.add`."""
        return self._add("Add", a, b)

    def subtract(self, a: str, b: str) -> str:
        """See `Steps.subtract`."""
        return self._add("Sub", a, b)

    def multiply(self, a: str, b: str | float) -> str:
        """See `Steps.multiply`."""
        if not isinstance(b, str):
            b = self.graph.constant(self._name(), np.array(b, np.float32))
        return self._add("Mul", a, b)

    def join(self, parts: Sequence[str], axis: int = 1) -> str:
        """See `Steps.join`."""
        return self._add("Concat", *parts, axis=axis)

    def split(self, x: str, sizes: Sequence[int], axis: int = 1) -> Sequence[str]:
        """See `Steps.split`."""
        names = [self._name() for _ in sizes]
        self.graph.add("Split", [x, self._numbers(*sizes)], *names, axis=axis)
        return names

    def pool(self, x: str) -> str:
        """See `Steps.pool`."""
        return self._add("MaxPool", x, kernel_shape=[5, 5], pads=[2] * 4, strides=[1, 1])

    def double(self, x: str) -> str:
        """See `Steps.double`."""
        scales = self.graph.constant(self._name(), np.array([1, 1, 2, 2], np.float32))
        return self._add("Resize", x, "", scales, mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric")  # fmt: skip

    def reshape(self, x: str, *sizes: int) -> str:
        """See `Steps.reshape`."""
        return self._add("Reshape", x, self._numbers(*sizes))

    def like(self, x: str, model: str) -> str:
        """See `Steps.like`."""
        return self._add("Reshape", x, self._add("Shape", model))

    def transpose(self, x: str, *axes: int) -> str:
        """See `Steps.transpose`."""
        return self._add("Transpose", x, perm=axes)

    def matmul(self, a: str, b: str) -> str:
        """See `Steps.matmul`."""
        return self._add("MatMul", a, b)

    def softmax(self, x: str, axis: int) -> str:
        """See `Steps.softmax`."""
        return self._add("Softmax", x, axis=axis)

    def sigmoid(self, x: str) -> str:
        """See `Steps.sigmoid`."""
        return self._add("Sigmoid", x)

    def cells(self, maps: Sequence[str]) -> tuple[str, str]:
        """See `Steps.cells`; constants for a fixed size."""
        if self._size is None:
            levels = [self._cells(one, stride) for one, stride in zip(maps, STRIDES, strict=True)]
            middles, strides = zip(*levels, strict=True)
            return self.join(middles, 1), self.join(strides, 1)
        grids = [cell_grid(self._size[0] // stride, self._size[1] // stride) for stride in STRIDES]
        counts = [grid.shape[1] for grid in grids]
        long = np.repeat(np.array([STRIDES], np.float32), counts, 1)
        return self.graph.constant("middles", np.hstack(grids)), self.graph.constant("strides", long)

    def _cells(self, x: str, stride: int) -> tuple[str, str]:
        """Middles and strides of one map, from its shape."""
        shape = self._add("Shape", x)
        height, width = (self._add("Gather", shape, self._scalar(axis), axis=0) for axis in (2, 3))
        count = self._add("Mul", height, width)
        number = self._add("Range", self._scalar(0), count, self._scalar(1))
        row = self._add("Div", number, width)
        column = self._add("Sub", number, self._add("Mul", row, width))
        first = self._numbers(0)
        pair = self.join([self._add("Unsqueeze", one, first) for one in (column, row)], 0)
        half = self.graph.constant(self._name(), np.array(0.5, np.float32))
        middles = self._add("Add", self._add("Cast", pair, to=1), half)
        long = self.join([self._numbers(1), self._add("Unsqueeze", count, first)], 0)
        one = self.graph.constant(self._name(), np.full((1, 1), stride, np.float32))
        return middles, self._add("Expand", one, long)

    def _scalar(self, value: int) -> str:
        return self.graph.constant(self._name(), np.array(value, np.int64))


def cell_grid(width: int, height: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Middles of cells, row by row: x and y ``(2, width * height)``.

    Example:
        >>> cell_grid(2, 1).tolist()
        [[0.5, 1.5], [0.5, 0.5]]
    """
    rows, columns = np.divmod(np.arange(width * height), width)
    return np.stack([columns, rows]).astype(np.float32) + np.float32(0.5)
