"""The smaller commands: help, doctor, inspect, elements, env, demo."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from headrace.cli.elements import command as elements_command
from headrace.elements import ELEMENTS, element_class
from headrace.gst.options import property_name

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    **os.environ, "COLUMNS": "200", "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
}  # fmt: skip
BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
from headrace.cli import main
main()
"""


@pytest.fixture
def without(tmp_path, headrace):
    """Run the command as if modules were not installed."""

    def run(names, *words):
        return subprocess.run(
            [sys.executable, "-c", BLOCKED.format(names=names), *words], cwd=tmp_path, env=ENVIRONMENT, text=True,
            capture_output=True, timeout=150,
        )  # fmt: skip

    return run


@pytest.fixture
def network(tmp_path):
    """A one-class YOLOv8 graph that finds the same box in every picture."""
    rows = np.zeros((1, 5, 84), np.float32)  # 8, 4 and 2 cells squared
    rows[0, :, 0] = (32, 32, 20, 10, 0.9)
    box = helper.make_tensor("rows", TensorProto.FLOAT, rows.shape, rows.ravel())
    nothing = helper.make_tensor("nothing", TensorProto.FLOAT, (1,), [0.0])
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
        helper.make_node("Add", ["rows", "zero"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes, "tiny", [helper.make_tensor_value_info("images", TensorProto.FLOAT, (1, 3, 64, 64))],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, rows.shape)], [box, nothing],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    model.metadata_props.add(key="names", value="{0: 'cone'}")
    onnx.save(model, tmp_path / "tiny.onnx")
    return "tiny.onnx"


def test_help_lists_every_command_with_a_line(headrace):
    done = headrace("--help")
    assert done.returncode == 0
    for name in ("run", "demo", "doctor", "inspect", "elements", "env"):
        assert f" {name} " in done.stdout
    assert "which apt or pip line" in done.stdout


def test_run_help_has_every_option_of_the_configuration(headrace):
    from headrace.flow.run.config import RunConfig

    done = headrace("run", "--help")
    for name in set(RunConfig.model_fields) - {"inputs"}:
        assert f"--{name.replace('_', '-')}" in done.stdout


def test_doctor_is_content_here(headrace):
    done = headrace("doctor")
    assert done.returncode == 0, done.stdout
    for word in (
        "uridecodebin",
        "typelib GstVideo",
        "typelib GstRtspServer",
        "typelib GstPbutils",
        "x265enc",
        "onnxruntime",
        "yolox",
        "cascade",
        "hrinfer",
    ):
        assert word in done.stdout
    assert "missing" not in done.stdout


def test_doctor_works_without_gstreamer_and_says_what_to_install(without):
    done = without(["gi"], "doctor")
    assert done.returncode == 1, done.stderr
    assert "apt install python3-gi" in done.stdout
    assert "--system-site-packages" in done.stdout
    assert "sudo apt install" in done.stdout
    assert "ok      numpy" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("module", "package"), [("lap", "lap"), ("cv2", "opencv-python-headless")])
def test_doctor_names_the_pip_package(without, module, package):
    done = without([module], "doctor")
    assert done.returncode == 1, done.stderr
    assert f"pip install {package}" in done.stdout


def test_other_commands_point_to_the_doctor(without):
    done = without(["gi"], "run", "a.mp4", "--model", "m.onnx")
    assert done.returncode == 1
    assert "headrace doctor" in done.stderr
    assert "Traceback" not in done.stderr


def test_inspect_tells_tensors_decoder_and_labels_and_draws(headrace, network, tmp_path):
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((64, 64, 3), 90, np.uint8))
    done = headrace("inspect", network, "--image", "gray.png", "--out", "drawn.png")
    assert done.returncode == 0, done.stderr
    for word in ("images float32[1, 3, 64, 64]", "output0", "yolov8", "1: cone", "64x64", "letterbox"):
        assert word in done.stdout
    assert "cone 0.90 [22.0, 27.0, 42.0, 37.0]" in done.stdout
    drawn = cv2.imread(str(tmp_path / "drawn.png"))
    assert (drawn[27:37, 22] != 90).any()
    assert (drawn[45:, 50:] == 90).all()


