"""The progress bar of a run and its summary."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from gi.repository import Gst
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from headrace.cli._profile import profile_table
from headrace.cli._terminal import err
from headrace.flow.run.report import RunReport
from headrace.flow.run.runner import Run
from headrace.source.sim import parse_sim_uri

_REFRESH = 0.2


class ProgressBar:
    """Shows frames, speed and how far the inputs are, while the ``with`` block runs; nothing without a terminal."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._refresh, name="headrace-progress", daemon=True)
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.fields[done]} frames"), BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.fields[speed]}"), TimeElapsedColumn(),
            console=err, transient=True,
        )  # fmt: skip
        self._lengths: dict[int, int] = {}

    def __enter__(self) -> ProgressBar:
        if err.is_terminal:
            self._task = self._progress.add_task("", total=None, done=0, speed="")
            self._progress.start()
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            self._stop.set()
            self._thread.join()
            self._progress.stop()

    def _refresh(self) -> None:
        tally = self._run.tally
        while not self._stop.wait(_REFRESH):
            elapsed = tally.last - tally.first if tally.first is not None else 0.0
            speed = f"{tally.frames / elapsed:.0f} frames/s" if elapsed > 0 else "starting"
            share = self._share()
            total = None if share is None else 1.0
            self._progress.update(
                self._task, completed=share or 0.0, total=total, done=tally.frames, speed=speed
            )

    def _share(self) -> float | None:
        """How far the inputs are on average, 0–1; ``None`` when the length of one is not known."""
        shares = []
        for index, name in enumerate(self._run.config.inputs):
            length = self._lengths.get(index) or self._length(index, name)
            if length <= 0:
                return None
            self._lengths[index] = length
            tally = self._run.tally.sources.get(index)
            shares.append(min(tally.last_pts / length, 1.0) if tally else 0.0)
        return sum(shares) / len(shares)

    def _length(self, index: int, name: str) -> int:
        if name.startswith("sim://"):
            options = parse_sim_uri(name)
            return int(options.frames / options.fps * Gst.SECOND)
        known, length = self._run.pipeline[f"source{index}"].element.query_duration(Gst.Format.TIME)
        return int(length) if known else 0


def show_summary(report: RunReport, verbose: bool = False) -> None:
    """The final lines: frames, speed, objects, drops, and where the time went."""
    for name, tally in zip(report.names, report.sources, strict=True):
        tracks = ", ".join(f"{len(ids)} {label}" for label, ids in sorted(tally.tracks.items()))
        err.print(
            f"{name}: {tally.frames} frames, {tally.objects} objects"
            + (f", tracks: {tracks}" if tracks else ""),
            markup=False,
        )
    startup = "" if report.startup is None else f", first frame after {report.startup:.1f} s"
    err.print(
        f"{report.frames} frames in {report.seconds:.1f} s: {report.fps:.1f} frames/s{startup}; "
        f"{report.objects} objects; {report.dropped} frames dropped",
        style="bold",
    )
    if report.shadow:
        err.print(_about_shadow(report.shadow), markup=False)
    if verbose:
        for drop in report.drops:
            source = f" of source {drop.source}" if drop.source >= 0 else ""
            err.print(
                f"  dropped at {drop.stage}: {drop.count} {drop.unit}{source}: {drop.reason}", markup=False
            )
    if report.profile is not None:
        err.print(profile_table(report.profile, report.names))
    err.print(time_table(report))


def _about_shadow(shadow: Mapping[str, Any]) -> str:
    """A line; the whole report is in the summary file."""
    if not shadow["batches"]:
        return f"shadow {shadow['shadow']}: nothing was compared"
    found = f", F1 {shadow['f1']:.3f}" if "f1" in shadow else ""
    labels = shadow.get("labels")
    named = f", the same label for {labels['same']} of {sum(labels.values())}" if labels else ""
    return (
        f"shadow {shadow['shadow']}: {shadow['pictures']} pictures compared with the model{found}{named}; "
        f"{shadow['shadow_ms']:.1f} ms per batch, the model {shadow['model_ms']:.1f} ms; "
        f"{shadow['not_compared']} batches not compared"
    )


def time_table(report: RunReport) -> Table:
    """Where the time went: of all processors by part of the pipeline, and within single elements."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("processor time of", "ms/frame", "seconds"):
        table.add_column(heading, justify="left" if "of" in heading else "right")
    for part, seconds in report.cpu_seconds.items():
        table.add_row(part, f"{1000 * seconds / max(report.frames, 1):.2f}", f"{seconds:.2f}")
    if report.profile is not None:
        return table  # which tells more of the elements
    if report.stages:
        table.add_row("[bold]time in element[/bold]")
    for stage in report.stages:
        name = f"{stage.stage} (with waiting for the model)" if stage.waits else stage.stage
        table.add_row(name, f"{1000 * stage.seconds / max(stage.frames, 1):.2f}", f"{stage.seconds:.2f}")
    return table
