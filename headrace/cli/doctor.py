"""``headrace doctor``: is everything installed, and which apt or pip line supplies what is missing."""

from __future__ import annotations

from itertools import groupby

import typer
from rich.markup import escape

from headrace.cli._checks import Check, all_checks
from headrace.cli._gpu_checks import gpu_checks
from headrace.cli._terminal import FAILED, out


def command() -> None:
    """Check GStreamer elements, typelibs, Python packages, engines, decoders and GPUs."""
    checks = [*all_checks(), *gpu_checks()]
    groups = ("python", "gstreamer", "elements", "tools", "headrace", "gpu")
    order = {name: place for place, name in enumerate(groups)}
    checks.sort(key=lambda check: order[check.group])
    for group, members in groupby(checks, lambda check: check.group):
        out.print(f"[bold]{group}[/bold]")
        for check in members:
            out.print(_line(check))
    missing = [check for check in checks if not check.ok]
    needed = [check for check in missing if check.needed]
    _advise("to install what is missing", needed)
    _advise("optional", [check for check in missing if not check.needed])
    if needed:
        out.print(f"[red]{len(needed)} needed things are missing[/red]")
        raise typer.Exit(FAILED)
    out.print("[green]everything that is needed is there[/green]")


def _line(check: Check) -> str:
    mark = (
        "[green]ok[/green]     "
        if check.ok
        else "[red]missing[/red]"
        if check.needed
        else "[yellow]absent[/yellow] "
    )
    line = f"  {mark} {escape(check.name)}"
    if check.detail:
        line += f" [dim]{escape(check.detail)}[/dim]"
    if not check.ok:
        remedy = f"apt install {check.apt}" if check.apt else f"pip install {check.pip}" if check.pip else ""
        line += f" -> {remedy}" if remedy else ""
        line += f" {check.hint}" if check.hint else ""
    return line


def _advise(title: str, checks: list[Check]) -> None:
    apt = sorted({check.apt for check in checks if check.apt})
    pip = sorted({check.pip for check in checks if check.pip})
    if apt or pip:
        out.print(f"[bold]{title}[/bold]")
    if apt:
        out.print(f"  sudo apt install {' '.join(apt)}")
    if pip:
        out.print(f"  pip install {' '.join(pip)}")
