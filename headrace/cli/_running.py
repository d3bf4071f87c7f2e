"""Runs a `Run` for a command: signals, progress, warnings, summary file, exit code."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from headrace.cli._progress import ProgressBar
from headrace.cli._terminal import INTERRUPTED, TERMINATED, Warnings, err, tell_error
from headrace.errors import HeadraceError
from headrace.flow.run.files import LineFile
from headrace.flow.run.report import RunReport
from headrace.flow.run.runner import Run

_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}


class Signals:
    """Ctrl-C and SIGTERM end a run with whole files; a second one ends the process.

    Attributes:
        code: Exit code of the signal that came, 0 before.
    """

    def __init__(self, run: Run) -> None:
        self.code = 0
        self._run = run

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Signal handler; runs on the main thread."""
        again, self.code = bool(self.code), _CODES[signal.Signals(number)]
        if again:
            os.write(2, b"aborted: the video may be incomplete\n")
            os._exit(self.code)
        err.print("stopping: files are being finished; once more to abort")
        self._run.interrupt()


@contextmanager
def _handled(signals: Signals) -> Iterator[None]:
    before = {number: signal.signal(number, signals.handle) for number in _CODES}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def carry_out(run: Run, verbose: bool) -> tuple[RunReport, int]:
    """Start a run, show its progress, wait for its end.

    Returns:
        The report, and the exit code: 0, 1 after an error (which has been told), 130 or 143 after a signal.
    """
    warnings, signals = Warnings(verbose), Signals(run)
    with _handled(signals), ProgressBar(run):
        run.start(lambda message: warnings.tell(message.origin, message.text, message.debug))
        report = run.wait()
    warnings.close()
    if report.error is not None:
        tell_error(report.error, verbose)
    return report, signals.code or (1 if report.error is not None else 0)


def write_summary(path: Path, report: RunReport) -> None:
    """Write the report as JSON.

    Raises:
        HeadraceError: The file cannot be written.
    """
    text: Any = msgspec.json.format(msgspec.json.encode(report.to_dict()), indent=2)
    with LineFile(path) as file:
        file.write(text + b"\n")


def finish(report: RunReport, summary: Path | None, code: int, verbose: bool) -> int:
    """Write the summary file, if one is wanted; returns the exit code."""
    if summary is None:
        return code
    try:
        write_summary(summary, report)
    except HeadraceError as error:
        tell_error(error, verbose)
        return code or 1
    return code
