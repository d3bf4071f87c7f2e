"""What README tells newcomers to type."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from headrace.cli.env import environment
from headrace.frames import Frame
from headrace.infer import FrameBatch, load_model

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language, word, page="README.md"):
    found = [
        text for kind, text in BLOCK.findall((ROOT / page).read_text()) if kind == language and word in text
    ]
    assert len(found) == 1, f"{page} has {len(found)} {language} blocks with {word!r}"
    return found[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """README's model and a short clip of a red ball, under the names that README uses."""
    path = tmp_path_factory.mktemp("readme")
    (path / "red.py").write_text(blocks("python", "class RedThings"))
    source = (
        "videotestsrc num-buffers=12 pattern=ball foreground-color=0xffe00000 background-color=0xff206020"
    )
    line = f"gst-launch-1.0 -q {source} ! video/x-raw,width=320,height=240 ! x264enc ! mp4mux ! filesink"
    line += " location=street.mp4"
    subprocess.run(line, shell=True, cwd=path, check=True, timeout=150)
    return path


def run(command, folder):
    variables = {**os.environ, **environment(), "HOME": str(folder)}
    variables["GST_REGISTRY"] = str(folder / "registry.bin")
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_python_model_is_as_short_as_promised_and_finds_red_things(folder):
    code = (folder / "red.py").read_text()
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    picture = np.full((120, 160, 3), (30, 120, 40), np.uint8)
    picture[30:60, 50:90] = (220, 10, 30)
    model = load_model(f"{folder / 'red.py'}:RedThings")
    (found,) = model.infer(FrameBatch([Frame.from_array(picture, "RGB")]))
    assert found.xyxy.tolist() == [[50, 30, 90, 60]]
    assert [model.labels[i] for i in found.class_id] == ["red thing"]


def test_the_gst_launch_line_writes_an_annotated_video(folder):
    script = blocks("sh", "gst-launch-1.0")
    line = script[script.index("gst-launch-1.0") :]
    run(["bash", "-c", line], folder)
    video = (folder / "annotated.mp4").read_bytes()
    assert b"moov" in video


def test_the_program_prints_boxes(folder):
    (folder / "count.py").write_text(blocks("python", "Pipeline("))
    lines = run([sys.executable, "count.py"], folder).splitlines()
    frames = [line for line in lines if re.match(r"0 \d+ \[\[", line)]
    assert len(frames) == 12


def test_the_model_in_the_guide_runs(tmp_path):
    (tmp_path / "cats.py").write_text(blocks("python", "class Cats", "docs/models.md"))
    model = load_model(f"{tmp_path / 'cats.py'}:Cats")
    (found,) = model.infer(FrameBatch([Frame.empty("NV12", 64, 48)]))
    assert found.xyxy.tolist() == [[0, 0, 64, 48]]
