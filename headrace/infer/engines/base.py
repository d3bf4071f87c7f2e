"""What an engine is: named arrays in, named arrays out."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError, ModelError


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output of a model.

    Attributes:
        name: Name in the graph.
        shape: Size of each axis; ``None`` where the graph leaves it open.
        dtype: NumPy's name of the number type, for example ``float32``.

    Example:
        >>> str(TensorSpec("images", (None, 3, 640, 640), "float32"))
        'images float32[?, 3, 640, 640]'
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} {self.dtype}[{', '.join('?' if n is None else str(n) for n in self.shape)}]"


@dataclass(frozen=True, slots=True)
class ModelGraph:
    """What a model file says about itself.

    Attributes:
        path: The file.
        inputs: Tensors it takes.
        outputs: Tensors it gives, in the graph's order.
        metadata: Free text that the exporter stored, for example class ``names``.
        class_count: Number of classes when it is known from labels; helps to tell families apart.

    Example:
        >>> ModelGraph("m.onnx", (TensorSpec("in", (1, 3, 480, 640), "float32"),), ()).input_size()
        (640, 480)
    """

    path: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    class_count: int | None = None

    def channels_last(self) -> bool:
        """Whether the input is NHWC: its last axis, and not its second, has 1 or 3 entries."""
        shape = self.inputs[0].shape
        return len(shape) == 4 and shape[3] in (1, 3) and shape[1] not in (1, 3)

    def channels(self) -> int | None:
        """Number of channels of the input; ``None`` when the graph leaves it open or takes no images."""
        shape = self.inputs[0].shape
        return None if len(shape) != 4 else shape[3 if self.channels_last() else 1]

    def input_size(self) -> tuple[int, int] | None:
        """Width and height of the input in pixels; ``None`` when the graph leaves them open."""
        shape = self.inputs[0].shape
        if len(shape) != 4:
            return None
        height, width = shape[1:3] if self.channels_last() else shape[2:4]
        if width is None or height is None:
            return self._size_in_metadata()
        return width, height

    def _size_in_metadata(self) -> tuple[int, int] | None:
        """The exporter's ``imgsz`` ``[height, width]``, for graphs that take any size."""
        text = self.metadata.get("imgsz")
        if text is None:
            return None
        try:
            height, width = ast.literal_eval(text)
            return int(width), int(height)
        except (ValueError, TypeError, SyntaxError) as error:
            raise ModelError(f"{self.path}: metadata imgsz is {text!r}; expected [height, width]") from error


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine runs a model.

    Attributes:
        threads: Threads for one run; 0 lets the engine choose.

    Raises:
        ConfigError: A negative number of threads.

    Example:
        >>> EngineOptions().threads
        0
    """

    threads: int = 0

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise ConfigError(
                f"threads is {self.threads}; use 0 for the engine's choice, or a positive number"
            )


class Engine(Protocol):
    """A loaded model; every method may be called from any thread."""

    @property
    def name(self) -> str:
        """The engine's name, as in ``engine="onnxruntime"``."""
        ...

    @property
    def graph(self) -> ModelGraph:
        """Tensors and metadata of the model."""
        ...

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the model once; releases the GIL while it runs.

        Raises:
            ModelError: The arrays do not fit the graph, or the run failed.
        """
        ...

    def close(self) -> None:
        """Free the model; it cannot run afterwards."""
        ...


class EngineFactory(Protocol):
    """What an engine's module offers as ``ENGINE``."""

    name: str
    suffixes: tuple[str, ...]

    def __call__(self, path: Path, options: EngineOptions) -> Engine:
        """Load a model file.

        Raises:
            ModelError: The file cannot be read or is no model for this engine.
        """
        ...


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy type of a `TensorSpec`'s ``dtype``.

    Raises:
        ModelError: NumPy has no such type (for example bfloat16).
    """
    try:
        return np.dtype(name)
    except TypeError as error:
        raise ModelError(f"tensors of type {name} cannot be filled from frames; export as float32") from error
