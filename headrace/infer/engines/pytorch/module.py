"""A torch module as an engine: number type and memory format, shapes by trying, results in the caller's library."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import torch

from headrace.errors import HeadraceError, ModelError
from headrace.frames import HOST
from headrace.infer.engines.base import Array, EngineOptions, ModelGraph, TensorSpec, numpy_dtype
from headrace.infer.engines.faults import check_inputs, closed, refuse_device, refuse_precision, run_failed
from headrace.infer.engines.pytorch.files import LIBRARY, TorchProgram, reason
from headrace.infer.engines.pytorch.graphs import CudaGraphs, Types, single
from headrace.infer.engines.slots import Finish, Slot

_log = logging.getLogger(__name__)
#: DLPack's number for CUDA memory.
_CUDA = 2
_TYPES = {"bf16": torch.bfloat16, "f16": torch.float16}
#: What a module raises on a batch that does not suit it.
_FAILURES = (RuntimeError, AssertionError, ValueError, TypeError, IndexError)


class TorchEngine:
    """A torch module that runs without gradients; may be called from several threads at once.

    NumPy arrays come out where NumPy arrays go in. Where tensors go in, tensors come out and stay on the device.
    Outputs of 16 bits come out as float32. On a GPU the work for each size of batch (1, 2, 4, 8 …; others are
    filled up and cut again) is recorded once as a CUDA graph and replayed, which saves the launching of kernels.

    Args:
        program: What to run.
        options: ``device=auto`` is the first GPU where there is one. ``precision=auto`` is f16 on GPUs, or f32 where
            the program cannot run so, and f32 on CPUs. ``input_size`` is needed where the file tells none.
            ``threads`` counts for the whole process: torch knows no other way.
        name: The engine's name.

    Raises:
        ModelError: The module fails on zeros of the input's shape, the size of its input is not known, or torch
            sees no GPU.
        ConfigError: A device or precision that torch does not offer here.

    Example:
        >>> from headrace.infer.engines.pytorch.files import pictures_program
        >>> program = pictures_program("flat.pt", torch.nn.Flatten(), "images", {"imgsz": "[8, 8]"})
        >>> engine = TorchEngine(program, EngineOptions(device="cpu"))
        >>> print(*engine.graph.inputs, *engine.graph.outputs)
        images float32[?, 3, 8, 8] output0 float32[?, 192]
    """

    rows = None

    def __init__(self, program: TorchProgram, options: EngineOptions, name: str = "torch") -> None:
        self.name = name
        self._device = _device(name, program.path, options)
        if options.threads:
            torch.set_num_threads(options.threads)
        self._module: Any = program.on(self._device)
        self._told = program.outputs is not None  # the file tells its shapes
        self._native = any(spec.dtype == "float16" for spec in program.inputs)
        self.graph = ModelGraph(program.path, program.inputs, (), program.metadata)
        program = _sized(program, options)
        inputs, outputs = self._try(program, _precisions(name, self._device, options))
        self.graph = replace(self.graph, inputs=inputs, outputs=outputs)
        self._names = [spec.name for spec in outputs]
        _narrow(self._module, self._autocast)
        batches = all(spec.shape and spec.shape[0] is None for spec in inputs)
        gpu = self._device.type == "cuda"
        self.device = (_CUDA, self._device.index) if gpu else HOST
        self._types = self._input_types(program, batches) if gpu else []
        self._graphs = CudaGraphs(self._call, self._device, batches) if gpu else None

    @property
    def concurrency(self) -> int:
        """See `Engine.concurrency`: a GPU computes one batch while the next is brought and the last fetched.

        On a CPU torch's own threads are busy with one call already.
        """
        return 2 if self.device[0] == _CUDA else 1

    @property
    def description(self) -> str:
        """See `Engine.description`."""
        how = ", CUDA graphs" if self._graphs is not None and self._graphs.usable else ""
        return f"{LIBRARY} on {self._device}, {self._precision}{how}"

    def _try(
        self, program: TorchProgram, precisions: Sequence[str]
    ) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
        """Inputs and outputs, by running on zeros in the first number type and layout in which that succeeds."""
        gpu = self._device.type == "cuda"
        # Convolutions on a GPU want channels last in memory; a module that insists on views cannot have them so.
        formats = (torch.channels_last, torch.contiguous_format) if gpu else (torch.contiguous_format,)
        failure: Exception = RuntimeError()
        for precision, layout in product(precisions, formats):
            self._module.to(memory_format=layout)
            self._precision = "f16" if self._native else precision
            self._autocast = None if self._native else _TYPES.get(precision)
            try:
                return self._shapes(program)
            except _FAILURES as error:
                failure = error
                _log.debug("%s does not run in %s, %s: %s", program.path, precision, layout, error)
        names = (spec.name for spec in program.inputs)
        zeros = dict(zip(names, _zeros(program, None, "cpu"), strict=True))
        raise run_failed(
            self.graph, LIBRARY, zeros, f"{reason(failure)}; export it again, or set input_size"
        ) from failure

    def _shapes(self, program: TorchProgram) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
        """Inputs and outputs; the batch is open if one row and two give one row and two."""
        if program.outputs is not None:  # the file tells all but the names
            outputs = self._named(_zeros(program, None, self._device))
            pairs = zip(outputs.items(), program.outputs, strict=True)
            return program.inputs, tuple(_spec(name, tensor, shape) for (name, tensor), shape in pairs)
        found: dict[int, dict[str, torch.Tensor]] = {}
        failure: Exception | None = None
        for rows in dict.fromkeys((1, 2, int(program.metadata.get("batch", 1)))):
            try:
                found[rows] = self._named(_zeros(program, rows, self._device))
            except _FAILURES as error:
                failure = error
        whole = {
            rows: given
            for rows, given in found.items()
            if all(t.shape[:1] == (rows,) for t in given.values())
        }
        if not found:
            raise RuntimeError(str(failure)) from failure
        rows, outputs = next(iter((whole or found).items()))
        batch = None if 1 in whole and 2 in whole else rows
        inputs = tuple(replace(spec, shape=(batch, *spec.shape[1:])) for spec in program.inputs)
        return inputs, tuple(
            _spec(name, tensor, (batch, *tensor.shape[1:]) if rows in whole else tuple(tensor.shape))
            for name, tensor in outputs.items()
        )

    def _input_types(self, program: TorchProgram, batches: bool) -> Types:
        """As what the module takes its inputs: in 16 bits and channels last where it runs so.

        A convolution would bring them there in each run.
        """
        zeros = _zeros(program, 2 if batches else None, self._device)
        for narrow, order in product((True, False), (torch.channels_last, torch.contiguous_format)):
            wide = self._autocast if narrow and self._autocast is not None else torch.float32
            types = [
                (
                    wide if t.dtype == torch.float32 else t.dtype,
                    order if t.ndim == 4 else torch.contiguous_format,
                )
                for t in zeros
            ]
            try:
                pairs = zip(zeros, types, strict=True)
                self._call([t.to(kind).to(memory_format=layout) for t, (kind, layout) in pairs])
            except _FAILURES as error:
                _log.debug("%s does not take %s: %s", program.path, types, error)
            else:
                break
        return types

    def _call(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """The outputs in order, as the module gives them."""
        return [tensor for _, tensor in _flat(self._result(tensors))]

    def _named(self, tensors: Sequence[torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: single(tensor) for name, tensor in _flat(self._result(tensors))}

    def _result(self, tensors: Sequence[torch.Tensor]) -> Any:
        kind, dtype = self._device.type, self._autocast
        with torch.no_grad(), torch.autocast(kind, dtype, enabled=dtype is not None, cache_enabled=False):
            return self._module(*tensors)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model once; see `Engine.run`. Tensors come out where tensors go in."""
        check_inputs(self.graph, inputs)
        arrays = [inputs[spec.name] for spec in self.graph.inputs]
        if self._module is None:
            raise closed(self.graph)
        graphs = self._graphs
        try:
            tensors = [_tensor(array) for array in arrays]
            if graphs is not None:
                outputs = graphs.run(tensors, self._types)
            else:
                outputs = [
                    single(tensor).clone() for tensor in self._call([t.to(self._device) for t in tensors])
                ]
            named = dict(zip(self._names, outputs, strict=True))
            return (
                {n: t.numpy(force=True) for n, t in named.items()}
                if isinstance(arrays[0], np.ndarray)
                else named
            )
        except Exception as error:  # a module raises whatever it likes
            if self._module is None:
                raise closed(self.graph) from error
            raise run_failed(self.graph, LIBRARY, inputs, reason(error)) from error

    @contextmanager
    def slot(self, rows: int, size: tuple[int, int], finish: Finish | None = None) -> Iterator[Slot]:
        """See `SlotEngine.slot`."""
        with (
            self._recorded(rows, size) as (graphs, shape),
            graphs.slot(shape, self._types, self._names, finish) as slot,
        ):
            yield slot

    def warm(self, rows: int, size: tuple[int, int], finish: Finish | None = None) -> None:
        """See `SlotEngine.warm`."""
        with self._recorded(rows, size) as (graphs, shape):
            graphs.warm(shape, self._types, finish)

    @contextmanager
    def _recorded(self, rows: int, size: tuple[int, int]) -> Iterator[tuple[CudaGraphs, torch.Size]]:
        """The graphs and the input's shape; what torch raises meanwhile becomes an error of the run."""
        graphs, (spec,), (width, height) = self._graphs, self.graph.inputs, size
        if graphs is None:
            raise closed(self.graph)
        channels = self.graph.channels() or 3
        row = (height, width, channels) if self.graph.channels_last() else (channels, height, width)
        shape = torch.Size((rows, *row))
        try:
            yield graphs, shape
        except HeadraceError:
            raise
        except RuntimeError as error:
            given = {spec.name: torch.empty(shape, device="meta")}
            raise run_failed(self.graph, LIBRARY, given, reason(error)) from error

    def resize(self, width: int, height: int) -> bool:
        """See `resize`: exported programs tell whether they take a size; for others it is tried."""
        if self._told or self._module is None:
            return self.graph.takes(width, height)
        (spec,) = self.graph.inputs
        row = (spec.shape[1] or 3, height, width)
        first = replace(spec, shape=(None, *row))
        program = TorchProgram(
            self.graph.path, self._module, (first,), ((1, *row),), None, self.graph.metadata
        )
        try:
            inputs, outputs = self._shapes(program)
        except _FAILURES as error:
            _log.debug("%s keeps its size: %s", self.graph.path, reason(error))
            return False
        self.graph = replace(self.graph, inputs=inputs, outputs=outputs)
        return True

    def close(self) -> None:
        """Let the module go; runs that are under way finish first."""
        self._module = self._graphs = None


