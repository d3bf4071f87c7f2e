"""A real model finds the same in tensors of nvdspreprocess as in frames."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from chains import Chain

ROOT = Path(__file__).resolve().parents[2]
REAL = Path(os.environ.get("HEADRACE_REAL", ROOT.parent / "shared" / "real"))
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (REAL / "videos").is_dir(), reason="HEADRACE_REAL has no videos"),
]
WIDTH, HEIGHT = 768, 432
MODEL = """[property]
onnx-file={model}
num-detected-classes=80
model-color-format=1
maintain-aspect-ratio=1
cluster-mode=2
gie-unique-id=1
[class-attrs-all]
pre-cluster-threshold=0.3
nms-iou-threshold=0.5
"""
REGIONS = """[property]
target-unique-ids=1
network-input-shape=4;3;416;416
network-color-format=1
maintain-aspect-ratio=1
tensor-name=images
[group-0]
src-ids=0
process-on-roi={on_roi}
roi-params-src-0={rois}
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Forty frames of cars from above, JPEG so that every copy decodes alike."""
    path = tmp_path_factory.mktemp("clip") / "cars.avi"
    capture = cv2.VideoCapture(str(REAL / "videos" / "cars_topdown_768x432_h264_12.5fps.mp4"))
    capture.set(cv2.CAP_PROP_POS_FRAMES, 190)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 12, (WIDTH, HEIGHT))
    for _ in range(40):
        writer.write(capture.read()[1])
    writer.release()
    return path


def found(folder, clip, regions=None):
    """Detections of each frame."""
    (folder / "model.txt").write_text(MODEL.format(model=REAL / "models" / "yolox_nano.onnx"))
    elements = [("nvinfer", {"config-file-path": str(folder / "model.txt")})]
    if regions is not None:
        (folder / "regions.txt").write_text(
            REGIONS.format(on_roi=int(bool(regions)), rois=regions or "0;0;8;8")
        )
        elements[0][1]["input-tensor-meta"] = True
        elements.insert(0, ("nvdspreprocess", {"config-file": str(folder / "regions.txt")}))
    played = Chain([clip.as_uri()], *elements).play(150)
    assert played.error is None
    return [seen.found for seen in played.frames[0]]


def test_whole_frames_as_tensors_give_the_same_objects(tmp_path, clip):
    direct, prepared = found(tmp_path, clip), found(tmp_path, clip, "")
    assert len(direct) == len(prepared) == 40
    assert sum(map(len, direct)) > 20
    for one, two in zip(direct, prepared, strict=True):
        np.testing.assert_allclose(one.confidence, two.confidence, atol=1e-5)
        limit = (WIDTH, HEIGHT) * 2
        np.testing.assert_allclose(np.clip(one.xyxy, 0, limit), two.xyxy, atol=1e-2)


def test_objects_of_regions_lie_inside_them(tmp_path, clip):
    left, right = (slice(0, 384), slice(384, 768))
    regions = found(tmp_path, clip, "0;0;384;432;384;0;384;432")
    boxes = np.concatenate([one.xyxy for one in regions])
    assert len(boxes) > 10
    inside = [(boxes[:, 0] >= part.start) & (boxes[:, 2] <= part.stop) for part in (left, right)]
    assert np.all(inside[0] | inside[1])
    assert inside[0].any()
    assert inside[1].any()
