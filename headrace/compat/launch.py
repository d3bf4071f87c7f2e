"""Running a program that was written for DeepStream, unmodified."""

from __future__ import annotations

import atexit
import importlib
import os
import signal
import sys
import types
from collections.abc import Sequence
from pathlib import Path

from headrace import compat, paths
from headrace.compat import redirect
from headrace.errors import ConfigError


def run_program(program: Path, arguments: Sequence[str]) -> None:
    """Run a Python file as ``python program arguments`` would, with DeepStream's modules and elements at hand.

    The environment is that of this process; see `headrace.cli.env` for what child processes need. Signals get their
    usual handlers back. An exception ends the process as it would have ended the program's own.

    Args:
        program: The file.
        arguments: Its command line; paths below DeepStream's installation are redirected.

    Raises:
        ConfigError: The file cannot be read.
        SystemExit: The program ended itself, or raised: its traceback has been printed.
    """
    try:
        source = program.read_bytes()
    except OSError as error:
        raise ConfigError(f"program {program} cannot be read: {error}") from error
    importlib.import_module("headrace.elements").register_all()
    redirect.install()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.argv = [str(program), *map(paths.stand_in, arguments)]
    sys.path[:] = _search_path(program)
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=str(program.absolute()), __builtins__=__builtins__)
    sys.modules["__main__"] = main
    try:
        exec(compile(source, str(program.absolute()), "exec"), main.__dict__)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever the program raised is its own
        _end_with(error)


def _search_path(program: Path) -> list[str]:
    """Where the program's imports are looked for: its folder first, as Python has it."""
    folder = str(program.resolve().parent)
    ours = [] if compat.real_installation() else [str(compat.PATH)]
    return [folder, *ours, *(entry for entry in sys.path if entry and entry not in (folder, *ours))]


def _end_with(error: BaseException) -> None:
    """Print the traceback without our own frame and end as Python does."""
    behind = error.__traceback__.tb_next if error.__traceback__ is not None else None
    sys.excepthook(type(error), error.with_traceback(behind), behind)
    if isinstance(error, KeyboardInterrupt):
        atexit._run_exitfuncs()
        sys.stdout.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    raise SystemExit(1)
