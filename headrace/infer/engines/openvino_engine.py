"""OpenVINO: Intel's and other CPUs, Intel's GPUs and NPUs."""

from __future__ import annotations

import logging
import math
import os
import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from headrace.errors import ModelError
from headrace.infer.engines.base import Array, EngineKind, EngineOptions, ModelGraph, TensorSpec
from headrace.infer.engines.faults import (
    arrays_of,
    cannot_load,
    closed,
    refuse_device,
    refuse_precision,
    run_failed,
)
from headrace.infer.engines.modes import Mode, TwoModes
from headrace.infer.engines.unused_memory import return_unused_memory

_log = logging.getLogger(__name__)
_CAPABILITIES = {"f32": "FP32", "bf16": "BF16", "f16": "FP16"}
#: Weights below which bf16 is not used unless asked for: YOLOX-nano and NanoDet-m have 0.9 million, YOLO11n has 2.6.
_SMALL = 1_000_000
#: What frames an error's text: source lines of the library, and conditions in C++.
_NOISE = re.compile(r"^(Exception from .*|Check '.*|FrontEnd API failed.*|.*\.cpp:\d+:.*|\s*)$")


class OpenVinoEngine(TwoModes):
    """A model compiled by OpenVINO; may be run from several threads at once.

    On CPUs it is compiled for one run that has all threads (``mode=latency``), or for as many streams of one thread
    as there are threads (``throughput``), and then for batches of one row, if the graph has but one input. Two
    threads for each stream, OpenVINO's own choice on four cores, took a fifth to a quarter more processor time for
    each picture of YOLO11n.

    Args:
        model: Path of an ``.onnx``, ``.xml``, ``.tflite``, ``.pdmodel`` or ``.pb`` file.
        options: ``device`` is ``cpu`` or a name of OpenVINO's, such as ``GPU.1``. ``precision=auto`` is bf16 on CPUs
            with instructions for it, but f32 for graphs that were quantised, and for small ones (less than a million
            weights), to whose results a mantissa of eight bits does more; other devices choose for themselves.
            ``input_size`` is given to open graphs, and to fixed ones that allow it.

    Raises:
        ModelError: The file cannot be read, or holds operators that OpenVINO does not have.
        ConfigError: No such device here, or it cannot compute in the precision.

    Example:
        >>> OpenVinoEngine.name
        'openvino'
    """

    name = "openvino"

    def __init__(self, model: str, options: EngineOptions) -> None:
        import openvino

        self._library = f"OpenVINO {openvino.__version__.partition('-')[0]}"
        self._core = openvino.Core()
        # A file that is replaced while it is mapped would change the model, or end the process.
        self._core.set_property({"ENABLE_MMAP": False})
        self._device = "CPU" if options.device_type in ("auto", "cpu") else options.device.upper()
        if self._device != "CPU":  # asking for the others loads what drives them, with some 25 MB
            known = self._core.available_devices
            if options.device_type not in {name.partition(".")[0].lower() for name in known}:
                raise refuse_device(self.name, options, known)
        self._lock = threading.Lock()
        self._pool: tuple[Any, deque[Any]] | None = None
        threads = options.threads or len(os.sched_getaffinity(0))
        try:
            self._network = _sized(self._core, model, options.input_size)
            self.graph = _graph(model, self._network)
            self._settings = self._settings_for(options, threads)
            self.begin(options, threads if self._device == "CPU" else 2)
        except RuntimeError as error:
            raise cannot_load(model, self._library, reason(error)) from error

    def _settings_for(self, options: EngineOptions, threads: int) -> dict[str, Any]:
        """Properties of the device for what the user asked."""
        settings: dict[str, Any] = {}
        capabilities = self._core.get_property(self._device, "OPTIMIZATION_CAPABILITIES")
        able = [name for name, wanted in _CAPABILITIES.items() if wanted in capabilities]
        precision = options.precision
        if precision == "auto" and self._device == "CPU" and _needs_f32(self._network):
            precision = "f32"
        if precision != "auto":  # otherwise the device's own: on CPUs bf16 where it is native
            if precision not in able:
                raise refuse_precision(self.name, options, self._device, able)
            settings["INFERENCE_PRECISION_HINT"] = precision
        if self._device == "CPU":
            # Models beside each other, decoders and the encoder share the cores: nobody owns one.
            settings["ENABLE_CPU_PINNING"] = False
            settings["INFERENCE_NUM_THREADS"] = threads
        return settings

    def load(self, mode: Mode) -> None:
        """Compile for a mode; see `TwoModes.load`."""
        settings = {"PERFORMANCE_HINT": mode.upper(), **self._settings}
        if mode == "throughput" and self._device == "CPU":
            settings["NUM_STREAMS"] = self.at_once
            self._network = _of_one_row(self._network)
            self.graph = _graph(self.graph.path, self._network)
        compiled = self._core.compile_model(self._network, self._device, settings)
        with self._lock:
            self._pool = compiled, deque()

    @property
    def description(self) -> str:
        """See `Engine.description`."""
        if self._pool is None:
            return f"{self._library}, closed"
        compiled = self._pool[0]
        kind = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        streams = compiled.get_property("NUM_STREAMS")
        return f"{self._library} on {self._device}, {kind}, {streams} stream{'s' if streams != 1 else ''}"

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model once; see `Engine.run`. Takes NumPy arrays, and tensors in the main memory."""
        arrays = dict(enumerate(arrays_of(self.graph, inputs)))
        with self._request() as request:
            try:
                results = request.infer(arrays, share_inputs=True).values()
            except RuntimeError as error:
                raise run_failed(self.graph, self._library, inputs, reason(error)) from error
            return dict(zip((spec.name for spec in self.graph.outputs), results, strict=True))

    def resize(self, width: int, height: int) -> bool:
        """See `resize`: the model is compiled for the size, where the graph can have it."""
        network, graph = self._network, self.graph
        if network is None or not _reshape(sized := network.clone(), graph, (width, height)):
            return False
        self._network, self.graph = sized, _graph(graph.path, sized)
        try:
            self.load(self.mode)
        except RuntimeError as error:
            _log.debug("%s keeps its size: %s", graph.path, reason(error))
            self._network, self.graph = network, graph
            return False
        return True

    @contextmanager
    def _request(self) -> Iterator[Any]:
        """An infer request that nobody else uses."""
        with self._lock:
            if self._pool is None:
                raise closed(self.graph)
            compiled, idle = self._pool
        try:
            request, new = idle.pop(), False
        except IndexError:
            request, new = compiled.create_infer_request(), True
        try:
            yield request
        finally:
            idle.append(request)
        if new:  # a stream's first run lets go of what it was compiled from: with four of YOLO11n 20 MB
            return_unused_memory()

    def close(self) -> None:
        """Let the model go; runs that are under way finish first."""
        with self._lock:
            self._pool = self._network = None


ENGINE = EngineKind(
    name=OpenVinoEngine.name,
    open=OpenVinoEngine,
    library="openvino",
    install="pip install 'headrace[openvino]'",
    suffixes=(".onnx", ".xml", ".tflite", ".pdmodel", ".pb"),
    devices={"cpu": 0, "gpu": 0, "npu": 0},
)


def _sized(core: Any, model: str, size: tuple[int, int] | None) -> Any:
    """Read a model; give its image input the size asked for where it is open, or where the graph lets it be changed."""
    network = core.read_model(model)
    if size is None or _reshape(network, _graph(model, network), size):
        return network
    return core.read_model(model)


def _reshape(network: Any, graph: ModelGraph, size: tuple[int, int]) -> bool:
    """Give a model's image input a size; returns whether that can be: if not, the model is of no use any more."""
    if len(graph.inputs) != 1 or len(graph.inputs[0].shape) != 4:
        return False
    shape = [-1 if axis is None else axis for axis in graph.inputs[0].shape]
    first = 1 if graph.channels_last() else 2
    shape[first : first + 2] = size[1], size[0]
    try:
        network.reshape(shape)
    except RuntimeError as error:
        _log.debug("%s keeps its size: %s", graph.path, reason(error))
        return False
    return True


