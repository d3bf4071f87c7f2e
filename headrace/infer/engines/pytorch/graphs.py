"""CUDA graphs: what a module does on the GPU, recorded for a size of batch and replayed."""

from __future__ import annotations

import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

_log = logging.getLogger(__name__)
#: Runs before recording: libraries choose kernels, TorchScript compiles.
_WARM = 3
#: Recorded shapes that are kept; a model sees few sizes of pictures, and batches of 1, 2, 4 … rows.
_MOST = 16
#: Recording waits for the whole device; two at once would disturb each other.
_RECORDING = threading.Lock()
#: Streams that nobody uses, by device. cuBLAS keeps 34 MB for every stream that it ever saw: a model that takes
#: the place of another takes its stream, too.
_idle_streams: dict[torch.device, list[torch.cuda.Stream]] = {}


@dataclass(frozen=True, slots=True)
class _Recorded:
    graph: torch.cuda.CUDAGraph
    inputs: list[torch.Tensor]
    outputs: list[torch.Tensor]


class CudaGraphs:
    """Calls a module by replaying what it did before; callable from any thread, one call at a time.

    A module that cannot be recorded, because it looks at values while it runs, is called plainly from then on.

    Args:
        call: Tensors on the device in, tensors out; the number of outputs is always the same.
        device: A CUDA device.
        batches: Whether the first axis of the inputs is a batch of any size: then it is filled up to the next power of
            two, and cut off the outputs again.

    Attributes:
        usable: Whether the module could be recorded so far.
    """

    def __init__(
        self,
        call: Callable[[Sequence[torch.Tensor]], list[torch.Tensor]],
        device: torch.device,
        batches: bool,
    ) -> None:
        self._call, self._device, self._batches = call, device, batches
        self._lock = threading.Lock()
        idle = _idle_streams.setdefault(device, [])
        try:
            self._stream = idle.pop()
        except IndexError:
            self._stream = torch.cuda.Stream(device)
        weakref.finalize(self, idle.append, self._stream)
        self._pool = torch.cuda.graph_pool_handle()
        self._recorded: OrderedDict[tuple[torch.Size, ...], _Recorded] = OrderedDict()
        self.usable = True

    def run(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Outputs for inputs of any place in memory; new tensors on the device, for use on the current stream."""
        with self._lock, torch.cuda.device(self._device):
            current = torch.cuda.current_stream()
            self._stream.wait_stream(current)
            with torch.cuda.stream(self._stream):
                outputs = self._on_stream(tensors)
            current.wait_stream(self._stream)
        for tensor, stream in (*((t, current) for t in outputs), *((t, self._stream) for t in tensors)):
            if tensor.is_cuda:
                tensor.record_stream(stream)
        return outputs

    def _on_stream(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        recorded = self._recorded_for(tensors) if self.usable else None
        if recorded is None:
            placed = [tensor.to(self._device) for tensor in tensors]
            return [tensor.clone() for tensor in self._call(placed)]
        rows = tensors[0].shape[0]
        for held, given in zip(recorded.inputs, tensors, strict=True):
            (held[:rows] if self._batches else held).copy_(given)
        recorded.graph.replay()
        size = recorded.inputs[0].shape[0]
        return [
            (tensor[:rows] if self._batches and tensor.shape[:1] == (size,) else tensor).clone()
            for tensor in recorded.outputs
        ]

    def _recorded_for(self, tensors: Sequence[torch.Tensor]) -> _Recorded | None:
        """The recording for tensors of these shapes, made if there is none."""
        rows = 1 << (tensors[0].shape[0] - 1).bit_length()
        shapes = tuple(torch.Size((rows, *t.shape[1:])) if self._batches else t.shape for t in tensors)
        if shapes in self._recorded:
            self._recorded.move_to_end(shapes)
            return self._recorded[shapes]
        inputs = [
            torch.zeros(shape, dtype=t.dtype, device=self._device)
            for shape, t in zip(shapes, tensors, strict=True)
        ]
        graph = torch.cuda.CUDAGraph()
        try:
            with _RECORDING:
                outputs = self._record(graph, inputs)
        except RuntimeError as error:
            self.usable = False
            self._recorded.clear()
            _log.info("the model looks at values while it runs and is called without a CUDA graph: %s", error)
            return None
        self._recorded[shapes] = _Recorded(graph, inputs, outputs)
        if len(self._recorded) > _MOST:
            self._recorded.popitem(last=False)
        return self._recorded[shapes]

    def _record(self, graph: torch.cuda.CUDAGraph, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        for _ in range(_WARM):
            self._call(inputs)
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
            return self._call(inputs)
