"""The code on the page about DeepStream does what the page says, with Headrace's own pyservicemaker."""

import re
import sys
import types
from pathlib import Path

import numpy as np

from headrace import BatchMetadataOperator, Detections, Detector, Pipeline, Probe, compat

PAGE = Path(__file__).resolve().parents[2] / "docs/deepstream.md"


class Whole(Detector):
    labels = ("frame",)

    def infer(self, frames):
        return [Detections([[1, 2, frame.width - 3, frame.height - 4]], [0.5], [0]) for frame in frames]


class Collect(BatchMetadataOperator):
    def __init__(self):
        self.found = []

    def handle_metadata(self, batch_meta):
        for frame_meta in batch_meta.frame_items:
            for item in frame_meta.object_items:
                rect = item.rect_params
                self.found.append((item.label, item.confidence, rect.left, rect.top, rect.width, rect.height))


def host_tensor(tensor):
    """What torch would make of a tensor in host memory, as far as the page uses it."""
    array = np.from_dlpack(tensor)
    return types.SimpleNamespace(cpu=lambda: types.SimpleNamespace(numpy=lambda: array))


def test_a_model_in_a_probe_writes_objects(monkeypatch):
    dlpack = types.SimpleNamespace(from_dlpack=host_tensor)
    monkeypatch.setitem(
        sys.modules, "torch", types.SimpleNamespace(utils=types.SimpleNamespace(dlpack=dlpack))
    )
    monkeypatch.syspath_prepend(str(compat.PATH))
    names = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[-1], names)
    pipeline, seen = Pipeline("page"), Collect()
    pipeline.add("hrsimsrc", "source", {"scene": "sim://plaza?width=320&height=180&frames=2"})
    pipeline.add("nvstreammux", "mux", {"batch-size": 1, "width": 320, "height": 180})
    pipeline.add("nvvideoconvert", "converter")
    pipeline.add("capsfilter", "caps", {"caps": "video/x-raw(memory:NVMM),format=RGB"})
    pipeline.add("fakesink", "end")
    pipeline.link(("source", "mux"), ("", "sink_%u")).link("mux", "converter", "caps", "end")
    pipeline.attach("converter", Probe("model", names["ModelProbe"](Whole())))
    pipeline.attach("caps", Probe("seen", seen))
    pipeline.start().wait()
    assert seen.found == [("frame", 0.5, 1.0, 2.0, 316.0, 174.0)] * 2
