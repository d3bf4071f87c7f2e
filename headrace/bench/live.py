"""Live sources: how old frames are when their metadata is there, what is dropped, and who gets a share."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from gi.repository import Gst

from headrace.bench.nullmodel import NullModel
from headrace.bench.statistics import in_ms
from headrace.flow import BatchMetadataOperator, Pipeline, Probe
from headrace.infer import FrameBatch
from headrace.meta.batch import BatchMetadata
from headrace.meta.detections import Detections

#: Milliseconds that metadata may come later than the model's time and the muxer's time-out explain.
ALLOWED = 5.0
#: How much slower than the sources the model is where the pipeline is over its capacity.
OVERLOAD = 3.0
_SIZE = (1280, 720)
_WARM_UP = 1  # seconds of the sources that are not measured
_MS = 1e3


@dataclass(frozen=True, slots=True)
class Load:
    """What is played.

    Attributes:
        name: What it is called.
        streams: Number of live sources, which are out of step.
        fps: Frames a second of each.
        seconds: How long is measured.
        model_ms: Milliseconds that a call of the model takes, without the interpreter.
        model: A model of the user's instead, as ``hrinfer`` takes it.
        busy: Whether another Python thread of the program computes all the time.
    """

    name: str
    streams: int = 8
    fps: int = 30
    seconds: int = 5
    model_ms: float = 5.0
    model: str = ""
    busy: bool = False

    @property
    def timeout_ms(self) -> float:
        """How long the muxer waits for a full batch: one frame's time."""
        return _MS / self.fps

    @property
    def over_capacity(self) -> bool:
        """Whether the timed model cannot keep up."""
        return not self.model and self.model_ms > _MS / self.fps

    @property
    def frames(self) -> int:
        """Frames of each source."""
        return (self.seconds + _WARM_UP) * self.fps

    def step(self, source: int) -> int:
        """Nanoseconds by which a source's frames come after those of the first; all together fill a frame's time."""
        return source * int(Gst.SECOND) // (self.fps * self.streams)


