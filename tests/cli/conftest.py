"""The real command in a process of its own, on small synthetic scenes."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from headrace.cli import main; main()"]
MODELS = '''
import pathlib
import time
from headrace.infer import Detector
from headrace.meta import Detections

class Two(Detector):
    """A box that moves slowly, and one that jumps about, which nobody can track."""
    labels = ("car", "person")
    frame = 0
    def infer(self, frames):
        found = []
        for frame in frames:
            x, y = 4.0 + self.frame % 8, 16.0 * (self.frame % 3)
            self.frame += 1
            found.append(Detections([[x, 8, x + 20, 28], [30, y, 50, y + 11.5]], [0.9, 0.3], [0, 1]))
        return found

class Slow(Two):
    def infer(self, frames):
        time.sleep(0.01)
        return super().infer(frames)

class Late(Two):
    def infer(self, frames):
        time.sleep(0.3)
        return super().infer(frames)

class Compared(Slow):
    """Says so when its first batch has been compared, and so the second has come."""
    def infer(self, frames):
        if self.frame:
            pathlib.Path("compared").touch()
        return super().infer(frames)

class Stuck(Two):
    def infer(self, frames):
        pathlib.Path("called").touch()
        time.sleep(600)

class Third(Two):
    """Fails on its third frame."""
    def infer(self, frames):
        result = super().infer(frames)
        if self.frame == 3:
            raise ValueError("broken on purpose")
        return result

class Unloadable(Two):
    def load(self, options):
        raise RuntimeError("no weights today")
'''


def environment(**extra):
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200", **extra}


@pytest.fixture
def models(tmp_path):
    """Address of a class in a file of test models."""
    (tmp_path / "models.py").write_text(MODELS)
    return lambda name: f"models.py:{name}"


@pytest.fixture
def headrace(tmp_path):
    """Run the command in ``tmp_path``; returns the finished process with its texts."""

    def run(*words, timeout=150, **extra):
        return subprocess.run(
            [*COMMAND, *map(str, words)], cwd=tmp_path, env=environment(**extra), text=True, timeout=timeout,
            capture_output=True,
        )  # fmt: skip

    return run


@pytest.fixture
def started(tmp_path):
    """Start the command in ``tmp_path``; ended with the test."""
    processes = []

    def start(*words):
        processes.append(
            subprocess.Popen(
                [*COMMAND, *map(str, words)],
                cwd=tmp_path,
                env=environment(),
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def wait_for():
    """Wait for what a process does; it must not end before."""

    def wait(what, process):
        deadline = time.monotonic() + 120
        while not what():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "it does not happen"
            time.sleep(0.02)

    return wait
