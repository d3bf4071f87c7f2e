"""Detections compared, settings written, and one real run."""

import json

import numpy as np
import pytest

from headrace.flow.run.config import make_config
from headrace.meta import Detections
from headrace.tune import Setting, Trials, tuned_yaml
from headrace.tune.accuracy import f1_score, read_detections

MODEL = """
from headrace.infer import Detector
from headrace.meta import Detections

class Middle(Detector):
    labels = ("thing",)
    def infer(self, frames):
        return [Detections([[10, 10, 30, 30]], [0.9], [0]) for _ in frames]
"""
SCENE = "sim://plaza?frames=500&width=64&height=48"


def found(*boxes, class_id=0):
    return Detections(
        np.array(boxes, np.float32), np.full(len(boxes), 0.5, np.float32), np.full(len(boxes), class_id)
    )


def test_detections_are_compared_frame_by_frame():
    first = {
        (0, 0): found([0, 0, 10, 10], [50, 50, 60, 60]),
        (0, 1): found([0, 0, 10, 10]),
        (0, 2): found([9, 9, 19, 19]),
    }
    moved = {(0, 0): found([0, 0, 10, 8], [50, 50, 60, 60]), (0, 1): Detections.empty()}
    assert f1_score(first, moved, 0.5) == pytest.approx(4 / 5)
    assert f1_score(first, moved, 0.9) == pytest.approx(2 / 5)
    assert f1_score(first, {(0, 1): found([0, 0, 10, 10], class_id=1)}, 0.5) == 0
    assert f1_score({}, {}, 0.5) == 1


def test_what_a_run_wrote_is_read(tmp_path):
    thing = {"class_id": 3, "label": "cat", "confidence": 0.5, "id": None, "box": [1.0, 2.0, 5.0, 8.0]}
    lines = [{"source": 1, "frame": 0, "objects": []}, {"source": 1, "frame": 1, "objects": [thing]}]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    read = read_detections(tmp_path / "d.jsonl")
    assert len(read[1, 0]) == 0
    assert read[1, 1].xyxy.tolist() == [[1, 2, 5, 8]]
    assert read[1, 1].class_id.tolist() == [3]


def test_what_is_written_is_a_configuration_of_a_run(tmp_path):
    setting = Setting(
        (("engine", "onnxruntime"), ("precision", "f32"), ("batch-size", "4"), ("threads", "2"))
    )
    config = setting.to_config({"model": "m.onnx", "inputs": ["a.mp4"], "set": {"interval": 1}})
    (tmp_path / "t.yaml").write_text(tuned_yaml(config, ["12 frames/s: quick"]))
    assert (tmp_path / "t.yaml").read_text().startswith("# 12 frames/s: quick\n")
    read = make_config({}, tmp_path / "t.yaml")
    assert (read.engine, read.batch_size) == ("onnxruntime", 4)
    assert read.set == {"interval": "1", "precision": "f32", "threads": "2"}


def test_a_trial_is_a_run(tmp_path):
    (tmp_path / "models.py").write_text(MODEL)
    # The scenes end before the time is up, on any machine.
    trials = Trials({"inputs": [SCENE] * 2, "model": f"{tmp_path}/models.py:Middle"}, tmp_path, 120, 150)
    outcome = trials.measure(Setting((("batch-size", "2"),)))
    assert outcome.error == ""
    assert outcome.fps > 0
    assert outcome.p95_ms > 0
    assert outcome.cpu_ms > 0
    assert (outcome.f1, outcome.f1_tight, outcome.dropped) == (1, 1, 0)
    assert outcome.objects == sum(len(one) for one in trials.reference.values()) > 0


def test_a_trial_that_fails_says_why(tmp_path):
    trials = Trials({"inputs": [SCENE], "model": "missing.onnx"}, tmp_path, 0.3, 150)
    assert "missing.onnx does not exist" in trials.measure(Setting(())).error
    assert trials.reference is None
