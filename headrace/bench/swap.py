"""What replacing a model costs a live pipeline: frames lost, gaps in the output, time to load, memory."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headrace.bench.memory import resident
from headrace.bench.networks import write_detector
from headrace.bench.nullmodel import NullModel
from headrace.bench.statistics import Spread, in_ms
from headrace.errors import PipelineError
from headrace.flow import BatchMetadataOperator, Pipeline, Probe
from headrace.infer import FrameBatch
from headrace.infer.engines import available_engines
from headrace.meta.batch import BatchMetadata
from headrace.meta.detections import Detections

SOURCES, RATE = 4, 30
#: Milliseconds by which an output may come later than the batch interval.
ALLOWED = 5.0
#: Batches after a swap that belong to it.
_AFTER = 5
_PAUSE = 0.3  # seconds between swaps, beside the loading
_MS = 1e3
_LONG_AGO = (1e9, 1e9)


@dataclass(frozen=True, slots=True)
class Gaps:
    """Times from one batch at the output to the next, in ms, and what did not come out.

    Attributes:
        batches: Number of batches.
        lost: Frames that came in and not out.
        disordered: Frames that came out after a later one of their source.
        median: Median.
        high: 99th percentile.
        longest: The longest.
        late: How many were longer than a batch interval and `ALLOWED`.
    """

    batches: int
    lost: int
    disordered: int
    median: float
    high: float
    longest: float
    late: int

    @property
    def in_ms(self) -> tuple[float, float, float]:
        """Median, 99th percentile and longest."""
        return self.median, self.high, self.longest


@dataclass(frozen=True, slots=True)
class ModelChange:
    """All swaps to one model.

    Attributes:
        model: The model.
        swaps: How many.
        load: Milliseconds from the order until it is at work and the one before closed.
        longest: Longest gap in ms from the order to a few batches after, of each swap.
    """

    model: str
    swaps: int
    load: Spread
    longest: Spread


@dataclass(frozen=True, slots=True)
class SwapReport:
    """What `swap_costs` measured.

    Attributes:
        quiet: Gaps while nothing was replaced.
        swapping: Gaps while models were replaced.
        changes: By model.
        memory: Resident MiB after numbers of swaps.
    """

    quiet: Gaps
    swapping: Gaps
    changes: Sequence[ModelChange]
    memory: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Model:
    name: str
    model: str
    engine: str = "auto"


class Boxes(NullModel):
    """A class in Python that prepares its frames as models do, and returns the null model's boxes."""

    def infer(self, frames: FrameBatch) -> list[Detections]:
        """The prepared boxes."""
        frames.letterbox(320)
        return super().infer(frames)


