"""Exceptions of C++ libraries in a process with GStreamer: raised in Python, whatever was imported first."""

import itertools
import subprocess
import sys

import pytest

GSTREAMER = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst; Gst.init(None)"
IMPORTS = {"numpy": "import numpy", "gst": GSTREAMER, "cv2": "import cv2"}
PROGRAM = """
import headrace, onnxruntime, cv2, numpy
try:
    cv2.resize(numpy.zeros((0, 0)), (3, 3))
except cv2.error:
    print("opencv")
try:
    onnxruntime.InferenceSession({path!r})
except Exception:
    print("onnxruntime")
"""


@pytest.mark.parametrize(
    "order",
    [(), *((name,) for name in IMPORTS), *itertools.permutations(IMPORTS, 2)],
    ids=lambda order: "-".join(order) or "none",
)
def test_errors_of_libraries_are_python_exceptions(tmp_path, order):
    path = tmp_path / "broken.onnx"
    path.write_bytes(bytes(range(256)) * 10)
    lines = [f"import sys; sys.path[:0] = {[p for p in sys.path if p]!r}", *(IMPORTS[name] for name in order)]
    program = "\n".join(lines) + PROGRAM.format(path=str(path))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["opencv", "onnxruntime"]
