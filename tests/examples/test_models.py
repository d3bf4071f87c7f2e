"""The example models, unmodified, run as their pages say on a clip made here."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from headrace.frames import Frame
from headrace.infer import FrameBatch, InferOptions, load_model

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "models"
LINES = {"rotated": 25}
SIZE = (320, 240)
BAR = ((160, 100), (120, 40), 30)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Ten pictures of a white bar that lies askew, and a red square, on dark blue."""
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, SIZE)
    for _ in range(10):
        writer.write(picture()[..., ::-1])
    writer.release()
    return path


def picture():
    array = np.full((SIZE[1], SIZE[0], 3), (20, 40, 90), np.uint8)
    cv2.fillPoly(array, [cv2.boxPoints(BAR).astype(np.int32)], (255, 255, 255))
    array[192:224, 32:64] = 220, 40, 20
    return array


def objects(clip, model, tmp_path):
    """The objects of the last frame that `headrace run` writes."""
    command = "from headrace.cli import main; main()"
    out = tmp_path / "out.jsonl"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    arguments = [
        "run",
        str(clip),
        "--model",
        f"{EXAMPLES}/{model}",
        "--detections",
        str(out),
        "--tracker",
        "none",
    ]
    done = subprocess.run(
        [sys.executable, "-c", command, *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = out.read_text().splitlines()
    assert len(lines) == 10
    return json.loads(lines[-1])["objects"]


def test_turned_boxes(clip, tmp_path):
    (blob,) = objects(clip, "rotated.py:Blobs", tmp_path)
    left, top, right, bottom = blob["box"]
    assert blob["label"] == "blob"
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx(BAR[0], abs=2)
    assert sorted((right - left, bottom - top)) == pytest.approx([40, 120], abs=3)
    assert blob["rotation"] % 90 == pytest.approx(30, abs=2)


def test_keypoints(clip, tmp_path):
    (thing,) = objects(clip, "ends.py:Ends", tmp_path)
    corners = cv2.boxPoints(BAR)
    for x, y, confidence in thing["keypoints"]:
        assert confidence == 1
        assert np.abs(corners - (x, y)).max(axis=1).min() < 5


def test_masks(clip, tmp_path):
    (thing,) = objects(clip, "silhouettes.py:Silhouettes", tmp_path)
    corners = cv2.boxPoints(BAR)
    np.testing.assert_allclose(thing["box"], [*corners.min(axis=0), *corners.max(axis=0)], atol=3)


def test_words_for_pictures(clip, tmp_path):
    (whole,) = objects(clip, "light.py:Light", tmp_path)
    assert whole["labels"] == ["dark", "bluish"]


def test_torch(clip, tmp_path):
    pytest.importorskip("torch")
    (warm,) = objects(clip, "warmest.py:Warmest", tmp_path)
    assert warm["box"] == [32, 192, 64, 224]


def test_embeddings_tell_colours_apart():
    model = load_model(f"{EXAMPLES}/colours.py:Colours", InferOptions())
    crops = [np.full((20, 20, 3), color, np.uint8) for color in ((200, 20, 20), (180, 30, 30), (20, 20, 200))]
    red, also_red, blue = (
        one.embedding for one in model.results(FrameBatch([Frame.from_array(crop, "RGB") for crop in crops]))
    )
    assert red @ red == pytest.approx(1)
    assert red @ also_red > 0.9 > 0.1 > red @ blue


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_they_are_short_and_say_how_to_run_them(path):
    text = path.read_text()
    assert len(text.splitlines()) <= LINES.get(path.stem, 40)
    said = ast.get_docstring(ast.parse(text))
    assert f"{path.name}:" in said
