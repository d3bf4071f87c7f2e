"""Where each millisecond of a frame went: spans of work in, steps with their times out."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.profiling import Key, Recorder, Span

#: The span that begins when a frame arrives, and the one that every frame has that came through.
FIRST, LAST = "mux: frame", "tally"
#: What a frame waits for in front of a step that another thread does.
_WAITS = {
    "mux: batch": "waiting for a full batch",
    "infer: submit": "waiting in the queue",
    "model": "waiting for the model",
    "preprocess": "waiting for the model",
    "infer: write": "waiting for its turn",
}
_HANDED_ON = "handed on by GStreamer"
_NS = 1e-6  # ms
#: Milliseconds below which waiting is no waiting, but the time that it takes to wake a thread.
_NO_WAIT = 0.02
#: Frames among which every step is found.
_ENOUGH = 1000


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds that something took, over all frames.

    Example:
        >>> Times.of([1.0, 3.0]).mean
        2.0
    """

    mean: float
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float] | NDArray[np.float64]) -> Times:
        """Of one value for each frame."""
        middle, high, higher = np.percentile(values, (50, 95, 99)).tolist()
        return cls(float(np.mean(values)), middle, high, higher)

    def to_dict(self) -> dict[str, float]:
        """Rounded, for JSON."""
        return {name: round(getattr(self, name), 4) for name in ("mean", "p50", "p95", "p99")}


@dataclass(frozen=True, slots=True)
class StepTimes:
    """A step on a frame's way.

    Attributes:
        name: What was done, or waited for.
        waiting: Whether nobody worked on the frame.
        wall: Milliseconds of a frame's time; frames of a batch wait together, so each has all of the batch's. A frame
            that skips the step has 0.
        cpu: Milliseconds of processor time for a frame, of the thread that did it: the batch's divided by its frames.
        busy: How many were at it at once, on average over the run; 1 where a thread never did anything else.
    """

    name: str
    waiting: bool
    wall: Times
    cpu: float = 0.0
    busy: float = 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the time of frames went, from arrival at the muxer to the end of the last step; start-up is left out.

    Attributes:
        frames: How many were looked at: the latest that came through.
        steps: In the order of a frame's way; their means add up to that of ``latency``.
        latency: Of all frames.
        sources: Latency of the frames of each source.

    Example:
        >>> Profile.of([]) is None
        True
    """

    frames: int
    steps: tuple[StepTimes, ...]
    latency: Times
    sources: Mapping[int, Times] = field(default_factory=dict)

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Profile | None:
        """Sum up what a `Recorder` noted; ``None`` where no frame has come through."""
        spans = list(spans)
        whole = {key: own for key, own in _by_frame(spans).items() if _came_through(own)}
        if not whole:
            return None
        parts = {key: _split(own) for key, own in whole.items()}
        latencies = {key: each[-1].end * _NS for key, each in parts.items()}
        by_source = defaultdict(list)
        for (source, _), value in latencies.items():
            by_source[source].append(value)
        sources = {source: Times.of(by_source[source]) for source in sorted(by_source)}
        return cls(len(whole), _steps(spans, parts), Times.of([*latencies.values()]), sources)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, milliseconds."""
        return {
            "frames": self.frames,
            "latency_ms": self.latency.to_dict(),
            "sources": [{"source": source, **times.to_dict()} for source, times in self.sources.items()],
            "steps": [
                {
                    "name": step.name, "waiting": step.waiting, **step.wall.to_dict(),
                    "cpu_ms": round(step.cpu, 4), "busy": round(step.busy, 4),
                }
                for step in self.steps
            ],
        }  # fmt: skip


def _by_frame(spans: Iterable[Span]) -> dict[Key, list[Span]]:
    found: dict[Key, list[Span]] = defaultdict(list)
    for span in spans:
        for key in span.frames:
            found[key].append(span)
    return found


def _came_through(spans: Sequence[Span]) -> bool:
    steps = {span.step for span in spans}
    return FIRST in steps and LAST in steps


class _Part(NamedTuple):
    """A piece of a frame's time: ns since its arrival."""

    name: str
    waiting: bool
    begin: int
    end: int


