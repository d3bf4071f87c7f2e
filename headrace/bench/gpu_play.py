"""A pipeline that is played for a while: frames a second, memory, and how old frames are, of the steady state."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from gi.repository import Gst

from headrace.bench.memory import resident
from headrace.errors import PipelineError
from headrace.gst import payload

#: Seconds that do not count.
WARM = 2.0
_LOOK = 0.25  # seconds between looks at counters and memory
_START = 120.0  # seconds without a frame: to load, compile and record
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class MemorySlope:
    """Memory of a steady state, in MiB: its highest, and what it grows by in a minute."""

    highest: float
    per_minute: float

    @classmethod
    def of(cls, samples: Sequence[tuple[float, float]]) -> MemorySlope:
        """Of pairs of seconds and MiB."""
        times, sizes = np.array(samples).T
        slope = float(np.polyfit(times, sizes, 1)[0]) * 60 if len(samples) > 2 else 0.0
        return cls(float(sizes.max()), slope)

    def __str__(self) -> str:
        return f"{self.highest:.0f} ({self.per_minute:+.1f} a minute)"


@dataclass(frozen=True, slots=True)
class Played:
    """A steady state.

    Attributes:
        fps: Frames a second.
        frames: Frames in all.
        objects: Objects of these frames.
        dropped: Frames that were dropped since the start, by reason.
        gpu: Memory of the GPU.
        host: Memory of this process.
    """

    fps: float
    frames: int
    objects: int
    dropped: Counter[str]
    gpu: MemorySlope
    host: MemorySlope


class Play:
    """A pipeline that is played for a while; counts frames, without Python where there are no batches.

    Args:
        line: With ``fakesink``s named ``sink…``, the batches of a pipeline going to ``sink``.
    """

    def __init__(self, line: str) -> None:
        self._pipeline = Gst.parse_launch(line)
        self._seen = (0, 0)  # frames and objects, replaced together: who measures is another thread
        self.ages: list[float] = []
        self._begun: dict[tuple[int, int], float] = {}
        self._steady = False
        whole = self._pipeline.get_by_name("sink")
        if whole is not None:
            whole.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, self._batch)
        names = [element.get_name() for element in self._pipeline.iterate_elements()]
        self._sinks = [self._pipeline.get_by_name(name) for name in names if name.startswith("sink_")]

    def pace(self, streams: int) -> None:
        """Let the streams be live, and note when each frame comes out of its decoder."""
        for index in range(streams):
            paced = self._pipeline.get_by_name(f"pace{index}").get_static_pad("src")
            paced.add_probe(Gst.PadProbeType.QUERY_UPSTREAM, _say_live)
            out = self._pipeline.get_by_name(f"decoded{index}").get_static_pad("src")
            out.add_probe(Gst.PadProbeType.BUFFER, self._decoded, index)

    def _decoded(self, _pad: Gst.Pad, info: Gst.PadProbeInfo, index: int) -> Gst.PadProbeReturn:
        self._begun[index, info.get_buffer().pts] = time.perf_counter()
        return Gst.PadProbeReturn.OK

    def _batch(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        meta = cast(Any, payload.find(hash(info.get_buffer()))).meta
        now = time.perf_counter()
        frames, objects = self._seen
        for frame in meta.frames:
            objects += frame.n_objects
            begun = self._begun.pop((frame.pad_index, frame.buffer_pts), None) if self._begun else None
            if begun is not None and self._steady:
                self.ages.append(now - begun)
        self._seen = frames + len(meta.frames), objects
        return Gst.PadProbeReturn.OK

    def _counts(self) -> tuple[int, int]:
        """Frames and objects so far."""
        if not self._sinks:
            return self._seen
        return sum(sink.get_property("stats").get_uint64("rendered").value for sink in self._sinks), 0

    def measure(self, seconds: float) -> Played:
        """Play, and measure the steady state.

        Raises:
            PipelineError: The pipeline failed or ended, or no frame came for two minutes.
        """
        try:
            self._pipeline.set_state(Gst.State.PLAYING)
            self._wait(0.0, [], [])
            self._wait(WARM, [], [])
            self._steady = True
            gpu: list[tuple[float, float]] = []
            host: list[tuple[float, float]] = []
            began, before = time.perf_counter(), self._counts()
            self._wait(seconds, gpu, host)
            passed, after = time.perf_counter() - began, self._counts()
            mux = self._pipeline.get_by_name("mux")
            dropped: Counter[str] = Counter()
            # A list at once: the streams go on and add to it.
            for (_, reason), number in list(mux.batcher.drops.items()) if mux is not None else ():
                dropped[reason] += number
            frames, objects = (number - earlier for number, earlier in zip(after, before, strict=True))
            return Played(
                frames / passed, frames, objects, dropped, MemorySlope.of(gpu), MemorySlope.of(host)
            )
        finally:
            self._pipeline.set_state(Gst.State.NULL)

    def _wait(self, seconds: float, gpu: list[tuple[float, float]], host: list[tuple[float, float]]) -> None:
        """Wait so long, and on until a frame has come; notes how much memory is in use meanwhile."""
        began, (frames, _), passed = time.perf_counter(), self._counts(), 0.0
        while passed < seconds or self._counts()[0] == frames:
            self._look()
            passed = time.perf_counter() - began
            gpu.append((passed, _gpu_used()))
            host.append((passed, resident()))
            if passed > seconds + _START:
                raise PipelineError(f"no frame came within {passed:.0f} s", "bench gpu", "")

    def _look(self) -> None:
        kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = self._pipeline.get_bus().timed_pop_filtered(int(_LOOK * Gst.SECOND), kinds)
        if message is None:
            return
        if message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            raise PipelineError(error.message, message.src.get_name(), debug)
        raise PipelineError("the clip ended before the measurement", "bench gpu", "")


def _say_live(_pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
    query = info.get_query()
    if query is None or query.type != Gst.QueryType.LATENCY:
        return Gst.PadProbeReturn.OK
    query.set_latency(True, 0, Gst.CLOCK_TIME_NONE)
    return Gst.PadProbeReturn.HANDLED


def _gpu_used() -> float:
    """MiB of the GPU's memory that are in use, by whomever."""
    import torch

    free, total = torch.cuda.mem_get_info()
    return float(total - free) / _MIB
