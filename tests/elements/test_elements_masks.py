"""Instance masks from a model's outputs to the metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_onnx import build

SOURCE = (
    "videotestsrc num-buffers=1 pattern=white ! video/x-raw,format=RGB,width=64,height=64"
    " ! m.sink_0 nvstreammux name=m batch-size=1"
)
OUT = "fakesink name=sink sync=false"
CONFIG = """[property]
onnx-file=masks.onnx
network-type=3
num-detected-classes=2
cluster-mode=4
output-instance-mask=1
segmentation-threshold=0.4
net-scale-factor=0.0039
custom-lib-path=libnvdsinfer_custom_impl_Yolo_seg.so
parse-bbox-instance-mask-func-name=NvDsInferParseYoloSeg
[class-attrs-all]
pre-cluster-threshold=0.5
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A YOLO of 32x32 pixels with one picture for masks, its left half; an object over the middle of the input."""
    head, pictures = np.zeros((1, 4 + 2 + 1, 21)), np.full((1, 1, 8, 8), -9.0)
    head[0, :, 3] = 16, 16, 16, 8, 0.1, 0.9, 1
    pictures[..., :4] = 9
    build(
        tmp_path / "masks.onnx",
        {"output0": (head, np.zeros_like(head)), "output1": (pictures, np.zeros_like(pictures))},
    )
    (tmp_path / "masks.txt").write_text(CONFIG)
    return tmp_path


def check(one: Any) -> None:
    [item] = one.out.frames[0].object_items
    box, mask = item.rect_params, item.mask_params
    assert [box.left, box.top, box.width, box.height] == [16, 24, 32, 16]
    inside = mask.mask_array > mask.threshold
    assert inside[:, :28].all()
    assert not inside[:, 36:].any()


def test_nvinfer_attaches_masks(run: Any, model: Path) -> None:
    one = run(f"{SOURCE} ! nvinfer config-file-path={model}/masks.txt ! {OUT}").to_end()
    check(one)
    assert next(one.out.frames[0].object_items).mask_params.threshold == pytest.approx(0.4)


def test_hrinfer_attaches_masks(run: Any, model: Path) -> None:
    check(run(f"{SOURCE} ! hrinfer model={model}/masks.onnx ! {OUT}").to_end())
