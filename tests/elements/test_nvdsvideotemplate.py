"""nvdsvideotemplate: a user's class sees every batch, is told its properties, and fails in the open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headrace.errors import PipelineError
from headrace.flow import BatchMetadataOperator, Pipeline, Probe

CLASS = """
from headrace import Detections

class Library:
    def __init__(self):
        self.properties, self.file = [], None

    def set_property(self, key, value):
        self.properties.append((key, value))

    def start(self, config_file):
        self.file = config_file

    def process(self, buffer):
        for frame in buffer.batch_meta.frame_items:
            label = f"{self.properties} {self.file}"
            frame.add_detections(Detections([[1, 2, 9, 9]], [0.5], [0]), [label])
        buffer.extract(0).numpy()[:4] = 255
"""


class Labels(BatchMetadataOperator):
    """What the objects of all frames are called."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def handle_metadata(self, batch_meta: Any) -> None:
        self.seen += [found.label for frame in batch_meta.frame_items for found in frame.object_items]


def play(properties: Any) -> list[str]:
    pipeline, labels = Pipeline("template"), Labels()
    pipeline.add("videotestsrc", "source", {"num-buffers": 3})
    pipeline.add("capsfilter", "caps", {"caps": "video/x-raw,format=RGB,width=64,height=48"})
    pipeline.add("nvstreammux", "mux", {"batch-size": 1}).add("nvdsvideotemplate", "template")
    pipeline["template"].set(properties)
    pipeline.add("fakesink", "sink").link("source", "caps").link(("caps", "mux"), ("", "sink_%u"))
    pipeline.link("mux", "template", "sink").attach("template", Probe("labels", labels)).start().wait()
    return labels.seen


@pytest.fixture
def library(tmp_path: Path) -> str:
    path = tmp_path / "library.py"
    path.write_text(CLASS)
    return f"{path}:Library"


def test_the_class_sees_batches_and_its_properties(library: str) -> None:
    seen = play(
        [
            {"customlib-name": library, "config-file": "x.cfg"},
            {"customlib-props": "a:1"},
            {"customlib-props": "b:2:3"},
        ]
    )
    assert seen == ["[('a', '1'), ('b', '2:3')] x.cfg"] * 3


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "set customlib-name=file.py:Class"),
        ("/opt/lib/libnvocdr_impl.so", r"write a Python class with process\(self, buffer\)"),
        ("nowhere.py:Library", "does not exist"),
        ("json:JSONDecoder", "the class needs process"),
    ],
)
def test_what_cannot_work_says_what_would(name: str, says: str) -> None:
    with pytest.raises(PipelineError, match=says):
        play({"customlib-name": name})


def test_an_exception_of_the_class_ends_the_pipeline_with_its_traceback(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("class Broken:\n    def process(self, buffer):\n        return 1 / 0\n")
    with pytest.raises(PipelineError, match=r"source 0 frame 0: ZeroDivisionError") as caught:
        play({"customlib-name": f"{path}:Broken"})
    assert "return 1 / 0" in caught.value.debug
