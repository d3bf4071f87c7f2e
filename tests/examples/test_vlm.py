"""The example with a vision-language model, as its page says, against a server that answers at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from openai_server import ChatServer, pictures_of, text_of

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "vlm"


def answered(program):
    """What the program prints, and the requests to the server."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with ChatServer({"looks": "red", "does": "drives"}) as server:
        command = [sys.executable, str(program), server.url, "test", "120"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith(("person ", "vehicle ")) and line.endswith(": red, drives") for line in lines)
    assert len({line.split()[1] for line in lines}) == len(lines), "each object once"
    return lines, server.requests


@pytest.fixture(autouse=True)
def _schemas():
    pytest.importorskip("jsonschema")


def test_what_crosses_is_asked_about_and_printed():
    lines, requests = answered(EXAMPLE / "run.py")
    assert lines
    assert all(text_of(body).startswith("This is ") for body in requests)


def test_pictures_come_at_the_rate_of_the_question(tmp_path):
    """On every frame: the example is live, and what a busy machine drops of it is not in the pictures."""
    program = (EXAMPLE / "run.py").read_text()
    assert '"is-live": True' in program
    (tmp_path / "run.py").write_text(program.replace('"is-live": True', '"is-live": False'))
    (tmp_path / "questions.yaml").write_text((EXAMPLE / "questions.yaml").read_text())
    lines, requests = answered(tmp_path / "run.py")
    assert 2 < len(lines) == len(requests) <= 16, "so many wait for an answer at most"
    counts = [len(pictures_of(body)) for body in requests]
    assert max(counts) == 4, "one that leaves early is asked about with fewer"