def _of_one_row(network: Any) -> Any:
    """The network for batches of one row, if its only input leaves the batch open: a twelfth less work."""
    shapes = [port.partial_shape for port in network.inputs]
    if len(shapes) != 1 or not len(shapes[0]) or shapes[0][0].is_static:
        return network
    fixed = network.clone()
    shape = [-1 if axis.is_dynamic else axis.get_length() for axis in shapes[0]]
    try:
        fixed.reshape([1, *shape[1:]])
    except RuntimeError as error:
        _log.debug("the batch stays open: %s", reason(error))
        return network
    return fixed


def _needs_f32(network: Any) -> bool:
    """Whether a network is small, or quantised: what is left to do in floats is little then, and matters."""
    constants = [op for op in network.get_ops() if op.get_type_name() == "Constant"]
    weights = {"i8": 0, "u8": 0, "f32": 0, "f16": 0, "bf16": 0}
    for op in constants:
        kind = op.get_element_type().get_type_name()
        if kind in weights and len(op.shape) > 1:
            weights[kind] += math.prod(op.shape)
    quantised = weights["i8"] + weights["u8"] > 0 or any(
        op.get_type_name() == "FakeQuantize" for op in network.get_ops()
    )
    return quantised or sum(weights.values()) < _SMALL


def _graph(model: str, network: Any) -> ModelGraph:
    stored = (
        network.get_rt_info("framework").value if network.has_rt_info("framework") else _beside(Path(model))
    )
    return ModelGraph(
        model,
        tuple(_spec(port, f"input{index}") for index, port in enumerate(network.inputs)),
        tuple(_spec(port, f"output{index}") for index, port in enumerate(network.outputs)),
        {str(key): str(value) for key, value in stored.items()},
    )


def _beside(model: Path) -> dict[str, Any]:
    """What ultralytics' exporter puts into a file beside formats that hold no metadata."""
    file = model.with_name("metadata.yaml")
    if model.suffix == ".onnx" or not file.is_file():
        return {}
    try:
        stored = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{file} beside the model cannot be read: {error}; mend or remove it") from error
    return stored if isinstance(stored, dict) else {}


def _spec(port: Any, default: str) -> TensorSpec:
    shape = tuple(axis.get_length() if axis.is_static else None for axis in port.partial_shape)
    kind = port.element_type
    dtype = str(kind.to_dtype()) if kind.get_type_name() != "bf16" else "bfloat16"
    return TensorSpec(port.get_any_name() if port.get_names() else default, shape, dtype)


def reason(error: Exception) -> str:
    r"""What an error of OpenVINO's says, without the lines that tell where in the library it arose.

    Example:
        >>> reason(RuntimeError("Exception from src/core.cpp:84:\nNo rule for Odd.\n"))
        'No rule for Odd.'
    """
    return " ".join(line.strip() for line in str(error).splitlines() if not _NOISE.match(line.strip()))
