"""ONNX Runtime: the CPU, and the other back ends ("execution providers") that the installed build has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.errors import ModelError
from headrace.infer.engines.base import Array, EngineKind, EngineOptions, ModelGraph, TensorSpec
from headrace.infer.engines.cache import cache_folder
from headrace.infer.engines.faults import (
    arrays_of,
    cannot_load,
    closed,
    refuse_device,
    refuse_precision,
    run_failed,
)
from headrace.infer.engines.modes import Mode, TwoModes

_DTYPES = {"float": "float32", "double": "float64"}
_ERRORS_ONLY = 3  # onnxruntime's log level; its warnings on stderr are about the exporter, not about the run
_PROVIDERS = {"cuda": "CUDA", "tensorrt": "Tensorrt", "openvino": "OpenVINO", "cpu": "CPU"}
_BUILDS = {"openvino": "pip install onnxruntime-openvino"}
_FLOATS = {"f32": "FP32", "f16": "FP16", "auto": "ACCURACY"}


class OnnxRuntimeEngine(TwoModes):
    """A session of ONNX Runtime; may be run from several threads at once.

    On CPUs a session has all threads for each run (``mode=latency``), or none but the caller's (``throughput``):
    four runs of YOLO11n at once on four cores make 115 pictures/s, one after the other with four threads 37.

    Args:
        model: Path of an ``.onnx`` or ``.ort`` file.
        options: ``provider`` is ``cuda``, ``tensorrt`` or ``openvino``; without one the device decides. The file
            decides the precision, except with the providers ``tensorrt`` and ``openvino``.

    Raises:
        ModelError: The file is no model that this version of ONNX Runtime can load, or the build lacks the provider.
        ConfigError: A device or precision that it does not offer.

    Example:
        >>> OnnxRuntimeEngine.name
        'onnxruntime'
    """

    name = "onnxruntime"

    def __init__(self, model: str, options: EngineOptions) -> None:
        import onnxruntime

        self._model, self._options, self._runtime = model, options, onnxruntime
        self._library = f"onnxruntime {onnxruntime.__version__}"
        self._provider = options.provider or ("cuda" if options.device_type == "cuda" else "cpu")
        self._check(model, self._provider, options, onnxruntime.get_available_providers())
        on_cpu = self._provider == "cpu"
        self.begin(options, (options.threads or len(os.sched_getaffinity(0))) if on_cpu else 1)
        session = self._session
        self.graph = ModelGraph(
            model,
            tuple(_spec(node) for node in session.get_inputs()),
            tuple(_spec(node) for node in session.get_outputs()),
            dict(session.get_modelmeta().custom_metadata_map),
        )

    def load(self, mode: Mode) -> None:
        """Make a session for a mode; see `TwoModes.load`."""
        settings = self._runtime.SessionOptions()
        settings.log_severity_level = _ERRORS_ONLY
        settings.intra_op_num_threads = 1 if mode == "throughput" else self._options.threads
        settings.inter_op_num_threads = 1
        # Threads that wait for work by spinning take the processor from decoders, encoder and other sources: with
        # YOLOX-nano on four cores half of all CPU time, for not a frame more per second.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = _with_settings(self._provider, self._options)
        try:
            session = self._runtime.InferenceSession(self._model, sess_options=settings, providers=providers)
        except Exception as error:  # the library has no common base class for its errors
            raise cannot_load(self._model, self._library, error) from error
        self._used = session.get_providers()[0]
        if self._used != providers[0][0]:  # it goes on with the CPU when a driver is missing
            raise ModelError(
                f"{self._model}: {self._library} could not start {providers[0][0]}; see its messages above"
            )
        self._session: Any = session

    @property
    def description(self) -> str:
        """See `Engine.description`."""
        runs = f", {self.concurrency} runs at once" if self.concurrency > 1 else ""
        return f"{self._library}, {self._used.removesuffix('ExecutionProvider')}, {self.mode}{runs}"

    def _check(self, model: str, provider: str, options: EngineOptions, has: list[str]) -> None:
        if options.device_type not in (
            ("auto", "cpu") if provider == "cpu" else ("auto", "cuda", "cpu", "gpu", "npu")
        ):
            raise refuse_device(self.name, options, ("cpu", "cuda"))
        floats = {"openvino": ("f32", "f16"), "tensorrt": ("f32", "f16")}.get(provider, ("f32",))
        if options.precision not in ("auto", *floats):
            raise refuse_precision(self.name, options, provider, (*floats, "the file's own type"))
        if f"{_PROVIDERS[provider]}ExecutionProvider" not in has:
            raise ModelError(
                f"{model}: this build of {self._library} has no provider {provider}: pip uninstall onnxruntime, then "
                f"{_BUILDS.get(provider, 'pip install onnxruntime-gpu')}"
            )

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model once; see `Engine.run`. Takes NumPy arrays, and tensors in the main memory."""
        session = self._session
        if session is None:
            raise closed(self.graph)
        arrays = arrays_of(self.graph, inputs)
        names = [spec.name for spec in self.graph.outputs]
        try:
            results = session.run(names, {s.name: a for s, a in zip(self.graph.inputs, arrays, strict=True)})
        except Exception as error:  # as above
            raise run_failed(self.graph, self._library, inputs, error) from error
        return {name: np.asarray(result) for name, result in zip(names, results, strict=True)}

    def close(self) -> None:
        """Let the session go; runs that are under way finish first."""
        self._session = None


ENGINE = EngineKind(
    name=OnnxRuntimeEngine.name,
    open=OnnxRuntimeEngine,
    library="onnxruntime",
    install="pip install onnxruntime",
    suffixes=(".onnx", ".ort"),
    devices={"cuda": 1, "cpu": 1},
    providers=("cuda", "tensorrt", "openvino"),
)


def _with_settings(provider: str, options: EngineOptions) -> list[tuple[str, dict[str, Any]]]:
    """Providers in order of preference, as a session takes them."""
    number = options.device.partition(":")[2] or "0"
    cuda = ("CUDAExecutionProvider", {"device_id": number})
    if provider == "cuda":
        return [cuda]
    if provider == "tensorrt":
        cache = {"trt_engine_cache_enable": True, "trt_engine_cache_path": str(cache_folder("onnxruntime"))}
        half = {"trt_fp16_enable": options.precision != "f32"}
        return [("TensorrtExecutionProvider", {"device_id": number, **half, **cache}), cuda]
    if provider == "openvino":
        device = "CPU" if options.device == "auto" else options.device.upper()
        return [
            ("OpenVINOExecutionProvider", {"device_type": device, "precision": _FLOATS[options.precision]})
        ]
    return [("CPUExecutionProvider", {})]


def _spec(node: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in node.shape or ())
    kind = str(node.type).removeprefix("tensor(").removesuffix(")")
    return TensorSpec(node.name, shape, _DTYPES.get(kind, kind))
