"""``headrace report``: a page of charts from the messages of analytics events.

headrace report events.jsonl
headrace report events.jsonl --still frame.png --out report.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headrace.cli._terminal import err, errors_in_a_line, out
from headrace.paths import resolve


def command(
    events: Annotated[
        Path, typer.Argument(metavar="EVENTS.jsonl", help="What nvmsgbroker wrote, one message a line.")
    ],
    out_file: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.html", help="The page; beside the events where it is left out."),
    ] = None,
    still: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Picture or video, to lay the heat map over its first frame."),
    ] = None,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Analytics",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tracebacks.")] = False,
) -> None:
    """Write the page."""
    from headrace.analytics.report import page, read_events, read_still

    target = out_file or events.with_suffix(".html")
    with errors_in_a_line(verbose):
        with resolve(events).open(encoding="utf-8", errors="replace") as lines:
            found = read_events(lines)
        text = page(found, title, read_still(resolve(still)) if still else None)
        target.write_text(text, encoding="utf-8")
    for number, what in ((found.broken, "lines are no JSON"), (found.repeated, "events stand there twice")):
        if number:
            err.print(f"{number} {what}; left out", markup=False)
    out.print(f"{target}: {len(found.events)} events", markup=False)
