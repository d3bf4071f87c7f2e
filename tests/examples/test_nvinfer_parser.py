"""The example with a parse function, run as its page says; it finds what the built-in decoder finds."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "nvinfer_parser"


def run(program, frames):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(
        [sys.executable, str(program), str(frames)],
        env=env,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_function_reads_the_model(tmp_path):
    lines = run(EXAMPLE / "run.py", 4)
    assert [line.partition(":")[0] for line in lines] == [f"frame {n}" for n in range(4)]
    assert all(re.search(r"\d+ vehicle", line) for line in lines)
    for name in ("run.py", "labels.txt"):
        (tmp_path / name).write_text((EXAMPLE / name).read_text())
    built_in = (EXAMPLE / "pgie.txt").read_text().replace("parse-bbox-func-name=parser.py:parse", "")
    model = ROOT / "headrace/models/demo.onnx"
    (tmp_path / "pgie.txt").write_text(built_in.replace("../../headrace/models/demo.onnx", str(model)))
    assert run(tmp_path / "run.py", 4) == lines
