"""hrinfer: wide frames run without most of the padding of a square."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headrace.elements.hrinfer import InferElementOptions, infer_options

SOURCE = (
    "videotestsrc num-buffers=4 pattern=white ! video/x-raw,format=I420,width=640,height=360 ! m.sink_0 "
    "nvstreammux name=m batch-size=1"
)


@pytest.mark.parametrize(
    ("options", "size"),
    [("", (640, 384)), ("rectangular=false", (640, 640)), ("input-size=320x320", (320, 320))],
)
def test_wide_frames(run: Any, tmp_path: Path, options: str, size: tuple[int, int]) -> None:
    pytest.importorskip("onnx")
    from open_models import onnx

    model = f"hrinfer model={onnx(tmp_path)} decoder=yolox engine=onnxruntime output-tensor-meta=true"
    played = run(f"{SOURCE} ! {model} {options} ! fakesink name=sink sync=false").to_end()
    items = [item for frame in played.out.frames for item in frame.tensor_items]
    found = [item.as_tensor_output().network_size for item in items]
    assert found == [(*size, 3)] * 4


def test_a_property_of_the_model() -> None:
    assert infer_options(InferElementOptions()).rectangular
    assert not infer_options(InferElementOptions(rectangular=False)).rectangular
