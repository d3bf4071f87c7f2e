"""``headrace run``: detect and track in videos, cameras and scenes; write video, events and detections.

headrace run street.mp4 --model yolox_nano.onnx --out annotated.mp4 --detections found.jsonl
headrace run rtsp://camera/1 rtsp://camera/2 --model cats.py:Cats --events events.jsonl
headrace run --config run.yaml --confidence 0.4
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from headrace.cli._terminal import errors_in_a_line, set_up_logging
from headrace.flow.run.config import RunConfig, make_config


def _option(name: str, *, metavar: str | None = None) -> Any:
    """A command-line option for a field of `RunConfig`; not given means that file or default decides."""
    field = RunConfig.model_fields[name]
    default = (
        ""
        if field.is_required() or field.default_factory or not field.default
        else f" Default: {field.default}."
    )
    return typer.Option(
        f"--{name.replace('_', '-')}",
        metavar=metavar,
        help=f"{field.description}{default}",
        show_default=False,
    )


class _RunCommand(TyperCommand):
    """Lets ``--tiles`` stand without a value, in front of an input too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given = list(args)
        for index, word in enumerate(given):
            value = given[index + 1] if index + 1 < len(given) else ""
            if word == "--tiles" and not (
                value == "auto" or value.replace("@", "x").replace("x", "").isdigit()
            ):
                given[index] = "--tiles=auto"
        return super().parse_args(ctx, given)


SETTINGS = {"cls": _RunCommand}


def command(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="INPUT...", help=RunConfig.model_fields["inputs"].description),
    ] = None,
    model: Annotated[str | None, _option("model", metavar="M")] = None,
    labels: Annotated[str | None, _option("labels", metavar="FILE")] = None,
    confidence: Annotated[str | None, _option("confidence", metavar="0..1")] = None,
    nms: Annotated[str | None, _option("nms", metavar="0..1")] = None,
    engine: Annotated[str | None, _option("engine", metavar="NAME")] = None,
    decoder: Annotated[str | None, _option("decoder", metavar="NAME")] = None,
    preprocess: Annotated[str | None, _option("preprocess", metavar="'KEY=VALUE ...'")] = None,
    input_size: Annotated[str | None, _option("input_size", metavar="WxH")] = None,
    set: Annotated[list[str] | None, _option("set", metavar="PROPERTY=VALUE")] = None,
    tracker: Annotated[str | None, _option("tracker", metavar="NAME")] = None,
    out: Annotated[Path | None, _option("out", metavar="FILE.mp4")] = None,
    events: Annotated[Path | None, _option("events", metavar="FILE.jsonl")] = None,
    detections: Annotated[Path | None, _option("detections", metavar="FILE.jsonl")] = None,
    summary: Annotated[Path | None, _option("summary", metavar="FILE.json")] = None,
    tiles: Annotated[str | None, _option("tiles", metavar="[GRID]")] = None,
    batch_size: Annotated[int | None, _option("batch_size", metavar="N")] = None,
    decoder_threads: Annotated[int | None, _option("decoder_threads", metavar="N")] = None,
    seconds: Annotated[float | None, _option("seconds", metavar="S")] = None,
    profile: Annotated[bool | None, _option("profile")] = None,
    trace: Annotated[Path | None, _option("trace", metavar="FILE.json")] = None,
    live: Annotated[bool | None, _option("live")] = None,
    on_error: Annotated[str | None, _option("on_error", metavar="stop|drop|disable")] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", help="The same options from a file; the command line wins."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Tracebacks and reasons of drops.")
    ] = False,
) -> None:
    """Detect, track, draw and publish."""
    values = {name: value for name, value in locals().items() if name in RunConfig.model_fields}
    set_up_logging(verbose)
    with errors_in_a_line(verbose):
        settings = make_config({**values, "inputs": inputs or None, "set": set or None}, config)
        raise typer.Exit(_run(settings, verbose))


def _run(settings: RunConfig, verbose: bool) -> int:
    from headrace.cli._progress import show_summary
    from headrace.cli._running import carry_out, finish
    from headrace.flow.run.runner import Run

    report, code = carry_out(Run(settings), verbose)
    if report.error is None or verbose:
        show_summary(report, verbose)
    return finish(report, settings.summary, code, verbose)
