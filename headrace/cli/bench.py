"""``headrace bench``: what elements, views, decoders and rules cost, memory, start and the swap of models.

headrace bench elements
headrace bench elements memory startup --text report.md --json report.json
headrace bench live --streams 8 --fps 30 --model-ms 5
headrace bench gpu --streams 32,64 --batch 32 --seconds 20 --live
headrace bench track --detections DIR --results DIR --tracker cascade --gt DIR
"""

from __future__ import annotations

import json
import os
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from headrace.bench.gpu import GpuRun, PacedRun

_NULL_MODEL = "headrace.bench.nullmodel:NullModel"


class Part(str, Enum):
    """What can be measured."""

    elements = "elements"
    memory = "memory"
    startup = "startup"
    views = "views"
    swap = "swap"
    decoders = "decoders"
    secondary = "secondary"
    analytics = "analytics"
    live = "live"
    gpu = "gpu"
    track = "track"


def command(
    parts: Annotated[
        list[Part] | None,
        typer.Argument(
            metavar="PART...",
            help="elements, memory, startup, views, swap, decoders, secondary, analytics, live; all if left out. "
            "gpu, track.",
        ),
    ] = None,
    batch_sizes: Annotated[
        str, typer.Option(help="Batch sizes, and numbers of sources, to measure.")
    ] = "1,4,16",
    frames: Annotated[int, typer.Option(min=1, help="Frames of a run, over all sources.")] = 4000,
    repeats: Annotated[int, typer.Option(min=1, help="Rounds.")] = 5,
    swaps: Annotated[int, typer.Option(min=1, help="How often a model is replaced.")] = 20,
    live: Annotated[
        bool,
        typer.Option(
            help="elements: sources at 30 frames a second, not as fast as possible; gpu: 64 such besides."
        ),
    ] = False,
    cores: Annotated[int, typer.Option(min=0, help="Processor cores to use; 0 for all.")] = 0,
    model: Annotated[
        str, typer.Option(help="startup: model whose start is measured; live: model in place of a timed one.")
    ] = "",
    streams: Annotated[
        str, typer.Option(help="live: sources, 8 if left out; gpu: sources of each run, 32,64 if left out.")
    ] = "",
    batch: Annotated[int, typer.Option(min=1, help="gpu: frames in a batch.")] = 32,
    clip: Annotated[
        Path | None,
        typer.Option(metavar="FILE.mp4", help="gpu: a clip in H.264; one is rendered if left out."),
    ] = None,
    fps: Annotated[int, typer.Option(min=1, help="live: frames a second of each.")] = 30,
    seconds: Annotated[int, typer.Option(min=1, help="live, gpu: how long each load is measured.")] = 10,
    model_ms: Annotated[
        float, typer.Option(min=0, help="live: milliseconds of a call of the timed model.")
    ] = 5.0,
    detections: Annotated[
        Path | None, typer.Option(metavar="DIR", help="track: detections in MOT format, a SEQ.txt for each.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(metavar="DIR", help="track: where the results go, a SEQ.txt for each.")
    ] = None,
    gt: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="track: known truth, SEQ/gt/gt.txt; without it no scores."),
    ] = None,
    tracker: Annotated[str, typer.Option(help="track: name of the tracker.")] = "cascade",
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.yml", help="track: the tracker's settings.")
    ] = None,
    text: Annotated[
        Path | None, typer.Option(metavar="FILE.md", help="Write the report as Markdown, too.")
    ] = None,
    json_: Annotated[
        Path | None, typer.Option("--json", metavar="FILE.json", help="Write the report as JSON, too.")
    ] = None,
) -> None:
    """Measure and report."""
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    if detections is not None or Part.track in (parts or ()):
        _track(detections, results, gt, tracker, config, text)
        if parts == [Part.track]:
            return
    from headrace.bench.analytics import rule_costs
    from headrace.bench.cost import element_costs
    from headrace.bench.decoders import decoder_costs
    from headrace.bench.live import live_loads, live_runs
    from headrace.bench.machine import machine
    from headrace.bench.memory import memory_use
    from headrace.bench.report import Report
    from headrace.bench.secondary import secondary_throughput
    from headrace.bench.startup import startup_seconds
    from headrace.bench.swap import swap_costs
    from headrace.bench.views import view_costs

    wanted, sizes = set(parts or set(Part) - {Part.gpu}), _sizes(batch_sizes)
    where = machine()
    gpu, paced = (
        _gpu(clip, _sizes(streams or "32,64"), batch, seconds, repeats, live)
        if Part.gpu in wanted
        else ((), None)
    )
    report = Report(
        where,
        " ".join(["headrace", *sys.argv[1:]]),
        element_costs(sizes, frames, repeats, live, _progress) if Part.elements in wanted else (),
        memory_use(sizes) if Part.memory in wanted else (),
        startup_seconds(model or _NULL_MODEL, repeats) if Part.startup in wanted else None,
        view_costs(repeats) if Part.views in wanted else (),
        swap_costs(swaps, _progress) if Part.swap in wanted else None,
        decoder_costs(sizes, repeats, _progress) if Part.decoders in wanted else (),
        secondary_throughput(repeats, cores) if Part.secondary in wanted else (),
        rule_costs(repeats) if Part.analytics in wanted else (),
        live_runs(live_loads(_sizes(streams or "8")[0], fps, seconds, model_ms, model), _progress)
        if Part.live in wanted
        else (),
        gpu,
        paced,
    )
    typer.echo(report.text(), nl=False)
    if text is not None:
        text.write_text(report.text(), encoding="utf-8")
    if json_ is not None:
        json_.write_text(json.dumps(report.data(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _gpu(
    clip: Path | None, streams: list[int], batch: int, seconds: float, repeats: int, live: bool
) -> tuple[list[GpuRun], PacedRun | None]:
    """Measure on a GPU."""
    from headrace.bench.gpu import gpu_runs, paced_run
    from headrace.bench.gpu_clip import street_clip
    from headrace.errors import HeadraceError

    try:
        clip = street_clip() if clip is None else clip
        runs = gpu_runs(clip, streams, batch, seconds, repeats, _progress)
        return runs, paced_run(clip, max(streams), batch, seconds) if live else None
    except HeadraceError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def _track(
    detections: Path | None,
    results: Path | None,
    gt: Path | None,
    tracker: str,
    config: Path | None,
    text: Path | None,
) -> None:
    """Run a tracker over recorded detections."""
    from headrace.bench.track import bench_track
    from headrace.errors import ConfigError
    from headrace.track import TrackerOptions, read_configuration

    if detections is None or results is None:
        raise typer.BadParameter("track needs --detections DIR and --results DIR")
    try:
        options = TrackerOptions() if config is None else read_configuration(config).options
        report = bench_track(detections, results, tracker, options, gt)
    except ConfigError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(report.text(), nl=False)
    if text is not None:
        text.write_text(report.text(), encoding="utf-8")


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter("write numbers such as 1,4,16", param_hint="--batch-sizes") from error
    if min(sizes) < 1:
        raise typer.BadParameter("a batch has at least one frame", param_hint="--batch-sizes")
    return sizes


def _progress(text: str) -> None:
    typer.echo(text, err=True)
