"""``headrace assets DIR``: models, clips and configurations under the names that DeepStream's programs look for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headrace.assets.writer import write_assets
from headrace.cli._terminal import err, errors_in_a_line, out, set_up_logging


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write; what is there stays.")],
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Length of the clips.")] = 10.0,
    force: Annotated[bool, typer.Option("--force", help="Write what is there already, too.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tracebacks.")] = False,
) -> None:
    """Render clips, derive models, write labels and configurations; no download, no GPU."""
    set_up_logging(verbose)
    with errors_in_a_line(verbose):
        write_assets(folder, seconds, force, lambda line: err.print(line, markup=False))
        out.print(f"complete; next: headrace run-app --assets {folder} PROGRAM", markup=False)
