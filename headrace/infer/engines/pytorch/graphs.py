"""CUDA graphs: what a module does on the GPU, recorded for a size of batch and replayed, two batches at a time."""

from __future__ import annotations

import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import LifoQueue
from typing import Any, TypeAlias

import torch
from numpy.typing import NDArray

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

_Tensors: TypeAlias = Sequence[torch.Tensor]
#: Number type and order in memory of the inputs.
Types: TypeAlias = Sequence[tuple[torch.dtype, torch.memory_format]]
#: The work of a module, and what is made of its outputs on the device.
Call: TypeAlias = Callable[[_Tensors], list[torch.Tensor]]
Finish: TypeAlias = Callable[[list[torch.Tensor]], torch.Tensor]


@dataclass(slots=True)
class _Recorded:
    """A run for a shape: its inputs, and what a replay writes; without a graph it is called each time."""

    inputs: list[torch.Tensor]
    outputs: list[torch.Tensor]
    finished: torch.Tensor | None
    host: torch.Tensor | None
    graph: torch.cuda.CUDAGraph | None


class Turn:
    """Lets replays of several streams come one after the other: two networks at once only slow each other down.

    What is not replayed, such as the filling of inputs and the fetching of results, goes on beside it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: torch.cuda.Event | None = None
        self.enabled = True

    def replay(self, graph: torch.cuda.CUDAGraph, stream: torch.cuda.Stream) -> None:
        """Queue a replay on a stream, after the one that was queued before."""
        with self._lock:
            if self._last is not None and self.enabled:
                stream.wait_event(self._last)
            graph.replay()
            self._last = stream.record_event()


class CudaSlot:
    """A stream of the device with the recordings made for it; used by one thread at a time.

    Recordings of one slot share their memory, because they never run at the same time.

    Args:
        call: Tensors on the device in, tensors out; the number of outputs is always the same.
        device: A CUDA device.
        turn: Shared by slots of one module.
    """

    def __init__(self, call: Call, device: torch.device, turn: Turn) -> None:
        self._call, self._device, self._turn = call, device, turn
        idle = _idle_streams.setdefault(device, [])
        try:
            self.stream = idle.pop()
        except IndexError:
            self.stream = torch.cuda.Stream(device)
        weakref.finalize(self, idle.append, self.stream)
        self._pool = torch.cuda.graph_pool_handle()
        self._done = torch.cuda.Event(blocking=True)  # the waiting thread sleeps
        self._recorded: OrderedDict[tuple[Any, ...], _Recorded] = OrderedDict()

    def recorded(
        self, shapes: Sequence[torch.Size], types: Types, finish: Finish | None, graph: bool
    ) -> _Recorded:
        """The recording for inputs of these shapes and types, made if there is none; on the slot's stream.

        A module that cannot be recorded, because it looks at values while it runs, has none with a graph.
        """
        key = (*shapes, *types, finish)
        found = self._recorded.pop(key, None)
        if found is None:
            if len(self._recorded) >= _MOST:
                self.wait()  # the oldest may be running
                self._recorded.popitem(last=False)
            found = self._record(shapes, types, finish, graph)
        self._recorded[key] = found
        return found

    def replay(self, recorded: _Recorded, finish: Finish | None) -> None:
        """Do again what was recorded, queued on the slot's stream."""
        if recorded.graph is not None:
            self._turn.replay(recorded.graph, self.stream)
        else:
            recorded.outputs, recorded.finished = self._work(recorded.inputs, finish)
        if recorded.host is not None and recorded.finished is not None:
            recorded.host.copy_(recorded.finished, non_blocking=True)

    def wait(self) -> None:
        """Wait for what was queued on the stream; releases the GIL."""
        self._done.record(self.stream)
        self._done.synchronize()

    def _work(
        self, inputs: _Tensors, finish: Finish | None
    ) -> tuple[list[torch.Tensor], torch.Tensor | None]:
        outputs = self._call(inputs)
        return outputs, None if finish is None else finish(outputs)

    def _record(
        self, shapes: Sequence[torch.Size], types: Types, finish: Finish | None, graph: bool
    ) -> _Recorded:
        inputs = [
            torch.zeros(shape, dtype=kind, device=self._device).to(memory_format=order)
            for shape, (kind, order) in zip(shapes, types, strict=True)
        ]
        with _RECORDING:
            for _ in range(_WARM):
                outputs, finished = self._work(inputs, finish)
            # Before recording: memory cannot be pinned while that goes on.
            host = None if finished is None else torch.empty_like(finished, device="cpu", pin_memory=True)
            made = _Recorded(inputs, outputs, finished, host, None)
            if graph:
                self._capture(made, finish)
        return made

    def _capture(self, made: _Recorded, finish: Finish | None) -> None:
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self.stream, capture_error_mode="thread_local"
            ):
                made.outputs, made.finished = self._work(made.inputs, finish)
        except RuntimeError as error:
            _log.info("the model looks at values while it runs and is called without a CUDA graph: %s", error)
        else:
            made.graph = graph