def test_inspect_speaks_json_and_saves_what_it_chose(headrace, network, tmp_path):
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((64, 64, 3), 90, np.uint8))
    words = ("--image", "gray.png", "--json", "--save", "--preprocess", "color=BGR")
    done = headrace("inspect", network, *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["decoder"], told["task"], told["labels"]) == ("yolov8", "detect", ["cone"])
    assert told["inputs"] == [{"name": "images", "shape": [1, 3, 64, 64], "dtype": "float32"}]
    assert told["outputs"][0]["name"] == "output0"
    assert any("each of 84 columns" in reason for reason in told["reasons"])
    assert told["pictures"][0]["objects"]["xyxy"] == [[22, 27, 42, 37]]
    again = json.loads(headrace("inspect", network, "--json").stdout)
    assert again["preprocess"]["color"] == "BGR"
    assert any(f"{network}.headrace.yaml" in reason for reason in again["reasons"])


def test_inspect_looks_at_clips_and_tries_preprocessing(headrace, network, tmp_path):
    done = headrace(
        "inspect", network, "--video", "sim://plaza?frames=70", "--frames", 2, "--try", "--out", "sheet.png"
    )
    assert done.returncode == 0, done.stderr
    assert "frame 1: 1 objects" in done.stdout
    assert done.stdout.count("--preprocess") == 16
    assert "in use" in done.stdout
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None


def test_inspect_runs_python_models(headrace, models, tmp_path):
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((64, 64, 3), 90, np.uint8))
    done = headrace("inspect", models("Two"), "--image", "gray.png")
    assert done.returncode == 0, done.stderr
    assert "2 objects" in done.stdout
    assert "car 0.90" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["missing.onnx"], 1, "missing.onnx does not exist"),
        (["tiny.onnx", "--image", "missing.png"], 2, "missing.png is no picture"),
        (["tiny.onnx", "--out", "x.png"], 2, "--image"),
        (["tiny.onnx", "--try"], 2, "--image"),
        (["tiny.onnx", "--preprocess", "colour=BGR"], 2, "did you mean color"),
        (["tiny.onnx", "--input-size", "640"], 2, "640x384"),
        (["tiny.onnx", "--decoder", "yolov99"], 1, "yolov99"),
    ],
)
def test_inspect_fails_in_a_line(headrace, network, words, code, said):
    done = headrace("inspect", *words)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_elements_lists_all(headrace):
    done = headrace("elements")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(ELEMENTS)


def test_one_element_shows_pads_properties_and_what_has_no_effect(headrace):
    done = headrace("elements", "nvtracker")
    assert done.returncode == 0
    working, idle = done.stdout.split("without effect here")
    assert "sink (sink, always)" in working
    assert "keep-untracked" in working
    assert "gpu-id" in idle
    assert "tracking runs on the CPU" in idle


@pytest.mark.parametrize("name", ELEMENTS)
def test_every_property_without_effect_says_why(name, capsys):
    elements_command(name)
    shown = " ".join(capsys.readouterr().out.split())
    for field in dataclasses.fields(element_class(name).options_type):
        if field.metadata["no_effect"]:
            assert property_name(field.name) in shown
            assert f"no effect here, because {field.metadata['no_effect']}" in shown


def test_an_unknown_element_is_answered_with_the_nearest(headrace):
    done = headrace("elements", "nvtrakcer")
    assert done.returncode == 2
    assert "did you mean 'nvtracker'" in done.stderr


def test_env_prints_shell_variables(headrace):
    done = headrace("env")
    assert done.returncode == 0
    assert "export GST_PLUGIN_PATH=" in done.stdout


def test_demo_writes_video_and_events_and_scores_against_the_truth(headrace, models, tmp_path):
    done = headrace(
        "demo", "--seconds", "0.5", "--model", models("Two"), "--out", "d.mp4", "--events", "d.jsonl"
    )
    assert done.returncode == 0, done.stderr
    capture = cv2.VideoCapture(str(tmp_path / "d.mp4"))
    assert capture.read()[1].shape == (720, 1280, 3)
    events = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert {event["sensor"]["id"] for event in events} == {f"source-{i}" for i in range(4)}
    for word in ("recall", "precision", "identity switches", "frames/s", "tracker", "60 frames", "1 car"):
        assert word in done.stdout
    assert "recall     0.0" in done.stdout


def test_demo_with_the_packaged_model_finds_and_follows_nearly_everything(headrace, tmp_path):
    done = headrace("demo", "--seconds", "1.5")
    assert done.returncode == 0, done.stderr
    numbers = {
        line.split()[0]: float(line.split()[1])
        for line in done.stdout.splitlines()
        if line[2:8] in ("recall", "precis")
    }
    assert numbers["recall"] > 0.9
    assert numbers["precision"] > 0.9
    assert (tmp_path / "demo.mp4").stat().st_size > 0
    assert (tmp_path / "demo.jsonl").read_text().count('"type":"entry"') > 20
