"""What came of a run: counts, drops with their reasons, and where the time went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.elements.base.async_filter import AsyncFilter
from headrace.elements.base.filter import Filter
from headrace.elements.nvstreammux import StreamMux
from headrace.errors import HeadraceError
from headrace.flow.pipeline import Pipeline
from headrace.flow.run.probes import SourceTally, Tally
from headrace.flow.run.profile import Profile


@dataclass(frozen=True, slots=True)
class Drop:
    """Something that was dropped.

    Attributes:
        stage: Element that dropped it.
        reason: Why.
        count: How many frames; batches where ``unit`` says so.
        source: Source id, -1 for several.
        unit: ``frames`` or ``batches``.
    """

    stage: str
    reason: str
    count: int
    source: int = -1
    unit: str = "frames"


@dataclass(frozen=True, slots=True)
class StageTime:
    """Time that an element's own code took.

    Attributes:
        stage: Element.
        seconds: Sum.
        frames: Frames in that time.
        waits: Whether waiting for the model is included.
    """

    stage: str
    seconds: float
    frames: int
    waits: bool = False


@dataclass(frozen=True, slots=True)
class RunReport:
    """What was done, up to the error if there was one.

    Attributes:
        names: Inputs, without passwords.
        sources: Counts of each input, in their order.
        seconds: From the start to the end, loading the model included.
        startup: Seconds from the start to the first frame behind the tracker; ``None`` without one.
        steady_fps: Frames for each second from the first batch to the last: without loading the model and opening the
            inputs; 0 where there was one batch only.
        dropped: Frames that came in and did not get through model and tracker.
        drops: What is known of them.
        stages: Time by element.
        cpu_seconds: Processor time by part of the pipeline, decoders, engine and encoder included.
        profile: Where each millisecond of a frame went; ``None`` if nobody wanted to know.
        shadow: How far a candidate agreed with the model; empty without one.
        interrupted: Whether `Run.interrupt` ended it.
        error: What ended it early.
    """

    names: tuple[str, ...]
    sources: tuple[SourceTally, ...]
    seconds: float
    startup: float | None
    dropped: int
    steady_fps: float = 0.0
    drops: tuple[Drop, ...] = ()
    stages: tuple[StageTime, ...] = ()
    cpu_seconds: Mapping[str, float] = field(default_factory=dict)
    shadow: Mapping[str, Any] = field(default_factory=dict)
    profile: Profile | None = None
    interrupted: bool = False
    error: HeadraceError | None = None

    @property
    def frames(self) -> int:
        """Frames of all sources."""
        return sum(tally.frames for tally in self.sources)

    @property
    def objects(self) -> int:
        """Detections in them."""
        return sum(tally.objects for tally in self.sources)

    @property
    def fps(self) -> float:
        """Frames of all sources for each second."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, as ``--summary`` writes it."""
        tracks = [{label: len(ids) for label, ids in sorted(tally.tracks.items())} for tally in self.sources]
        return {
            "frames": self.frames,
            "seconds": round(self.seconds, 3),
            "fps": round(self.fps, 2),
            "dropped": self.dropped,
            "sources": [
                {"uri": name, "frames": tally.frames, "objects": tally.objects, "tracks": seen}
                for name, tally, seen in zip(self.names, self.sources, tracks, strict=True)
            ],
            "startup_seconds": None if self.startup is None else round(self.startup, 3),
            "steady_fps": round(self.steady_fps, 2),
            "drops": [
                {
                    "stage": d.stage,
                    "source": None if d.source < 0 else d.source,
                    "reason": d.reason,
                    d.unit: d.count,
                }
                for d in self.drops
            ],
            "stages": [
                {
                    "name": s.stage,
                    "ms_per_frame": round(1000 * s.seconds / max(s.frames, 1), 4),
                    "waits": s.waits,
                }
                for s in self.stages
            ],
            "cpu_seconds": dict(self.cpu_seconds),
            **({"shadow": dict(self.shadow)} if self.shadow else {}),
            **({"profile": self.profile.to_dict()} if self.profile is not None else {}),
            "interrupted": self.interrupted,
            "error": None if self.error is None else str(self.error),
        }


def received_frames(pipeline: Pipeline) -> dict[int, int]:
    """How many frames of each source came into the muxer."""
    mux = pipeline["mux"].element
    return (
        {source.index: source.next_number for source in mux.sources.values()}
        if isinstance(mux, StreamMux)
        else {}
    )


def dropped_frames(pipeline: Pipeline, tally: Tally) -> tuple[int, tuple[Drop, ...]]:
    """How many frames came into the muxer and did not reach the tally, and what is known of the reasons."""
    mux = pipeline["mux"].element
    lost = mux.batcher.drops if isinstance(mux, StreamMux) else {}
    drops = [Drop("mux", reason, count, source) for (source, reason), count in sorted(lost.items())]
    for element in _filters(pipeline):
        name = element.get_name()
        drops += [Drop(name, reason, count, unit="batches") for reason, count in element.dropped.items()]
    return max(sum(received_frames(pipeline).values()) - tally.frames, 0), tuple(drops)


def stage_times(pipeline: Pipeline) -> tuple[StageTime, ...]:
    """Time by element, in the order of the stream."""
    return tuple(
        StageTime(element.get_name(), element.busy_seconds, element.frames, isinstance(element, AsyncFilter))
        for element in _filters(pipeline)
        if element.frames
    )


def _filters(pipeline: Pipeline) -> list[Filter]:
    elements = (pipeline.gst.get_by_name(name) for name in ("infer", "tracker", "messages", "overlay"))
    return [element for element in elements if isinstance(element, Filter)]
