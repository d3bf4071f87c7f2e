"""OpenVINO: Intel's and other CPUs, Intel's GPUs and NPUs."""

from __future__ import annotations

import logging
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

_log = logging.getLogger(__name__)
_CAPABILITIES = {"f32": "FP32", "bf16": "BF16", "f16": "FP16"}
#: What frames an error's text: source lines of the library, and conditions in C++.
_NOISE = re.compile(r"^(Exception from .*|Check '.*|FrontEnd API failed.*|.*\.cpp:\d+:.*|\s*)$")


class OpenVinoEngine:
    """A model compiled by OpenVINO; may be run from several threads at once.

    One run has all of the processor, for the shortest time. When runs overlap for the first time (slices of a batch,
    several pipelines) the model is compiled once more in the background, for several streams, and runs so from then
    on: with YOLOX-nano in slices on four idle cores 1.7 times as fast, but half as fast for one row alone.

    Args:
        model: Path of an ``.onnx``, ``.xml``, ``.tflite``, ``.pdmodel`` or ``.pb`` file.
        options: ``device`` is ``cpu`` or a name of OpenVINO's, such as ``GPU.1``. ``precision=auto`` is f32 on CPUs;
            other devices choose for themselves. bf16 needs a CPU with instructions for it. ``input_size`` is given
            to open graphs, and to fixed ones that allow it.

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
        known = self._core.available_devices
        if options.device_type not in ("auto", *(name.partition(".")[0].lower() for name in known)):
            raise refuse_device(self.name, options, known)
        self._settings = self._settings_for(options)
        try:
            self._network = _sized(self._core, model, options.input_size)
            self._pool: tuple[Any, deque[Any]] | None = self._compile(self._network, "LATENCY")
        except RuntimeError as error:
            raise cannot_load(model, self._library, reason(error)) from error
        self._lock, self._running, self._shared = threading.Lock(), 0, False
        self.graph = _graph(model, self._network)
        cores = len(os.sched_getaffinity(0))
        self.concurrency = min(options.threads or cores, cores) if self._device == "CPU" else 2

    def _settings_for(self, options: EngineOptions) -> dict[str, Any]:
        """Properties of the device for what the user asked."""
        settings: dict[str, Any] = {}
        capabilities = self._core.get_property(self._device, "OPTIMIZATION_CAPABILITIES")
        able = [name for name, wanted in _CAPABILITIES.items() if wanted in capabilities]
        precision = options.precision
        if precision == "auto" and self._device == "CPU":
            precision = "f32"  # bf16 moves boxes: with YOLOX-nano F1 at IoU 0.9 falls from 1.0 to 0.95
        if precision != "auto":
            if precision not in able:
                raise refuse_precision(self.name, options, self._device, able)
            settings["INFERENCE_PRECISION_HINT"] = precision
        if self._device == "CPU":
            # Models beside each other, decoders and the encoder share the cores: nobody owns one.
            settings["ENABLE_CPU_PINNING"] = False
            settings["INFERENCE_NUM_THREADS"] = options.threads
        return settings

    def _compile(self, network: Any, hint: str) -> tuple[Any, deque[Any]]:
        """The model for one run at a time (``LATENCY``) or several (``THROUGHPUT``), and its idle requests."""
        settings = {"PERFORMANCE_HINT": hint, **self._settings}
        return self._core.compile_model(network, self._device, settings), deque()

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
        network = self._network
        if network is None or not _reshape(sized := network.clone(), self.graph, (width, height)):
            return False
        pool = self._compile(sized, "LATENCY")
        with self._lock:
            if self._pool is None:
                return False
            self._network, self._pool, self._shared = sized, pool, False
        self.graph = _graph(self.graph.path, sized)
        return True

    @contextmanager
    def _request(self) -> Iterator[Any]:
        """An infer request that nobody else uses."""
        with self._lock:
            if self._pool is None:
                raise closed(self.graph)
            self._running += 1
            if self._running > 1 and not self._shared and self.concurrency > 1:
                self._shared = True
                threading.Thread(target=self._share, args=(self._network,), name="hr-openvino").start()
            compiled, idle = self._pool
        try:
            request = idle.pop()
        except IndexError:
            request = compiled.create_infer_request()
        try:
            yield request
        finally:
            idle.append(request)
            with self._lock:
                self._running -= 1

    def _share(self, network: Any) -> None:
        """Compile for runs side by side; those that are under way end as they began."""
        try:
            pool = self._compile(network, "THROUGHPUT")
        except RuntimeError as error:
            _log.warning("%s is not compiled for several streams: %s", self.graph.path, reason(error))
            return
        with self._lock:
            if self._network is network:  # neither closed nor of another size meanwhile
                self._pool = pool

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
