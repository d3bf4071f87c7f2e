"""A real detector behind a server finds what the same file finds here."""

import pytest
from kserve import KServe, Served
from plain_yolox import CONFIDENCE, REAL

from headrace.frames import Frame
from headrace.infer import InferOptions, InferStage, load_model

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (REAL / "videos").is_dir(), reason="HEADRACE_REAL has no videos"),
]
MODEL = REAL / "models" / "yolox_nano.onnx"


@pytest.fixture(scope="module")
def frames():
    import cv2

    capture = cv2.VideoCapture(str(REAL / "videos" / "person_one_by_one_768x432_h264_10fps.mp4"))
    pictures = [capture.read()[1] for _ in range(60)]
    return [Frame.from_array(one, "BGR") for one in pictures[20::10]]


def found(spec, frames, engine="auto"):
    model = load_model(spec, InferOptions(confidence=CONFIDENCE, threads=1, engine=engine))
    stage = InferStage(model, InferOptions())
    results = stage.run(frames)
    stage.close()
    model.close()
    return [(one.detections.xyxy.tolist(), one.detections.confidence.tolist()) for one in results]


@pytest.mark.parametrize("grpc", [False, True], ids=["http", "grpc"])
def test_detections_equal_those_of_the_file(frames, grpc):
    if grpc:
        pytest.importorskip("tritonclient.grpc")
    server = KServe({"yolox": Served.onnx(MODEL)}, grpc=grpc)
    try:
        there = found(server.url("yolox"), frames)
    finally:
        server.stop()
    assert sum(len(boxes) for boxes, _ in there) > 3
    assert there == found(MODEL, frames, "onnxruntime")