def _device(name: str, path: str, options: EngineOptions) -> torch.device:
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    known = ("cpu", *(f"cuda:{number}" for number in range(there)))
    if options.device_type not in ("auto", "cpu", "cuda"):
        raise refuse_device(name, options, known)
    if options.device_type == "cpu" or (options.device == "auto" and not there):
        return torch.device("cpu")
    device = torch.device("cuda:0" if options.device in ("auto", "cuda") else options.device.lower())
    if str(device) not in known:
        raise ModelError(f"{path}: {LIBRARY} sees {', '.join(known)}, but not {device}; see nvidia-smi")
    return device


def _precisions(name: str, device: torch.device, options: EngineOptions) -> tuple[str, ...]:
    """Number types to try in turn."""
    known = ("f32", "bf16") if device.type == "cpu" else ("f32", "bf16", "f16")
    if options.precision == "auto":
        return ("f32",) if device.type == "cpu" else ("f16", "f32")
    if options.precision not in known:
        raise refuse_precision(name, options, str(device), known)
    return (options.precision,)


def _sized(program: TorchProgram, options: EngineOptions) -> TorchProgram:
    """With the shape of an example, of the size asked for where the program leaves it open."""
    first, graph = program.inputs[0], ModelGraph(program.path, program.inputs, (), program.metadata)
    size = options.input_size or graph.input_size()
    if program.outputs is None:
        if size is None:
            raise ModelError(f"{program.path} does not tell the size of its input {first}; set input_size")
        row = (first.shape[1] or 3, size[1], size[0])
        return replace(program, inputs=(replace(first, shape=(None, *row)),), sizes=((1, *row),))
    if size is not None and None in first.shape[2:]:
        example = (*program.sizes[0][:2], size[1], size[0])
        return replace(program, sizes=(example, *program.sizes[1:]))
    return program