class HeldSlot:
    """A slot in somebody's hands; see `headrace.infer.engines.slots.Slot`."""

    def __init__(
        self, slot: CudaSlot, recorded: _Recorded, rows: int, names: list[str], finish: Finish | None
    ) -> None:
        self._slot, self._recorded, self._rows, self._names, self._finish = (
            slot,
            recorded,
            rows,
            names,
            finish,
        )
        self.input = recorded.inputs[0]

    def run(self) -> NDArray[Any] | None:
        """See `Slot.run`."""
        self._slot.replay(self._recorded, self._finish)
        if self._recorded.host is None:
            return None
        self._slot.wait()
        table: NDArray[Any] = self._recorded.host.numpy()
        return table

    def outputs(self) -> dict[str, torch.Tensor]:
        """See `Slot.outputs`."""
        cut = (_cut(tensor, self._rows, self.input.shape[0]) for tensor in self._recorded.outputs)
        return {name: single(tensor) for name, tensor in zip(self._names, cut, strict=True)}


class CudaGraphs:
    """Calls a module by replaying what it did before; callable from any thread.

    Args:
        call: Tensors on the device in, tensors out; the number of outputs is always the same.
        device: A CUDA device.
        batches: Whether the first axis of the inputs is a batch of any size: then it is filled up to the next power of
            two, and cut off the outputs again.
        slots: Calls that are under way at the same time, each on a stream of its own.

    Attributes:
        usable: Whether the module could be recorded so far.
    """

    def __init__(self, call: Call, device: torch.device, batches: bool, slots: int = 2) -> None:
        self._device, self._batches, self.usable = device, batches, True
        # The last in is the first out: whoever calls from one thread has the recordings of one slot only.
        self._free: LifoQueue[CudaSlot] = LifoQueue()
        self.turn = Turn()
        for _ in range(slots):
            self._free.put(CudaSlot(call, device, self.turn))

    def run(self, tensors: _Tensors, types: Types) -> list[torch.Tensor]:
        """Outputs for inputs of any place in memory; new tensors on the device, for use on the current stream.

        Args:
            tensors: The inputs.
            types: As what the module takes them.
        """
        rows = tensors[0].shape[0]
        with self._taken() as slot:
            current = torch.cuda.current_stream()
            slot.stream.wait_stream(current)
            with torch.cuda.stream(slot.stream):
                recorded = self._recorded(slot, [t.shape for t in tensors], types, None)
                for held, given in zip(recorded.inputs, tensors, strict=True):
                    (held[:rows] if self._batches else held).copy_(given)
                slot.replay(recorded, None)
                size = recorded.inputs[0].shape[0]
                cut = [_cut(t, rows, size) if self._batches else t for t in recorded.outputs]
                outputs = [single(tensor).clone() for tensor in cut]
            current.wait_stream(slot.stream)
        for tensor, stream in (*((t, current) for t in outputs), *((t, slot.stream) for t in tensors)):
            if tensor.is_cuda:
                tensor.record_stream(stream)
        return outputs

    @contextmanager
    def slot(
        self, shape: torch.Size, types: Types, names: list[str], finish: Finish | None
    ) -> Iterator[HeldSlot]:
        """A slot whose input has at least the rows of a shape; see `SlotEngine.slot`."""
        with self._taken() as slot, torch.cuda.stream(slot.stream):
            try:
                recorded = self._recorded(slot, [shape], types, finish)
                yield HeldSlot(slot, recorded, shape[0], names, finish)
            finally:
                slot.wait()  # what the GPU reads may go now, whatever happened

    @contextmanager
    def _taken(self) -> Iterator[CudaSlot]:
        slot = self._free.get()
        try:
            with torch.cuda.device(self._device):
                yield slot
        finally:
            self._free.put(slot)

    def _recorded(
        self, slot: CudaSlot, shapes: Sequence[torch.Size], types: Types, finish: Finish | None
    ) -> _Recorded:
        if self._batches:
            rows = 1 << (shapes[0][0] - 1).bit_length()
            shapes = [torch.Size((rows, *shape[1:])) for shape in shapes]
        recorded = slot.recorded(shapes, types, finish, self.usable)
        self.usable &= recorded.graph is not None
        return recorded


def _cut(tensor: torch.Tensor, rows: int, size: int) -> torch.Tensor:
    """An output without the rows that fill the batch up."""
    return tensor[:rows] if tensor.shape[:1] == (size,) else tensor


def single(tensor: torch.Tensor) -> torch.Tensor:
    """16 bits as 32; others as they are."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
