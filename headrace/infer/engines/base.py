"""What an engine is: named arrays in, named arrays out."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np

from headrace.errors import ConfigError, ModelError

#: A NumPy array, or a tensor of a library that follows the array API, such as torch, wherever it lies.
Array: TypeAlias = Any
PRECISIONS = ("auto", "f32", "bf16", "f16")
MODES = ("auto", "latency", "throughput")


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
        height, width = self._image_axes()
        if width is None or height is None:
            return self._size_in_metadata()
        return width, height

    def takes(self, width: int, height: int) -> bool:
        """Whether the axes of the image input are open, or of this size."""
        axes = zip(self._image_axes(), (height, width), strict=False)
        return len(self.inputs[0].shape) == 4 and all(axis in (None, length) for axis, length in axes)

    def _image_axes(self) -> tuple[int | None, ...]:
        """Height and width."""
        shape = self.inputs[0].shape
        return shape[1:3] if self.channels_last() else shape[2:4]

    def _size_in_metadata(self) -> tuple[int, int] | None:
        """The exporter's ``imgsz`` ``[height, width]``, for graphs of any size; others may mean something else."""
        try:
            height, width = map(int, ast.literal_eval(self.metadata.get("imgsz", "()")))
        except (ValueError, TypeError, SyntaxError):
            return None
        return (width, height) if min(width, height) > 0 else None


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine runs a model.

    Attributes:
        threads: Threads that the engine computes with on a CPU, in one run or in several at once; 0 for one on each
            processor.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, or a name that the engine knows, such as OpenVINO's ``GPU``
            and ``NPU``.
        precision: Number type of the computation: ``f32``, ``bf16``, ``f16``, or ``auto``, which is what suits the
            device. What a file holds in 8 or 16 bits stays so where the engine computes with it.
        input_size: Width and height in pixels for graphs that leave them open, and for fixed ones that the
            engine can reshape; ``None`` keeps what the file says.
        provider: Which of the engine's back ends, as after the colon of ``engine="onnxruntime:cuda"``.
        mode: On CPUs: ``latency`` gives a run all threads, ``throughput`` gives each of several runs one thread.
            ``auto`` is latency until `settle` decides.

    Raises:
        ConfigError: A value out of its bounds.

    Example:
        >>> EngineOptions(precision="f32").device
        'auto'
    """

    threads: int = 0
    device: str = "auto"
    precision: str = "auto"
    input_size: tuple[int, int] | None = None
    provider: str = ""
    mode: str = "auto"

    def __post_init__(self) -> None:
        if self.threads < 0:
            raise ConfigError(
                f"threads is {self.threads}; use 0 for the engine's choice, or a positive number"
            )
        if self.precision not in PRECISIONS:
            raise ConfigError(f"precision is {self.precision!r}; use one of {', '.join(PRECISIONS)}")
        if self.mode not in MODES:
            raise ConfigError(f"mode is {self.mode!r}; use one of {', '.join(MODES)}")
        if not re.match(r"[A-Za-z]", self.device):
            raise ConfigError(f"device is {self.device!r}; use auto, cpu, cuda or cuda:1")
        if self.input_size is not None and min(self.input_size) < 1:
            raise ConfigError(f"input_size is {self.input_size}; use positive pixels for width and height")

    @property
    def device_type(self) -> str:
        """The device without its number, in small letters: ``cuda`` for ``cuda:1``."""
        return re.split(r"[.:]", self.device.lower())[0]


class Engine(Protocol):
    """A loaded model; every method may be called from any thread."""

    @property
    def name(self) -> str:
        """The engine's name, as in ``engine="onnxruntime"``."""
        ...

    @property
    def description(self) -> str:
        """Library, device and number type in one line, for the log."""
        ...

    @property
    def graph(self) -> ModelGraph:
        """Tensors and metadata of the model."""
        ...

    @property
    def concurrency(self) -> int:
        """How many calls of `run` from different threads overlap usefully, at present."""
        ...

    @property
    def rows(self) -> int | None:
        """Rows of a call when calls overlap; ``None`` where a whole batch in one call is best."""
        ...

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model once; releases the GIL while it runs.

        Args:
            inputs: An array for each input, of the graph's shape and number type.

        Returns:
            An array for each output, the caller's own: NumPy for NumPy. Where tensors come in that the engine can
            use where they are, tensors of that library and device go out.

        Raises:
            ModelError: The arrays do not fit the graph, the run failed, or the engine is closed.
        """
        ...

    def close(self) -> None:
        """Free the model; it cannot run afterwards. Runs that are under way finish first."""
        ...


def settle(engine: Engine, live: bool, pictures: int) -> None:
    """Decide the mode of an engine that was opened with ``mode="auto"``; call before its first batch.

    Nothing happens where the mode has been decided, or the engine has but one.

    Args:
        engine: The engine; ``concurrency``, ``rows`` and ``graph`` may be others afterwards.
        live: Whether the next batch comes only when this one's time is over, so that there is nothing to overlap it
            with.
        pictures: Pictures in a batch.
    """
    decide = getattr(engine, "settle", None)
    if decide is not None:
        decide(live, pictures)


def rows_for(engine: Engine) -> int | None:
    """Rows of a call when calls overlap: ``engine.rows``, but no less than a fixed batch of the graph has."""
    shape = engine.graph.inputs[0].shape
    fixed = shape[0] if len(shape) == 4 else None
    return None if engine.rows is None else max(engine.rows, fixed or 1)


@dataclass(frozen=True, slots=True)
class EngineKind:
    """What an engine's module offers as ``ENGINE``. The module itself does not import the engine's library.

    Attributes:
        name: As in ``engine="openvino"``.
        open: Loads a model: ``open(model, options)``, where ``model`` is the path of an existing file, or an address.
            Raises ModelError if it is no model for this engine, ConfigError if an option does not suit.
        library: Top-level module that must be importable.
        install: What to type where it is not.
        suffixes: Endings of the files that it reads, in small letters.
        on_request: Endings that it reads only if the engine is named.
        schemes: What stands before ``://`` in the addresses that it takes.
        devices: Device types that ``auto`` may use it for, with its place in the order of speed, 0 first. Without
            any it is used only if it is named.
        providers: What may follow the colon of its name.

    Example:
        >>> kind = EngineKind("slow", lambda model, options: None, "math", "", (".txt",), devices={"cpu": 9})
        >>> kind.installed
        True
    """

    name: str
    open: Callable[[str, EngineOptions], Engine]
    library: str
    install: str
    suffixes: tuple[str, ...] = ()
    on_request: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()
    devices: Mapping[str, int] = field(default_factory=dict)
    providers: tuple[str, ...] = ()

    @property
    def installed(self) -> bool:
        """Whether the library can be found; it is not imported."""
        return importlib.util.find_spec(self.library) is not None

    @property
    def remedy(self) -> str:
        """What is missing and how to get it."""
        return f"engine {self.name} needs {self.library}, which is not installed: {self.install}"


def resize(engine: Engine, width: int, height: int) -> bool:
    """Let an engine run at another size of its image input from now on; not while it runs.

    An engine has a method ``resize(width, height) -> bool`` where a graph of fixed size can be changed, or gains by
    knowing the size; its `Engine.graph` tells the new shapes then. For engines without it this is a question only:
    graphs that leave the size open take any.

    Args:
        engine: A model with one input.
        width: In pixels.
        height: In pixels.

    Returns:
        Whether graph and engine allow it; if not, everything stays as it was.
    """
    graph, own = engine.graph, getattr(engine, "resize", None)
    fits = graph.takes(width, height)
    if own is None or (fits and None not in graph.inputs[0].shape[1:]):
        return fits
    return bool(own(width, height))


def numpy_dtype(name: str) -> np.dtype[Any]:
    """The NumPy type of a `TensorSpec`'s ``dtype``.

    Raises:
        ModelError: NumPy has no such type (for example bfloat16).
    """
    try:
        return np.dtype(name)
    except TypeError as error:
        raise ModelError(f"tensors of type {name} cannot be filled from frames; export as float32") from error
