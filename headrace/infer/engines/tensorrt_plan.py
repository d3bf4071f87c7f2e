"""Running and building TensorRT's plans; torch holds the memory on the GPU.

Written to the Python API of TensorRT 10 as NVIDIA documents it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorrt
import torch

from headrace.errors import ModelError
from headrace.infer.engines.base import Array, EngineOptions, ModelGraph, TensorSpec
from headrace.infer.engines.faults import (
    cannot_load,
    check_inputs,
    closed,
    refuse_device,
    run_failed,
)

LIBRARY = f"TensorRT {tensorrt.__version__}"
_LOGGER = tensorrt.Logger(tensorrt.Logger.ERROR)
_FLAGS = {"f16": "FP16", "bf16": "BF16"}
#: Rows of a batch that a plan is built for: least, usual and most.
_ROWS = (1, 8, 32)


class TensorRtEngine:
    """A plan on a GPU; may be called from several threads, one at a time runs.

    NumPy arrays come out where NumPy arrays go in; torch's tensors come out, on the GPU, where those go in. More
    rows than the plan was built for run in parts.

    Args:
        path: The model, for messages.
        plan: What TensorRT serialised.
        metadata: What the exporter stored.
        options: ``device`` is ``cuda`` or ``cuda:1``.

    Raises:
        ModelError: The plan is damaged, or was built for another version of TensorRT or another GPU.
        ConfigError: Another device.
    """

    name = "tensorrt"
    concurrency, rows = 1, None

    def __init__(self, path: str, plan: bytes, metadata: Mapping[str, str], options: EngineOptions) -> None:
        self._device = _device(path, options)
        with torch.cuda.device(self._device):
            engine = tensorrt.Runtime(_LOGGER).deserialize_cuda_engine(plan)
        if engine is None:
            reason = "it is damaged, or was built by another version or for another GPU; build it here"
            raise cannot_load(path, LIBRARY, reason)
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        taken = [name for name in names if engine.get_tensor_mode(name) == tensorrt.TensorIOMode.INPUT]
        specs = {name: _spec(path, engine, name) for name in names}
        self.graph = ModelGraph(
            path,
            tuple(specs[name] for name in taken),
            tuple(spec for name, spec in specs.items() if name not in taken),
            dict(metadata),
        )
        opened = [name for name in taken if specs[name].shape[:1] == (None,)]
        self._most = min((engine.get_tensor_profile_shape(name, 0)[2][0] for name in opened), default=0)
        self._engine, self._context = engine, engine.create_execution_context()
        self._lock = threading.Lock()
        self.description = f"{LIBRARY} on {self._device}, as built"

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model once; see `Engine.run`. Tensors come out where tensors go in."""
        check_inputs(self.graph, inputs)
        first = inputs[self.graph.inputs[0].name]
        tensors = {
            name: torch.as_tensor(array, device=self._device).contiguous() for name, array in inputs.items()
        }
        rows, most = first.shape[0], self._most
        starts = range(0, rows, most) if most and rows > most else (0,)
        with self._lock:
            if self._context is None:
                raise closed(self.graph)
            parts = [
                self._run({name: t[at : at + most] if len(starts) > 1 else t for name, t in tensors.items()})
                for at in starts
            ]
        whole = parts[0] if len(parts) == 1 else {n: torch.cat([part[n] for part in parts]) for n in parts[0]}
        return {n: t.cpu().numpy() for n, t in whole.items()} if isinstance(first, np.ndarray) else whole

    def _run(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        context = self._context
        with torch.cuda.device(self._device):
            good = all(context.set_input_shape(name, tuple(tensor.shape)) for name, tensor in tensors.items())
            outputs = {}
            for spec in self.graph.outputs if good else ():
                shape = tuple(context.get_tensor_shape(spec.name))
                outputs[spec.name] = torch.empty(shape, dtype=getattr(torch, spec.dtype), device=self._device)
            for name, tensor in {**tensors, **outputs}.items():
                good = good and context.set_tensor_address(name, tensor.data_ptr())
            stream = torch.cuda.current_stream()
            good = good and context.execute_async_v3(stream.cuda_stream)
            stream.synchronize()  # the next run uses the same context
        if not good:
            raise run_failed(self.graph, LIBRARY, tensors, "the plan was not built for these shapes")
        return outputs

    def close(self) -> None:
        """Let the plan go; a run that is under way finishes first."""
        with self._lock:
            self._context = self._engine = None


def platform(options: EngineOptions) -> str:
    """What a plan built now would run on."""
    device = torch.cuda.get_device_name(_device("", options))
    return f"{LIBRARY} {device}"


def build(model: str, options: EngineOptions) -> tuple[bytes, dict[str, str]]:
    """Build a plan from an ONNX file, which takes minutes.

    An open batch axis takes up to 32 rows at once. ``precision=auto`` is f16.

    Returns:
        The plan and the ONNX file's metadata.

    Raises:
        ModelError: TensorRT cannot read or build the model, or its input's size is open and not given.
    """
    builder = tensorrt.Builder(_LOGGER)
    network = builder.create_network(0)
    parser = tensorrt.OnnxParser(network, _LOGGER)
    if not parser.parse_from_file(model):
        errors = "; ".join(parser.get_error(index).desc() for index in range(parser.num_errors))
        raise cannot_load(model, LIBRARY, errors)
    config = builder.create_builder_config()
    precision = "f16" if options.precision == "auto" else options.precision
    if precision in _FLAGS:
        config.set_flag(getattr(tensorrt.BuilderFlag, _FLAGS[precision]))
    profile = builder.create_optimization_profile()
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        profile.set_shape(tensor.name, *_profile(model, tuple(tensor.shape), options))
    config.add_optimization_profile(profile)
    with torch.cuda.device(_device(model, options)):
        plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise cannot_load(model, LIBRARY, "no plan could be built; its messages are above")
    return bytes(plan), _metadata(model)


def _profile(model: str, shape: tuple[int, ...], options: EngineOptions) -> list[tuple[int, ...]]:
    """Least, usual and most of an input's shape; -1 stands for open axes."""
    shown = TensorSpec("input", tuple(None if n < 0 else n for n in shape), "float32")
    rest = list(shape[1:])
    if len(shape) == 4 and options.input_size and -1 in rest:
        first = 0 if ModelGraph(model, (shown,), ()).channels_last() else 1
        rest[first : first + 2] = options.input_size[1], options.input_size[0]
    if -1 in rest:
        raise ModelError(f"{model}: {shown} has an open size; set input_size to width and height")
    return [(rows if shape[0] < 0 else shape[0], *rest) for rows in _ROWS]


def _metadata(model: str) -> dict[str, str]:
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return dict(session.get_modelmeta().custom_metadata_map)


def _device(path: str, options: EngineOptions) -> torch.device:
    if options.device_type not in ("auto", "cuda"):
        raise refuse_device(TensorRtEngine.name, options, ("cuda",))
    if not torch.cuda.is_available():
        raise ModelError(f"{path}: torch {torch.__version__} sees no CUDA device; see nvidia-smi")
    return torch.device("cuda:0" if options.device in ("auto", "cuda") else options.device.lower())


def _spec(path: str, engine: Any, name: str) -> TensorSpec:
    try:
        dtype = np.dtype(tensorrt.nptype(engine.get_tensor_dtype(name))).name
    except TypeError as error:
        raise ModelError(
            f"{path}: tensor {name} is {engine.get_tensor_dtype(name)}; build it with float32"
        ) from error
    return TensorSpec(name, tuple(None if n < 0 else n for n in engine.get_tensor_shape(name)), dtype)
