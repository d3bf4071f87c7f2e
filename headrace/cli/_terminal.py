"""What commands say: results on standard output, everything else in one line each on standard error."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console

from headrace.errors import ConfigError, HeadraceError, PipelineError

#: Width of tables where nobody's terminal limits it.
_WIDE = 160

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True, width=None if sys.stderr.isatty() else _WIDE)

#: Exit codes: something failed; the command was wrong; ended by Ctrl-C; ended by SIGTERM.
FAILED, USAGE, INTERRUPTED, TERMINATED = 1, 2, 130, 143


def fail(error: BaseException, verbose: bool = False, code: int | None = None) -> NoReturn:
    """Say in a line what went wrong and exit.

    Args:
        error: What happened.
        verbose: Also show the traceback.
        code: Exit code; by default 2 for a wrong configuration, otherwise 1.
    """
    tell_error(error, verbose)
    raise typer.Exit(code if code is not None else USAGE if isinstance(error, ConfigError) else FAILED)


def tell_error(error: BaseException, verbose: bool = False) -> None:
    """Write ``error: element: what`` to standard error, with ``verbose`` the details behind it."""
    element = error.element if isinstance(error, PipelineError) else ""
    err.print(f"error: {_line(element, str(error))}", style="red", markup=False)
    if not verbose:
        return
    if isinstance(error, PipelineError) and error.debug:
        err.print(_redacted(error.debug.rstrip()), markup=False)
    elif error.__traceback__ is not None:
        import traceback

        err.print("".join(traceback.format_exception(error)).rstrip(), markup=False)


def _redacted(text: str) -> str:
    from headrace.source.uri import redacted  # here, so that `doctor` needs none of the libraries behind it

    return redacted(text)


def _line(element: str, text: str) -> str:
    line = " ".join(_redacted(text).split())
    return f"{element}: {line}" if element else line


class Warnings:
    """Warnings of a run: each text once, repetitions counted."""

    def __init__(self, verbose: bool = False) -> None:
        self._seen: Counter[str] = Counter()
        self._verbose = verbose

    def tell(self, element: str, text: str, debug: str = "") -> None:
        """Show a warning unless it was shown before."""
        line = _line(element, text)
        self._seen[line] += 1
        if self._seen[line] == 1:
            err.print(f"warning: {line}", style="yellow", markup=False)
            if self._verbose and debug:
                err.print(_redacted(debug.rstrip()), markup=False)

    def close(self) -> None:
        """Say how often warnings came again."""
        for line, count in self._seen.items():
            if count > 1:
                err.print(f"warning: {line} ({count} times)", style="yellow", markup=False)


@contextmanager
def errors_in_a_line(verbose: bool = False) -> Iterator[None]:
    """Turn Headrace's errors, and any other, into a line and an exit code; ``verbose`` shows tracebacks."""
    try:
        yield
    except typer.Exit:
        raise
    except HeadraceError as error:
        fail(error, verbose)
    except Exception as error:  # noqa: BLE001 - the last place where it can be told, and it fails the command
        if isinstance(error, BrokenPipeError):
            sys.stderr.close()
        fail(HeadraceError(f"{type(error).__name__}: {error}").with_traceback(error.__traceback__), verbose)


def set_up_logging(verbose: bool) -> None:
    """Library messages go to standard error: warnings, with ``verbose`` also what goes on."""
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[_Handler()], force=True)
    # What it says comes as a warning of the element too.
    logging.getLogger("headrace.message.worker").setLevel(logging.CRITICAL)


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        err.print(f"{record.levelname.lower()}: {record.getMessage()}", markup=False)
