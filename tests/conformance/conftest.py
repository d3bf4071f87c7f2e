"""Whole programs in DeepStream's API, run as users run them: ``headrace run-app program arguments``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="session")
def assets(tmp_path_factory):
    """What `headrace assets` writes, with clips of a second."""
    folder = tmp_path_factory.mktemp("assets")
    headrace("assets", str(folder), "--seconds", "1", limit=170)
    return folder


def headrace(*arguments, limit=150, cwd=None):
    """Run the command line; returns the lines of stdout and stderr."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", "from headrace.cli import main; main()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment, cwd=cwd)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "ERROR" not in done.stdout, done.stdout
    return done.stdout.splitlines(), done.stderr.splitlines()


@pytest.fixture
def run(assets, tmp_path):
    """Run one of the programs in a folder of its own; returns the lines of stdout and stderr."""

    def run(program, *arguments):
        where = str(PROGRAMS / program), *map(str, arguments)
        return headrace("run-app", "--assets", str(assets), *where, cwd=tmp_path)

    return run
