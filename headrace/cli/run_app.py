"""``headrace run-app``: run a Python program that was written for DeepStream, unmodified.

headrace run-app --assets ~/deepstream deepstream_test1.py /opt/nvidia/deepstream/deepstream/samples/streams/sample_720p.h264
"""  # noqa: E501 - a line to copy

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from headrace.cli._terminal import errors_in_a_line
from headrace.cli.env import environment
from headrace.errors import ConfigError

#: Everything behind the program belongs to it.
SETTINGS = {"context_settings": {"allow_interspersed_args": False, "ignore_unknown_options": True}}


def command(
    program: Annotated[Path, typer.Argument(metavar="APP", help="The program, a Python file.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGS]...", help="Its command line.")
    ] = None,
    assets: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder that stands for /opt/nvidia/deepstream/deepstream wherever the program names it; "
            "HEADRACE_ASSETS by default.",
        ),
    ] = None,
) -> None:
    """Run a program."""
    from headrace.compat.launch import run_program

    with errors_in_a_line(verbose=False):
        if assets is not None and not assets.is_dir():
            raise ConfigError(f"{assets} is no folder; headrace assets {assets} makes one")
        os.environ.update(environment(assets=assets))
        run_program(program, arguments or [])
