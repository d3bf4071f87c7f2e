"""Real models on real clips: without most of the padding they find what they find in the square."""

import pytest
from plain_yolox import CARS, PEOPLE, REAL, agreement
from real_clips import pictures_of

from headrace.frames import Frame
from headrace.infer import InferOptions, InferStage, load_model

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (REAL / "models").is_dir(), reason="HEADRACE_REAL has no models"),
]
BOTTLE = "bottle_640x360_h264_29.83fps.mp4"


def found(model, engine, frames, rectangular):
    """What a model finds, and the size at which it did."""
    options = InferOptions(threads=2, engine=engine, precision="f32", rectangular=rectangular)
    loaded = load_model(REAL / "models" / model, options)
    stage = InferStage(loaded, options)
    results = [stage.run([frame])[0].detections for frame in frames]
    stage.close()
    loaded.close()
    return results, loaded.network.size


@pytest.mark.parametrize(
    ("model", "engine", "sizes", "least"),
    [
        ("yolox_nano.onnx", "openvino", ((416, 256), (416, 416)), 100),
        ("yunet_2026may.onnx", "onnxruntime", ((640, 384), (640, 640)), 20),
        ("yunet_2026may.onnx", "openvino", ((640, 384), (640, 640)), 20),
    ],
)
def test_the_same_as_in_the_square(model, engine, sizes, least):
    pytest.importorskip(engine)
    frames = [
        Frame.from_array(picture, "BGR")
        for clip in (PEOPLE, CARS, BOTTLE)
        for picture in pictures_of(clip, 13, 40)
    ]
    ours, size = found(model, engine, frames, True)
    theirs, square = found(model, engine, frames, False)
    assert (size, square) == sizes
    truth = [[(float(score), int(number), box) for box, score, number, _ in one] for one in theirs]
    f1, hits = agreement(list(zip(ours, truth, strict=True)))
    assert hits >= least
    assert f1 >= 0.99