def _split(spans: Sequence[Span]) -> list[_Part]:
    """A frame's time from its first span to its last, by step; nothing is left out.

    Where spans lie within each other or run side by side, the time is that of the one that began last.
    """
    spans = sorted(spans, key=lambda span: span.begin)
    moments = sorted({moment for span in spans for moment in (span.begin, span.end)})
    parts = []
    for begin, end in itertools.pairwise(moments):
        at_work = [span for span in spans if span.begin <= begin and span.end >= end]
        name = at_work[-1].step if at_work else _gap(spans, begin)
        parts.append(_Part(name, not at_work, begin - moments[0], end - moments[0]))
    return parts


def _gap(spans: Sequence[Span], begin: int) -> str:
    """What a frame waits for from this moment on."""
    before = max((span for span in spans if span.end <= begin), key=lambda span: span.end)
    after = next(span for span in spans if span.begin > begin)
    if before.thread == after.thread:
        return _HANDED_ON
    return _WAITS.get(after.step, f"waiting for {after.step}")


def _steps(spans: Sequence[Span], parts: Mapping[Key, Sequence[_Part]]) -> tuple[StepTimes, ...]:
    elapsed = max(span.end for span in spans) - min(span.begin for span in spans)
    cpu, busy = _own_times(spans, parts)
    wall: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(parts)))
    waits = {part.name for own in parts.values() for part in own if part.waiting}
    for row, own in enumerate(parts.values()):
        for part in own:
            wall[part.name][row] += (part.end - part.begin) * _NS
    for name in waits - {_HANDED_ON}:
        if wall[name].mean() < _NO_WAIT:
            wall[_HANDED_ON] += wall.pop(name)
    return tuple(
        StepTimes(
            name, name in waits, Times.of(wall[name]), cpu[name] * _NS / len(parts), busy[name] / elapsed
        )
        for name in _in_order(parts.values())
        if name in wall
    )


def _in_order(frames: Iterable[Sequence[_Part]]) -> list[str]:
    """Steps in the order of the frame that has most of them, others behind; what is everywhere comes last."""
    order: dict[str, None] = {}
    for own in sorted(frames, key=lambda own: -len({part.name for part in own}))[:_ENOUGH]:
        length: dict[str, int] = defaultdict(int)
        moment: dict[str, float] = defaultdict(float)
        for name, _, begin, end in own:
            length[name] += end - begin
            moment[name] += (end - begin) * (end + begin) / 2
        order.update(dict.fromkeys(sorted(length, key=lambda name: moment[name] / max(length[name], 1))))
    order.pop(_HANDED_ON, None)
    return [*order, _HANDED_ON]


def _own_times(
    spans: Sequence[Span], whole: Mapping[Key, Any]
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Processor and wall time in ns by step, without that of steps within it; processor time of whole frames only."""
    cpu: dict[str, float] = defaultdict(float)
    busy: dict[str, float] = defaultdict(float)
    for span, within in _nested(spans):
        busy[span.step] += span.end - span.begin - sum(one.end - one.begin for one in within)
        share = sum(key in whole for key in span.frames) / max(len(span.frames), 1)
        cpu[span.step] += share * (span.cpu - sum(one.cpu for one in within))
    return cpu, busy


def _nested(spans: Sequence[Span]) -> Iterator[tuple[Span, list[Span]]]:
    """Each span with those right within it, on the same thread."""
    open_ones: dict[int, list[tuple[Span, list[Span]]]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: (span.begin, -span.end)):
        stack = open_ones[span.thread]
        while stack and stack[-1][0].end <= span.begin:
            yield stack.pop()
        if stack:
            stack[-1][1].append(span)
        stack.append((span, []))
    for stack in open_ones.values():
        yield from reversed(stack)


def chrome_trace(recorder: Recorder) -> dict[str, Any]:
    """What was recorded in the Trace Event Format of Chrome and Perfetto: a row for each thread.

    Example:
        >>> chrome_trace(Recorder())["traceEvents"]
        []
    """
    names = [
        {"ph": "M", "name": "thread_name", "pid": 1, "tid": thread, "args": {"name": name}}
        for thread, name in recorder.threads.items()
    ]
    spans = [
        {
            "ph": "X", "name": span.step, "pid": 1, "tid": span.thread, "ts": span.begin / 1000,
            "dur": (span.end - span.begin) / 1000,
            "args": {"frames": [f"source {source} frame {number}" for source, number in span.frames]},
        }
        for span in recorder.spans
    ]  # fmt: skip
    return {"traceEvents": [*names, *spans], "displayTimeUnit": "ms"}
