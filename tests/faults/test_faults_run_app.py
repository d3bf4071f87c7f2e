"""Mistakes in programs for DeepStream: one clear message, no traceback of ours, no hang."""

import numpy as np
import pytest
from apps import run_app, write
from tiny_onnx import build

PROGRAM = """
import sys
from pyservicemaker import BatchMetadataOperator, Pipeline, Probe

class Fails(BatchMetadataOperator):
    def handle_metadata(self, batch_meta):
        raise ValueError("my mistake")

element, name, value = sys.argv[1:]
pipeline = Pipeline("app")
pipeline.add("videotestsrc", "source", {"num-buffers": 4})
pipeline.add("capsfilter", "caps", {"caps": "video/x-raw,width=64,height=48,format=I420"})
pipeline.add("nvstreammux", "mux", {"batch-size": 1}).add(element, "e", {name: value}).add("fakesink", "sink")
pipeline.link("source", "caps").link(("caps", "mux"), ("", "sink_%u")).link("mux", "e", "sink")
pipeline.attach("e", Probe("mine", Fails()))
pipeline.start().wait()
print("the program went on")
"""
FILES = {
    "empty.txt": "",
    "junk.txt": "hello\n",
    "type.txt": "[property]\nbatch-size=many\n",
    "model.txt": "[property]\nonnx-file=gone.onnx\nnum-detected-classes=2\n",
    "noise.txt": "[property]\nonnx-file=noise.onnx\nnum-detected-classes=2\n",
    "noise.onnx": "no model at all",
    "broken.yml": "property: [\n",
}


@pytest.mark.parametrize(
    ("element", "name", "value", "says"),
    [
        ("nvinfer", "config-file-path", "gone.txt", "gone.txt cannot be read: No such file or directory"),
        (
            "nvinfer",
            "config-file-path",
            "empty.txt",
            "group [property] with onnx-file expected, found nothing",
        ),
        (
            "nvinfer",
            "config-file-path",
            "type.txt",
            "batch-size='many' cannot be used: give a whole number, 1 to",
        ),
        ("nvinfer", "config-file-path", "model.txt", "gone.onnx does not exist; check the path"),
        ("nvinfer", "config-file-path", "noise.txt", "noise.onnx cannot be loaded by onnxruntime"),
        ("nvdspreprocess", "config-file", "broken.yml", "broken.yml is not YAML: while parsing"),
        (
            "nvdsanalytics",
            "config-file",
            "junk.txt",
            "junk.txt is not a key file; write [group] and key=value",
        ),
    ],
)
def test_a_mistake_in_a_file_is_one_message(tmp_path, element, name, value, says):
    for file, text in FILES.items():
        (tmp_path / file).write_text(text)
    done = run_app(write(tmp_path, PROGRAM), element, name, value)
    assert done.returncode == 0, done.stderr  # as contract §1.1 has it: `wait` returns
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("ERROR from e")]
    assert value in line or value.partition(".")[0] in line
    assert says in line
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout.endswith("the program went on\n")


def test_a_probe_that_always_fails_prints_its_traceback_once(tmp_path):
    done = run_app(write(tmp_path, PROGRAM), "identity", "silent", "true")
    assert done.returncode == 0
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.count("probe 'mine', source 0 frame ") == 4
    assert "End of stream" in done.stdout


def test_a_function_that_fails_is_shown_without_the_way_to_it(tmp_path):
    (tmp_path / "parse.py").write_text(
        "def boxes(outputs, network, params):\n    raise ValueError('my mistake')\n"
    )
    text = f"{FILES['model.txt']}parse-bbox-func-name=parse.py:boxes\n"
    build(tmp_path / "gone.onnx", {"boxes": (np.zeros((1, 2, 3), np.float32),) * 2})
    (tmp_path / "own.txt").write_text(text)
    done = run_app(write(tmp_path, PROGRAM), "nvinfer", "config-file-path", "own.txt")
    assert "parser parse.py:boxes failed: ValueError: my mistake" in done.stdout
    assert done.stdout.count("Traceback") == 1
    assert "in boxes" in done.stdout
