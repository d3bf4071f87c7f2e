"""The real command on real clips with a real model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("HEADRACE_REAL", ROOT.parent / "shared" / "real"))
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (REAL / "videos").is_dir(), reason="HEADRACE_REAL has no videos"),
]
PEOPLE = "person_one_by_one_768x432_h264_10fps.mp4"
MODEL = REAL / "models" / "yolox_nano.onnx"


def headrace(folder, *words):
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [
        sys.executable,
        "-c",
        "from headrace.cli import main; main()",
        "run",
        *map(str, words),
        "--model",
        MODEL,
    ]
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, timeout=150)


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def overlap(one, two):
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)]
    return shared / (sum(areas) - shared)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The first four seconds of the walking people as a file of its own, JPEG so that every copy decodes alike."""
    path = tmp_path_factory.mktemp("clip") / "people.avi"
    capture = cv2.VideoCapture(str(REAL / "videos" / PEOPLE))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 60)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (768, 432))
    for _ in range(40):
        writer.write(capture.read()[1])
    writer.release()
    return path


@pytest.fixture(scope="module")
def alone(clip):
    """What is found in the clip when it is the only source."""
    done = headrace(clip.parent, clip, "--detections", "alone.jsonl", "--out", "alone.mp4")
    assert done.returncode == 0, done.stderr
    return lines_of(clip.parent / "alone.jsonl")


def test_people_are_found_and_tracked(alone, clip):
    assert [line["frame"] for line in alone] == list(range(40))
    people = [thing for line in alone for thing in line["objects"] if thing["label"] == "person"]
    assert len(people) > 20
    assert len({thing["id"] for thing in people if thing["id"] is not None}) in (1, 2)
    picture = cv2.VideoCapture(str(clip.parent / "alone.mp4")).read()[1]
    assert picture.shape == (432, 768, 3)


@pytest.mark.parametrize("copies", [4, 16])
def test_every_copy_of_a_clip_gets_the_same_detections_as_alone(clip, alone, tmp_path, copies):
    done = headrace(tmp_path, *[clip] * copies, "--detections", "d.jsonl")
    assert done.returncode == 0, done.stderr
    found = lines_of(tmp_path / "d.jsonl")
    for source in range(copies):
        mine = [line for line in found if line["source"] == source]
        assert [line["frame"] for line in mine] == list(range(40))
        for line, expected in zip(mine, alone, strict=True):
            sure = [thing for thing in expected["objects"] if thing["confidence"] > 0.3]
            assert abs(len(line["objects"]) - len(expected["objects"])) <= len(expected["objects"]) - len(
                sure
            )
            for thing in sure:
                same = [o for o in line["objects"] if o["class_id"] == thing["class_id"]]
                assert max(overlap(o["box"], thing["box"]) for o in same) > 0.98


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("cars_768x432_mjpeg.avi", {(768, 432)}),
        ("cars_resolution_change_768x432_to_384x216.h264", {(768, 432), (384, 216)}),
    ],
)
def test_other_codecs_and_sizes_that_change(tmp_path, name, sizes):
    done = headrace(tmp_path, REAL / "videos" / name, "--detections", "d.jsonl", "--out", "o.mp4")
    assert done.returncode == 0, done.stderr
    lines = lines_of(tmp_path / "d.jsonl")
    assert {(line["width"], line["height"]) for line in lines} == sizes
    capture, pictures = cv2.VideoCapture(str(tmp_path / "o.mp4")), 0
    while capture.grab():
        pictures += 1
    assert pictures == len(lines)


@pytest.mark.parametrize(
    ("name", "said"), [("empty_file.mp4", "is empty"), ("text_named_mp4.mp4", "text_named_mp4.mp4")]
)
def test_broken_files_fail_in_a_line(tmp_path, name, said):
    done = headrace(tmp_path, REAL / "videos" / PEOPLE, REAL / "videos" / name)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "source1" in errors[0]
    assert said in errors[0]
    assert "Traceback" not in done.stderr
