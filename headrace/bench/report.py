"""The report of the benchmarks, as Markdown and as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headrace.bench.analytics import OBJECTS as TRACKED
from headrace.bench.analytics import RuleCost
from headrace.bench.chart import write_chart
from headrace.bench.comparison import Comparison
from headrace.bench.cost import StageCost
from headrace.bench.decoders import CANDIDATES, DecoderCost
from headrace.bench.gpu import GpuRun, PacedRun
from headrace.bench.live import LiveRun
from headrace.bench.memory import MemoryUse
from headrace.bench.nullmodel import OBJECTS
from headrace.bench.secondary import Throughput
from headrace.bench.statistics import Spread
from headrace.bench.swap import ALLOWED, RATE, SOURCES, SwapReport
from headrace.bench.tables import table
from headrace.bench.tracking import OBJECTS as BOXES
from headrace.bench.tracking import TrackingCost
from headrace.bench.views import ViewCost


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, where and how; parts that were not asked for are empty.

    Attributes:
        machine: See `headrace.bench.machine.machine`.
        command: The command line.
        costs: CPU of the elements.
        memory: Resident memory.
        startup: Seconds of ``headrace run`` to its first frame.
        views: CPU of reading metadata in a probe.
        swap: Replacing a model while playing.
        decoders: Reading models' outputs.
        secondary: Objects and tiles, packed and one by one.
        analytics: Rules of analytics.
        live: Ages and drops of live sources.
        gpu: Pipelines on an NVIDIA GPU, and what decoder and network reach alone.
        paced: Live sources there.
        cpu: Headrace beside a loop written by hand.
        peers: Headrace beside other software.
        tracking: CPU of the tracker by itself, of boxes that move steadily and of boxes that flicker.
    """

    machine: dict[str, str]
    command: str
    costs: Sequence[StageCost] = ()
    memory: Sequence[MemoryUse] = ()
    startup: Spread | None = None
    views: Sequence[ViewCost] = ()
    swap: SwapReport | None = None
    decoders: Sequence[DecoderCost] = ()
    secondary: Sequence[Throughput] = ()
    analytics: Sequence[RuleCost] = ()
    live: Sequence[LiveRun] = ()
    gpu: Sequence[GpuRun] = ()
    paced: PacedRun | None = None
    cpu: Sequence[Comparison] = ()
    peers: Sequence[Comparison] = ()
    tracking: Sequence[TrackingCost] = ()

    def data(self) -> dict[str, Any]:
        """The report ready for JSON; spreads are median, low, high."""
        told = asdict(self)
        return {**told, **{name: [one.data() for one in getattr(self, name)] for name in ("cpu", "peers")}}

    def write_chart(self, path: Path) -> None:
        """Draw what was compared; see `headrace.bench.chart.write_chart`."""
        write_chart(path, [*self.cpu, *self.peers])

    def text(self) -> str:
        """The report as Markdown. Figures are ``median (least–greatest)``."""
        parts = [self._head()]
        if self.costs:
            parts.append(self._costs())
        if self.tracking:
            parts.append(_tracking(self.tracking))
        if self.memory:
            parts.append(self._memory())
        if self.startup is not None:
            parts.append(f"Start of `headrace run` to its first frame: {self.startup} s.")
        if self.views:
            parts.append(self._views())
        if self.swap is not None:
            parts += _swap(self.swap)
        if self.decoders:
            parts.append(self._decoders())
        if self.secondary:
            parts.append(_secondary(self.secondary))
        if self.analytics:
            parts.append(_analytics(self.analytics))
        if self.live:
            parts.append(_live(self.live))
        if self.gpu:
            parts.append(_gpu(self.gpu))
        if self.paced is not None:
            parts.append(_paced(self.paced))
        parts += [one.text() for one in (*self.cpu, *self.peers)]
        return "\n\n".join(parts) + "\n"

    def _head(self) -> str:
        where = ", ".join(f"{name} {value}" for name, value in self.machine.items())
        return f"`{self.command}`\n\n{where}"

    def _costs(self) -> str:
        rows = [
            (cost.batch_size, cost.stage, cost.own, cost.total, cost.total_per_batch) for cost in self.costs
        ]
        title = (
            f"CPU µs over the bare sources, {OBJECTS} objects a frame, null model; median (least–greatest):"
        )
        heads = (
            "batch",
            "stage",
            "stage alone, per frame",
            "chain so far, per frame",
            "chain so far, per batch",
        )
        return f"{title}\n\n{table(heads, rows)}"

    def _memory(self) -> str:
        rows = [(use.sources, use.before, use.after) for use in self.memory]
        return "Resident memory, MiB:\n\n" + table(
            ("sources", "after import", "highest, chain running"), rows
        )

    def _views(self) -> str:
        rows = [(cost.api, cost.objects, cost.per_object) for cost in self.views]
        title = "CPU µs of reading five fields of an object in a probe, iteration included:"
        return f"{title}\n\n{table(('API', 'objects in the batch', 'per object'), rows)}"

    def _decoders(self) -> str:
        sizes = sorted({cost.batch_size for cost in self.decoders})
        by_key = {(cost.decoder, cost.batch_size): cost for cost in self.decoders}
        rows = []
        for name in sorted({cost.decoder for cost in self.decoders}):
            costs = [by_key[name, size] for size in sizes]
            candidates = costs[0].candidates or "–"
            rows.append((name, candidates, *(c.decode for c in costs), *(c.whole for c in costs)))
        heads = ("decoder", "candidates", *(f"decode, batch {size}" for size in sizes))
        heads += tuple(f"with suppression and masks, batch {size}" for size in sizes)
        title = f"CPU µs of a frame for reading outputs on NumPy, {CANDIDATES} candidates where there are as many:"
        return f"{title}\n\n{table(heads, rows)}"


