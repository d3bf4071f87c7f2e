"""The example with a vision-language model, as its page says, against a server that answers at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from openai_server import ChatServer, pictures_of, text_of

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "vlm"


def test_what_crosses_is_asked_about_and_printed():
    pytest.importorskip("jsonschema")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with ChatServer({"looks": "red", "does": "drives"}) as server:
        command = [sys.executable, str(EXAMPLE / "run.py"), server.url, "test", "120"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(server.requests) > 2
    assert all(line.startswith(("person ", "vehicle ")) and line.endswith(": red, drives") for line in lines)
    assert len({line.split()[1] for line in lines}) == len(lines), "each object once"
    counts = [len(pictures_of(body)) for body in server.requests]
    assert max(counts) == 4, "one that leaves early is asked about with fewer"
    assert all(text_of(body).startswith("This is ") for body in server.requests)