def _zeros(program: TorchProgram, rows: int | None, device: torch.device | str) -> list[torch.Tensor]:
    """An example of the inputs, with another number of rows if one is given."""
    shapes = [shape if rows is None else (rows, *shape[1:]) for shape in program.sizes]
    types = [torch.from_numpy(np.zeros(0, numpy_dtype(spec.dtype))).dtype for spec in program.inputs]
    return [torch.zeros(shape, dtype=kind, device=device) for shape, kind in zip(shapes, types, strict=True)]


def _spec(name: str, tensor: torch.Tensor, shape: tuple[int | None, ...]) -> TensorSpec:
    return TensorSpec(name, shape, str(tensor.dtype).removeprefix("torch."))


def _flat(result: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Tensors of whatever a module returns: by key, by their order, or both where a key holds several."""
    parts = result.items() if isinstance(result, Mapping) else [("output", result)]
    for key, part in parts:
        if isinstance(part, torch.Tensor) and isinstance(result, Mapping):
            yield str(key), part
        else:
            yield from ((f"{key}{index}", tensor) for index, tensor in enumerate(_tensors(part)))


def _tensors(result: Any) -> Iterator[torch.Tensor]:
    if isinstance(result, torch.Tensor):
        yield result
    elif isinstance(result, Mapping):
        yield from _tensors(tuple(result.values()))
    elif isinstance(result, list | tuple):
        for part in result:
            yield from _tensors(part)


def _narrow(module: torch.nn.Module, dtype: torch.dtype | None) -> None:
    """Convert the weights of convolutions and matrix products, once; autocast would do it at each run."""
    weights = dict(module.named_parameters()) if dtype else {}
    for name, weight in weights.items():
        bias = weights.get(f"{name.removesuffix('weight')}bias") if name.endswith("weight") else None
        if weight.dtype == torch.float32 and (weight.ndim > 2 or (weight.ndim == 2 and bias is not None)):
            weight.data = weight.data.to(dtype)
            if bias is not None:
                bias.data = bias.data.to(dtype)


def _tensor(array: Array) -> torch.Tensor:
    """An array as a tensor, without a copy where torch can do that."""
    if not isinstance(array, np.ndarray):
        return array if isinstance(array, torch.Tensor) else torch.from_dlpack(array)
    whole = np.ascontiguousarray(array)
    return torch.from_numpy(whole if whole.flags.writeable else whole.copy())
