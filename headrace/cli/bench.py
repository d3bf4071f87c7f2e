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
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from headrace.cli import _bench_options as options
from headrace.cli._bench_options import Part
from headrace.cli._bench_parts import PARTS, Choices


def command(
    parts: options.Parts = None,
    batch_sizes: options.BatchSizes = "1,4,16",
    frames: options.Frames = 4000,
    repeats: options.Repeats = 5,
    swaps: options.Swaps = 20,
    live: options.Live = False,
    cores: options.Cores = 0,
    model: options.Model = "",
    streams: options.Streams = "",
    batch: options.Batch = 32,
    clip: options.Clip = None,
    fps: options.Fps = 30,
    seconds: options.Seconds = 0,
    sizes: options.Sizes = "",
    precision: options.Precision = "",
    engine: options.Engine = "",
    work: options.Work = None,
    peer: options.Peer = None,
    peers_dir: options.PeersDir = None,
    chart: options.Chart = None,
    model_ms: options.ModelMs = 5.0,
    detections: options.Detections = None,
    results: options.Results = None,
    gt: options.Truth = None,
    tracker: options.Tracker = "cascade",
    config: options.Config = None,
    text: options.Text = None,
    json_: options.Json = None,
) -> None:
    """Measure and report."""
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    if detections is not None or Part.track in (parts or ()):
        _track(detections, results, gt, tracker, config, text)
        if parts == [Part.track]:
            return
    choices = Choices(
        numbers(batch_sizes, "--batch-sizes"), frames, repeats, swaps, live, cores, model,
        numbers(streams, "--streams") if streams else [], batch, clip, fps, seconds, model_ms,
        [size(one) for one in sizes.split(",")] if sizes else [], precision.split(",") if precision else [],
        engine, work, dict(_peer(one) for one in peer or ()), peers_dir, _progress,
    )  # fmt: skip
    _measure(set(parts or set(Part) - options.ASKED_FOR), choices, chart, text, json_)


def _measure(
    parts: Set[Part], choices: Choices, chart: Path | None, text: Path | None, data: Path | None
) -> None:
    """Measure parts, in the order of `Part`, and write the report."""
    from headrace.bench.machine import machine
    from headrace.bench.report import Report

    where = machine()
    found: dict[str, Any] = {}
    with _errors_told():
        for part in Part:
            if part in parts and part.value in PARTS:
                found |= PARTS[part.value](choices)
        report = Report(where, " ".join(["headrace", *sys.argv[1:]]), **found)
        if chart is not None:
            report.write_chart(chart)
    _write(report.text(), text)
    if data is not None:
        data.write_text(json.dumps(report.data(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


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
    from headrace.track import TrackerOptions, read_configuration

    if detections is None or results is None:
        raise typer.BadParameter("track needs --detections DIR and --results DIR")
    with _errors_told():
        settings = TrackerOptions() if config is None else read_configuration(config).options
        report = bench_track(detections, results, tracker, settings, gt)
    _write(report.text(), text)


@contextmanager
def _errors_told() -> Iterator[None]:
    from headrace.errors import HeadraceError

    try:
        yield
    except HeadraceError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def _write(report: str, file: Path | None) -> None:
    typer.echo(report, nl=False)
    if file is not None:
        file.write_text(report, encoding="utf-8")


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