def _tracking(costs: Sequence[TrackingCost]) -> str:
    title = f"CPU µs of a frame that nvtracker alone takes, {BOXES} boxes a frame:"
    rows = [(cost.batch_size, cost.boxes, cost.per_frame) for cost in costs]
    return f"{title}\n\n{table(('batch', 'boxes', 'per frame'), rows)}"


def _gpu(runs: Sequence[GpuRun]) -> str:
    heads = (
        "streams",
        "batch",
        "decode alone",
        "preprocess + network alone",
        "pipeline with tracker",
        "over the lower",
        "objects a frame",
        "GPU memory, MiB",
        "host memory, MiB",
    )
    rows = [
        (r.streams, r.batch, r.decode, r.network, r.pipeline, r.ratio, f"{r.objects:.1f}", r.gpu, r.host)
        for r in runs
    ]
    return "Frames a second on the GPU, steady state; 1920x1080 H.264, network at 640x640:\n\n" + table(
        heads, rows
    )


def _paced(run: PacedRun) -> str:
    ages = " / ".join(f"{age:.1f}" for age in run.ages)
    dropped = ", ".join(f"{count} {reason}" for reason, count in run.dropped.items()) or "none"
    return (
        f"{run.streams} streams at {run.fps} frames a second: {run.frames} frames, dropped: {dropped}; from decoder to "
        f"metadata 50 / 95 / 99 %: {ages} ms; memory of the GPU {run.gpu} MiB, of the host {run.host} MiB."
    )


def _live(runs: Sequence[LiveRun]) -> str:
    heads = (
        "load",
        "model, ms",
        "allowed, ms",
        "age behind hrinfer: median / 95 % / longest, ms",
        "behind nvtracker",
        "frames in",
        "out, by source",
        "dropped",
        "lost",
    )
    rows = [
        (
            f"{run.load.streams} × {run.load.fps}/s, {run.load.name}",
            f"{run.model_ms:.1f}",
            "–" if run.load.over_capacity else f"{run.allowed:.1f}",
            run.model,
            run.tracker,
            run.received,
            f"{min(run.processed)}–{max(run.processed)}",
            ", ".join(f"{count} ({reason})" for reason, count in run.drops_by_reason.items()) or "0",
            run.lost,
        )
        for run in runs
    ]
    title = "Live sources, out of step with each other, into a muxer that waits for a frame's time at most:"
    return f"{title}\n\n{table(heads, rows)}"


def _swap(swap: SwapReport) -> list[str]:
    rows = [
        (name, gaps.batches, gaps.lost, gaps.disordered, *map("{:.1f}".format, gaps.in_ms), gaps.late)
        for name, gaps in (("without swaps", swap.quiet), ("with swaps", swap.swapping))
    ]
    limit = f"over {1000 / RATE + ALLOWED:.1f}"
    heads = ("", "batches", "frames lost", "out of order", "gap, median", "99 %", "longest", limit)
    changes = [(change.model, change.swaps, change.load, change.longest) for change in swap.changes]
    memory = ", ".join(f"{size:.0f} MiB after {number} swaps" for number, size in swap.memory.items())
    return [
        f"Swaps, {SOURCES} live sources at {RATE} frames a second in batches of {SOURCES}; gaps between batches at "
        "the output in ms:",
        table(heads, rows),
        "By the model that comes, ms:",
        table(("to", "swaps", "until at work, the old one closed", "longest gap"), changes),
        f"Resident: {memory}.",
    ]


def _secondary(cases: Sequence[Throughput]) -> str:
    title = "Pictures a second, four frames in a batch:"
    rows = [(one.case, one.packed, one.plain, "{:.2f} ({:.2f}–{:.2f})".format(*one.ratio)) for one in cases]
    return f"{title}\n\n{table(('', 'hrinfer, packed', 'plain loop', 'ratio'), rows)}"


def _analytics(costs: Sequence[RuleCost]) -> str:
    title = (
        f"CPU µs of a frame with {TRACKED} tracked objects, each rule over what all share; events in 30 s:"
    )
    return f"{title}\n\n{table(('rule', 'per frame', 'events'), [(c.rule, c.per_frame, c.events) for c in costs])}"
