"""The command line: every module here whose name does not begin with ``_`` is a command, its function `command`."""

from __future__ import annotations

import ast
import importlib
import os
import signal
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from headrace import discovery

_HELP = "Headrace: video in; batched, detected, tracked, drawn and published out."


class _Commands(TyperGroup):
    """Commands that are imported when they are called: help is quick, and `doctor` works on a broken installation."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands."""
        return list(discovery.available(__name__))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import one command."""
        if cmd_name not in self.list_commands(ctx):
            return super().get_command(ctx, cmd_name)
        if getattr(ctx, "_listing", False):
            return _outline(cmd_name)
        module = _imported(f"{__name__}.{cmd_name.replace('-', '_')}")
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        settings = getattr(module, "SETTINGS", {})
        app.command(cmd_name, help=summary_of(cmd_name), **settings)(module.command)
        return get_command(app)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Help of all commands, from their modules' first lines, without importing them."""
        ctx._listing = True
        super().format_help(ctx, formatter)


def _imported(name: str) -> Any:
    """Import a command's module; what is missing is told in a line."""
    try:
        return importlib.import_module(name)
    except (ImportError, ValueError) as error:  # ValueError: PyGObject is there, but not a typelib
        typer.echo(f"error: {error}; run: headrace doctor", err=True)
        raise typer.Exit(1) from error


def summary_of(name: str) -> str:
    """What a command does, in a line: the first line of its module, without the command itself."""
    path = Path(__file__).parent / f"{name.replace('-', '_')}.py"
    line = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    text = line.partition(": ")[2] or line
    return text[:1].upper() + text[1:]


def _outline(name: str) -> Any:
    """A stand-in for a command where only its help is asked for."""
    app = typer.Typer(add_completion=False)
    app.command(name, help=summary_of(name))(lambda: None)
    return get_command(app)


app = typer.Typer(
    cls=_Commands, help=_HELP, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False
)


@app.callback()
def _main() -> None:
    """Options of all commands: none."""


def main() -> None:
    """Entry point of the console script ``headrace``."""
    for number in (signal.SIGINT, signal.SIGTERM):  # nothing is under way yet that could be finished
        signal.signal(number, lambda number, _frame: os._exit(128 + number))
    app(prog_name="headrace")