@dataclass(frozen=True, slots=True)
class Ages:
    """Milliseconds from a frame's capture until its metadata was there: median, 95th percentile, greatest."""

    median: float
    p95: float
    longest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Ages:
        """The ages of at least one frame."""
        return cls(*in_ms(seconds, (50, 95, 100)))

    def __str__(self) -> str:
        return f"{self.median:.1f} / {self.p95:.1f} / {self.longest:.1f}"


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What came of a load.

    Attributes:
        load: What was played.
        model_ms: Mean time of the model's calls, in ms.
        model: Ages of frames behind ``hrinfer``.
        tracker: Ages of frames behind ``nvtracker``.
        received: Frames that came into the muxer.
        processed: Frames whose metadata came out, of each source.
        dropped: Frames that were dropped, by source, stage and reason.
    """

    load: Load
    model_ms: float
    model: Ages
    tracker: Ages
    received: int
    processed: tuple[int, ...]
    dropped: tuple[tuple[int, str, str, int], ...]

    @property
    def allowed(self) -> float:
        """Milliseconds: 95 of 100 frames are to be younger while the model keeps up."""
        return self.model_ms + self.load.timeout_ms + ALLOWED

    @property
    def drops_by_reason(self) -> dict[str, int]:
        """Dropped frames of all sources, by stage and reason."""
        total: Counter[str] = Counter()
        for _, stage, reason, count in self.dropped:
            total[f"{stage}: {reason}"] += count
        return dict(total)

    @property
    def lost(self) -> int:
        """Frames that nobody accounts for: always 0."""
        return self.received - sum(self.processed) - sum(count for *_, count in self.dropped)


class TimedModel(NullModel):
    """The null model, but a call takes its time, and the interpreter is free meanwhile."""

    #: Set before a pipeline is made.
    seconds = 0.0

    def infer(self, frames: FrameBatch) -> list[Detections]:
        """The prepared boxes, later."""
        time.sleep(self.seconds)
        return super().infer(frames)


class _Watch(BatchMetadataOperator):
    """Notes the age of each frame that passes."""

    def __init__(self, load: Load, pipeline: Pipeline, infer: Any) -> None:
        self._load, self._pipeline, self._infer = load, pipeline, infer
        self.frames: Counter[int] = Counter()
        self.ages: list[float] = []
        self.model_seconds = 0.0

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        gst = self._pipeline.gst
        now = gst.get_clock().get_time() - gst.get_base_time()
        self.model_seconds = self._infer.inference.slot.mean_seconds or 0.0
        for frame in batch_meta.frames:
            self.frames[frame.source_id] += 1
            captured = frame.buffer_pts + self._load.step(frame.source_id)
            if captured >= _WARM_UP * Gst.SECOND:
                self.ages.append((now - captured) / Gst.SECOND)


def live_loads(streams: int, fps: int, seconds: int, model_ms: float, model: str = "") -> tuple[Load, ...]:
    """The load asked for, the same beside a busy thread and, with the timed model, one that is too much."""
    asked = Load("as asked", streams, fps, seconds, model_ms, model)
    busy = Load("beside a busy Python thread", streams, fps, seconds, model_ms, model, busy=True)
    if model:
        return asked, busy
    return asked, busy, Load("over capacity", streams, fps, seconds, OVERLOAD * _MS / fps)


def live_runs(loads: Sequence[Load], progress: Callable[[str], None] = lambda _: None) -> list[LiveRun]:
    """Play loads, one after the other, at their own pace.

    Raises:
        HeadraceError: The model cannot be used, or the pipeline failed.
    """
    runs = []
    for load in loads:
        progress(f"live: {load.streams} sources at {load.fps} frames a second, {load.name}")
        runs.append(live_run(load))
    return runs


def live_run(load: Load) -> LiveRun:
    """Play a load to its end.

    Raises:
        HeadraceError: The model cannot be used, or the pipeline failed.
    """
    TimedModel.seconds = load.model_ms / _MS
    pipeline = _pipeline(load)
    mux, infer = pipeline["mux"].element, pipeline["infer"].element
    found, tracked = (_Watch(load, pipeline, infer) for _ in range(2))
    pipeline.attach("infer", Probe("found", found)).attach("tracker", Probe("tracked", tracked))
    with _busy_thread() if load.busy else nullcontext():
        pipeline.start()
        pipeline.wait()
    drops = [(source, "mux", reason, n) for (source, reason), n in sorted(mux.batcher.drops.items())]
    return LiveRun(
        load,
        found.model_seconds * _MS,
        Ages.of(found.ages),
        Ages.of(tracked.ages),
        sum(source.next_number for source in mux.sources.values()),
        tuple(tracked.frames[source] for source in range(load.streams)),
        tuple(drops),
    )


def _pipeline(load: Load) -> Pipeline:
    width, height = _SIZE
    caps = f"video/x-raw,format=I420,width={width},height={height},framerate={load.fps}/1"
    properties = {"batch-size": load.streams, "batched-push-timeout": round(load.timeout_ms * 1000)}
    pipeline = Pipeline("live").add("nvstreammux", "mux", properties)
    for index in range(load.streams):
        source = {"pattern": 2, "num-buffers": load.frames, "is-live": True}
        pipeline.add("videotestsrc", f"source{index}", source)
        pipeline.add("capsfilter", f"caps{index}", {"caps": caps})
        # It would add the latency that videotestsrc tells, a frame's time, to every frame.
        step = load.step(index) - int(Gst.SECOND) // load.fps
        pipeline.add("clocksync", f"step{index}", {"ts-offset": step})
        pipeline.link(f"source{index}", f"caps{index}", f"step{index}")
        pipeline.link((f"step{index}", "mux"), ("", f"sink_{index}"))
    pipeline.add("hrinfer", "infer", {"model": load.model or "headrace.bench.live:TimedModel"})
    pipeline.add("nvtracker", "tracker").add("fakesink", "sink", {"sync": False})
    return pipeline.link("mux", "infer", "tracker", "sink")


@contextmanager
def _busy_thread() -> Iterator[None]:
    """A thread that computes in Python all the time."""
    end = threading.Event()

    def compute() -> None:
        while not end.is_set():
            sum(range(1000))

    thread = threading.Thread(target=compute, name="busy", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
