"""``headrace bench``: what elements, views, decoders and rules cost, memory, start and the swap of models.

headrace bench elements
headrace bench elements memory startup --text report.md --json report.json
headrace bench live --streams 8 --fps 30 --model-ms 5
headrace bench gpu --streams 32,64 --batch 32 --seconds 20 --live
headrace bench cpu --streams 1,4,8 --sizes 640x384 --chart cpu.png
headrace bench peers --peer ultralytics=/venv/bin/python --streams 4
headrace bench track --detections DIR --results DIR --tracker cascade --gt DIR
"""

from __future__ import annotations

import json
import os
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer


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
    cpu = "cpu"
    peers = "peers"
    track = "track"


#: Parts that take long, or need what is not there everywhere.
_ASKED_FOR = {Part.gpu, Part.cpu, Part.peers, Part.track}


def command(
    parts: Annotated[
        list[Part] | None,
        typer.Argument(
            metavar="PART...",
            help="elements, memory, startup, views, swap, decoders, secondary, analytics, live; all if left out. "
            "cpu, gpu, peers, track.",
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
        str,
        typer.Option(
            help="startup: model whose start is measured; live: model in place of a timed one; cpu, peers: an ONNX "
            "file like YOLOv8's, one is made if left out."
        ),
    ] = "",
    streams: Annotated[
        str,
        typer.Option(help="Sources. live: 8 if left out; gpu: of each run, 32,64; cpu: 1,4,8; peers: 1,4."),
    ] = "",
    batch: Annotated[int, typer.Option(min=1, help="gpu: frames in a batch.")] = 32,
    clip: Annotated[
        Path | None,
        typer.Option(metavar="FILE.mp4", help="gpu, cpu, peers: a clip; one is rendered if left out."),
    ] = None,
    fps: Annotated[int, typer.Option(min=1, help="live: frames a second of each.")] = 30,
    seconds: Annotated[
        int, typer.Option(min=0, help="How long a run is measured; live, gpu: 10 if left out; cpu, peers: 3.")
    ] = 0,
    sizes: Annotated[
        str, typer.Option(help="cpu: sizes of the network's input; 640x640,640x384,320x320 if left out.")
    ] = "",
    precision: Annotated[str, typer.Option(help="cpu: f32,bf16, or one of the two.")] = "",
    engine: Annotated[str, typer.Option(help="cpu: openvino or onnxruntime, of both sides.")] = "",
    work: Annotated[
        Path | None, typer.Option(metavar="DIR", help="cpu, peers: where clip and model are kept.")
    ] = None,
    peer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=PYTHON", help="peers: Python that has this library; may be repeated."),
    ] = None,
    peers_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="peers: virtual environments, named as the peers.")
    ] = None,
    chart: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="cpu, peers: draw frames a second as bars.")
    ] = None,
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
    from headrace.bench.machine import machine
    from headrace.bench.report import Report
    from headrace.cli._bench_parts import PARTS, Choices
    from headrace.errors import HeadraceError

    choices = Choices(
        numbers(batch_sizes, "--batch-sizes"), frames, repeats, swaps, live, cores, model,
        numbers(streams, "--streams") if streams else [], batch, clip, fps, seconds, model_ms,
        [size(one) for one in sizes.split(",")] if sizes else [], precision.split(",") if precision else [],
        engine, work, dict(_peer(one) for one in peer or ()), peers_dir, _progress,
    )  # fmt: skip
    where = machine()
    found: dict[str, Any] = {}
    try:
        for name in Part:
            if name.value in PARTS and name in (parts or set(Part) - _ASKED_FOR):
                found |= PARTS[name.value](choices)
        report = Report(where, " ".join(["headrace", *sys.argv[1:]]), **found)
        if chart is not None:
            report.write_chart(chart)
    except HeadraceError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(report.text(), nl=False)
    if text is not None:
        text.write_text(report.text(), encoding="utf-8")
    if json_ is not None:
        json_.write_text(json.dumps(report.data(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


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


def numbers(text: str, option: str) -> list[int]:
    """Positive numbers with commas between them."""
    try:
        values = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter("write numbers such as 1,4,16", param_hint=option) from error
    if min(values) < 1:
        raise typer.BadParameter("a batch has at least one frame", param_hint=option)
    return values


def size(text: str) -> tuple[int, int]:
    """Width and height."""
    width, by, height = text.partition("x")
    if not (by and width.isdigit() and height.isdigit()):
        raise typer.BadParameter("write sizes such as 640x640,640x384", param_hint="--sizes")
    return int(width), int(height)


def _peer(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise typer.BadParameter("write for example ultralytics=/venv/bin/python", param_hint="--peer")
    return name, Path(path)


def _progress(text: str) -> None:
    typer.echo(text, err=True)
