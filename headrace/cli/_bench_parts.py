"""The parts of ``headrace bench``: each a function from what was chosen to fields of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Found = dict[str, Any]

_NULL_MODEL = "headrace.bench.nullmodel:NullModel"
_LIVE_SECONDS, _RUN_SECONDS = 10, 3


@dataclass(frozen=True)
class Choices:
    """The options of the command; empty lists, 0 and "" leave the choice to the part."""

    batch_sizes: Sequence[int]
    frames: int
    repeats: int
    swaps: int
    live: bool
    cores: int
    model: str
    streams: Sequence[int]
    batch: int
    clip: Path | None
    fps: int
    seconds: int
    model_ms: float
    sizes: Sequence[tuple[int, int]]
    precisions: Sequence[str]
    engine: str
    work: Path | None
    peers: Mapping[str, Path]
    peers_dir: Path | None
    progress: Callable[[str], None]


def _elements(chosen: Choices) -> Found:
    from headrace.bench.cost import element_costs
    from headrace.bench.tracking import tracking_costs

    sizes, frames, repeats = chosen.batch_sizes, chosen.frames, chosen.repeats
    return {
        "costs": element_costs(sizes, frames, repeats, chosen.live, chosen.progress),
        "tracking": tracking_costs(sizes, frames, repeats),
    }


def _memory(chosen: Choices) -> Found:
    from headrace.bench.memory import memory_use

    return {"memory": memory_use(chosen.batch_sizes)}


def _startup(chosen: Choices) -> Found:
    from headrace.bench.startup import startup_seconds

    return {"startup": startup_seconds(chosen.model or _NULL_MODEL, chosen.repeats)}


def _views(chosen: Choices) -> Found:
    from headrace.bench.views import view_costs

    return {"views": view_costs(chosen.repeats)}


def _swap(chosen: Choices) -> Found:
    from headrace.bench.swap import swap_costs

    return {"swap": swap_costs(chosen.swaps, chosen.progress)}


def _decoders(chosen: Choices) -> Found:
    from headrace.bench.decoders import decoder_costs

    return {"decoders": decoder_costs(chosen.batch_sizes, chosen.repeats, chosen.progress)}


def _secondary(chosen: Choices) -> Found:
    from headrace.bench.secondary import secondary_throughput

    return {"secondary": secondary_throughput(chosen.repeats, chosen.cores)}


def _analytics(chosen: Choices) -> Found:
    from headrace.bench.analytics import rule_costs

    return {"analytics": rule_costs(chosen.repeats)}


def _live(chosen: Choices) -> Found:
    from headrace.bench.live import live_loads, live_runs

    streams, seconds = (chosen.streams or (8,))[0], chosen.seconds or _LIVE_SECONDS
    loads = live_loads(streams, chosen.fps, seconds, chosen.model_ms, chosen.model)
    return {"live": live_runs(loads, chosen.progress)}


def _gpu(chosen: Choices) -> Found:
    from headrace.bench.clips import bench_clip
    from headrace.bench.gpu import gpu_runs, paced_run

    clip = chosen.clip or bench_clip(seconds=10, kbits=0)
    streams = list(chosen.streams or (32, 64))
    seconds = chosen.seconds or _LIVE_SECONDS
    runs = gpu_runs(clip, streams, chosen.batch, seconds, chosen.repeats, chosen.progress)
    return {
        "gpu": runs,
        "paced": paced_run(clip, max(streams), chosen.batch, seconds) if chosen.live else None,
    }


def _cpu(chosen: Choices) -> Found:
    from headrace.bench.cpu import CpuOptions, cpu_speed

    usual = CpuOptions()
    options = CpuOptions(
        Path(chosen.model) if chosen.model else None,
        chosen.clip,
        chosen.streams or usual.streams,
        chosen.sizes or usual.sizes,
        chosen.precisions or usual.precisions,
        chosen.repeats,
        chosen.seconds or _RUN_SECONDS,
        chosen.work,
        chosen.engine,
    )
    return {"cpu": cpu_speed(options, chosen.progress)}


def _peers(chosen: Choices) -> Found:
    from headrace.bench.cpu import CpuOptions
    from headrace.bench.peer_speed import peer_speed

    options = CpuOptions(
        Path(chosen.model) if chosen.model else None,
        chosen.clip,
        chosen.streams or (1, 4),
        repeats=chosen.repeats,
        seconds=chosen.seconds or _RUN_SECONDS,
        work=chosen.work,
        engine=chosen.engine,
    )
    return {"peers": peer_speed(options, chosen.peers, chosen.peers_dir, chosen.progress)}


#: By name of the part.
PARTS: Mapping[str, Callable[[Choices], Found]] = {
    "elements": _elements, "memory": _memory, "startup": _startup, "views": _views, "swap": _swap,
    "decoders": _decoders, "secondary": _secondary, "analytics": _analytics, "live": _live, "gpu": _gpu,
    "cpu": _cpu, "peers": _peers,
}  # fmt: skip
