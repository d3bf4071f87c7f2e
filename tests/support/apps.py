"""Programs written for DeepStream, run by ``headrace run-app`` in a process of their own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from headrace.cli import main; main()", "run-app"]


def environment(**extra):
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    plain = {name: value for name, value in os.environ.items() if name != "HEADRACE_ASSETS"}
    return {**plain, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200", **extra}


def write(folder, text, name="app.py"):
    """Write a program; returns its path."""
    path = folder / name
    path.write_text(textwrap.dedent(text))
    return path


def run_app(program, *arguments, options=(), cwd=None, timeout=150, **extra):
    """Run a program to its end."""
    command = [*COMMAND, *map(str, options), str(program), *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd or Path(program).parent, env=environment(**extra), text=True, capture_output=True,
        timeout=timeout, check=False,
    )  # fmt: skip


def start_app(program, *arguments, cwd=None):
    """Start a program in a process group of its own."""
    return subprocess.Popen(
        [*COMMAND, str(program), *map(str, arguments)], cwd=cwd or Path(program).parent, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
