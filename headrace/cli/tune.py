"""``headrace tune``: find the best settings for a model and a clip on this machine, and write them to a YAML file.

headrace tune --model yolo11n.onnx --clip street.mp4 --streams 4
headrace tune --model yolo11n.onnx --clip street.mp4 --streams 8 --live --seconds 120
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from headrace.cli._terminal import INTERRUPTED, err, errors_in_a_line, out, set_up_logging
from headrace.cli._tuning import Progress, trial_table
from headrace.errors import ConfigError
from headrace.flow.run.config import RunConfig, load_config, make_config
from headrace.flow.run.files import LineFile
from headrace.tune import Goal, Search, Trials, axes_for, measured_lines, tuned_yaml

#: Trials that fit into the time, about: streaming is a third to half of a trial.
_TRIALS = 30
_GOALS = ("throughput", "latency")


def command(
    model: Annotated[
        str | None, typer.Option(metavar="M", help=RunConfig.model_fields["model"].description)
    ] = None,
    clip: Annotated[
        list[str] | None, typer.Option(metavar="C", help="A clip like what will be seen; may be repeated.")
    ] = None,
    streams: Annotated[
        int, typer.Option(metavar="N", min=0, help="Inputs at once; 0: one for each clip.")
    ] = 0,
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Treat clips as cameras: real time, the oldest frames dropped when late."
        ),
    ] = False,
    goal: Annotated[
        str,
        typer.Option(
            "--for", metavar="GOAL", help="throughput; latency, of live inputs, which is the default then."
        ),
    ] = "",
    precision: Annotated[
        str, typer.Option(metavar="TYPES", help="Number types that are allowed besides f32: bf16,f16.")
    ] = "bf16",
    tolerance: Annotated[
        float,
        typer.Option(
            metavar="0..1", min=0, max=1, help="Least F1 against float32 and the input as the file has it."
        ),
    ] = 0.98,
    seconds: Annotated[float, typer.Option(metavar="S", min=1, help="How long it may take.")] = 60.0,
    file: Annotated[
        Path,
        typer.Option("--out", metavar="FILE.yaml", help="Where the settings go, for headrace run --config."),
    ] = Path("tuned.yaml"),
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="Options of headrace run that stay as they are.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tracebacks.")] = False,
) -> None:
    """Find the best settings."""
    set_up_logging(verbose)
    with errors_in_a_line(verbose):
        sought = goal or ("latency" if live else "throughput")
        if sought not in _GOALS:
            raise ConfigError(f"--for {sought!r} is not known; use one of {', '.join(_GOALS)}")
        base = _base(model, clip, streams, live or sought == "latency", config)
        with LineFile(file) as written:
            raise typer.Exit(_tune(base, cast(Goal, sought), precision, tolerance, seconds, written))


def _base(
    model: str | None, clips: list[str] | None, streams: int, live: bool, config: Path | None
) -> dict[str, Any]:
    """Fields of `RunConfig` that stay as they are, checked."""
    base = load_config(config) if config is not None else {}
    if model is not None:
        base["model"] = model
    if clips:
        base["inputs"] = clips
    if live:
        base["live"] = True
    base["inputs"] = list(make_config(base).inputs)
    if streams:
        base["inputs"] = list(islice(cycle(base["inputs"]), streams))
    return base


def _tune(
    base: dict[str, Any], goal: Goal, precision: str, tolerance: float, seconds: float, file: LineFile
) -> int:
    axes = axes_for(
        base["model"],
        len(base["inputs"]),
        [name for name in precision.split(",") if name],
        bool(base.get("live")),
    )
    with tempfile.TemporaryDirectory(prefix="headrace-") as folder, _interruptible():
        trials = Trials(base, Path(folder), max(seconds / _TRIALS, 1.0), seconds)
        with Progress(seconds, goal) as progress:
            search = Search(axes, trials.measure, goal, tolerance, seconds, progress.told)
            progress.search = search
            best = search.run()
    out.print(trial_table(search, goal, best))
    for line in (measured := measured_lines(search, goal, best)):
        err.print(line, markup=False)
    file.write(tuned_yaml(best.setting.to_config(base), measured).encode())
    err.print(f"written to {file.path}: headrace run --config {file.path}", style="bold")
    return INTERRUPTED if search.interrupted else 0


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends the search; what was found so far is written."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