class _Output(BatchMetadataOperator):
    """Times of the batches, and what is missing in them."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.frames = self.disordered = 0
        self._next: dict[int, int] = {}

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        self.times.append(time.perf_counter())
        for frame in batch_meta.frames:
            self.disordered += frame.frame_number < self._next.get(frame.source_id, 0)
            self._next[frame.source_id] = frame.frame_number + 1
            self.frames += 1

    @property
    def lost(self) -> int:
        """Frames whose number, given when they come into the muxer, has not come out although a later one has."""
        return sum(self._next.values()) - self.frames

    def start(self) -> tuple[int, int, int]:
        """Where a measurement begins."""
        return len(self.times), self.lost, self.disordered

    def since(self, start: tuple[int, int, int]) -> Gaps:
        """What came since then."""
        first, lost, disordered = start
        gaps = np.diff(self.times[first:])
        late = int((gaps * _MS > _MS / RATE + ALLOWED).sum())
        disordered = self.disordered - disordered
        return Gaps(len(gaps) + 1, self.lost - lost, disordered, *in_ms(gaps, (50, 99, 100)), late)


def swap_costs(
    swaps: int = 20, progress: Callable[[str], None] = lambda _: None, quiet: float = 5.0
) -> SwapReport:
    """Play four live scenes at 30 frames a second, and replace the model again and again.

    Args:
        swaps: How often.
        progress: Told what is being done.
        quiet: Seconds without swaps that are measured before, at least.

    Raises:
        HeadraceError: A model cannot be used, or the pipeline failed.
    """
    with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
        models = _models(Path(folder))
        output = _Output()
        pipeline = _pipeline(models[0], output)
        pipeline.start()
        try:
            _wait_for(output, 2 * RATE)
            return _measure(pipeline, output, models, swaps, progress, quiet)
        finally:
            pipeline.quit()
            pipeline.wait()


def _models(folder: Path) -> list[_Model]:
    small = write_detector(folder / "small.onnx", 320, ("person",))
    large = write_detector(folder / "large.onnx", 416, tuple(f"class {index}" for index in range(80)))
    for file in (small, large):
        os.utime(file, _LONG_AGO)  # a file that was just written would be watched for a second
    models = [
        _Model("320×320, 1 class, onnxruntime", str(small), "onnxruntime"),
        _Model("416×416, 80 classes, onnxruntime", str(large), "onnxruntime"),
    ]
    if "openvino" in available_engines():
        models.append(_Model("320×320, 1 class, OpenVINO", str(small), "openvino"))
    return [*models, _Model("class in Python", "headrace.bench.swap:Boxes")]


def _pipeline(first: _Model, output: _Output) -> Pipeline:
    pipeline = Pipeline("swap").add("nvstreammux", "mux", {"batch-size": SOURCES})
    for index in range(SOURCES):
        scene = f"sim://crossroad?seed={index}&objects=6&width=640&height=360&fps={RATE}&frames=-1"
        pipeline.add("hrsimsrc", f"source{index}", {"scene": scene, "is-live": True})
        pipeline.link((f"source{index}", "mux"), ("", f"sink_{index}"))
    pipeline.add("hrinfer", "model", {"model": first.model, "engine": first.engine})
    pipeline.add("fakesink", "sink", {"sync": False}).link("mux", "model", "sink")
    return pipeline.attach("model", Probe("output", output))


def _measure(
    pipeline: Pipeline,
    output: _Output,
    models: Sequence[_Model],
    swaps: int,
    progress: Callable[[str], None],
    least: float,
) -> SwapReport:
    order = list(itertools.islice(itertools.cycle([*models[1:], models[0]]), swaps))
    for model in order[
        : len(models)
    ]:  # what is imported or built for the first time is no part of the figures
        _swap(pipeline, output, model)
    progress("without swaps")
    start = output.start()
    time.sleep(max(swaps * _PAUSE, least))
    _wait_for(output, _AFTER)  # there are gaps even if the machine slept meanwhile
    quiet, start = output.since(start), output.start()
    memory, done = {}, []
    for number, model in enumerate(order, 1):
        time.sleep(_PAUSE)
        done.append((model.name, *_swap(pipeline, output, model)))
        if number in (1, 20, swaps):
            memory[number] = resident()
            progress(f"{number} swaps")
    _wait_for(output, _AFTER)
    changes = []
    for name in dict.fromkeys(model.name for model in order):
        own = [(load, longest) for changed, load, longest in done if changed == name]
        loads, gaps = zip(*own, strict=True)
        changes.append(ModelChange(name, len(own), Spread.of(loads), Spread.of(gaps)))
    return SwapReport(quiet, output.since(start), changes, memory)


def _swap(pipeline: Pipeline, output: _Output, model: _Model) -> tuple[float, float]:
    """Replace the model; milliseconds until that is done, and of the longest gap meanwhile."""
    first, started = len(output.times), time.perf_counter()
    node = pipeline["model"].set({"engine": model.engine})
    node.swap(model.model).result(60)
    load = time.perf_counter() - started
    _wait_for(output, _AFTER)
    return load * _MS, float(np.diff(output.times[first - 1 :]).max()) * _MS


def _wait_for(output: _Output, batches: int) -> None:
    end, wanted = time.monotonic() + 60, len(output.times) + batches
    while len(output.times) < wanted:
        if time.monotonic() > end:
            raise PipelineError(f"{batches} batches did not come within a minute")
        time.sleep(0.01)
