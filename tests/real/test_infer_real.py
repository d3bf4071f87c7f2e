"""Real models on real clips: the same detections as a plain script written without this package."""

import cv2
import pytest
from plain_yolox import CARS, CONFIDENCE, PEOPLE, REAL, PlainYolox, agreement, iou

from headrace.frames import Frame, convert, to_bgr
from headrace.infer import FrameBatch, InferOptions, InferStage, describe, load_model

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (REAL / "models").is_dir(), reason="HEADRACE_REAL has no models"),
]


def read(clip, step, count):
    """BGR pictures, every ``step``-th, decoded by OpenCV."""
    capture = cv2.VideoCapture(str(REAL / "videos" / clip))
    pictures, number = [], 0
    while len(pictures) < count:
        good, picture = capture.read()
        if not good:
            break
        if number % step == 0:
            pictures.append(picture)
        number += 1
    assert pictures
    return pictures


def model(name, **options):
    return load_model(REAL / "models" / f"{name}.onnx", InferOptions(threads=1, **options))


@pytest.mark.parametrize("format", ["BGR", "RGB", "I420", "NV12"])
@pytest.mark.parametrize(("clip", "least"), [(PEOPLE, 15), (CARS, 5)], ids=["people", "cars"])
def test_yolox_equals_a_plain_script(clip, least, format):
    plain, pictures = PlainYolox(), read(clip, 11, 45)
    stage = InferStage(model("yolox_nano", rectangular=False), InferOptions(batch_size=4))
    frames = [convert(Frame.from_array(picture, "BGR"), format) for picture in pictures]
    found = [result.detections for result in stage.run(frames)]
    stage.close()
    seen = [to_bgr(frame) for frame in frames]  # what the frame shows, converted at full size by OpenCV
    f1, hits = agreement(zip(found, (plain(picture, CONFIDENCE) for picture in seen), strict=True))
    assert hits >= least
    assert f1 >= 0.99


@pytest.mark.parametrize("name", ["nanodet_m_416", "yolov8n_int8_dynamic"])
def test_other_families_find_the_people_that_yolox_finds(name):
    pictures = read(PEOPLE, 60, 12)
    batch = FrameBatch([Frame.from_array(picture, "BGR") for picture in pictures])
    theirs = (result.detections for result in model("yolox_nano").results(batch))
    sure = [one[(one.class_id == 0) & (one.confidence > 0.8)] for one in theirs]
    others = [result.detections for result in model(name).results(batch)]
    wanted = found = 0
    for theirs, ours in zip(sure, others, strict=True):
        wanted += len(theirs)
        found += sum(any(k == 0 and iou(box, b) > 0.7 for b, _, k, _ in ours) for box in theirs.xyxy)
    assert wanted >= 6
    assert found >= 0.9 * wanted


def test_mobilenet_classifies_regions_of_a_clip():
    classifier = model("mobilenet_v2_quant")
    stage = InferStage(classifier, InferOptions())
    (picture,) = read("bottle_640x360_h264_29.83fps.mp4", 1, 1)
    results = stage.run([Frame.from_array(picture, "BGR")] * 2, [(0, 0, 640, 360), (100, 50, 300, 300)])
    stage.close()
    labels = [result.labels[0] for result in results]
    assert all(0 <= label.class_id < 1000 and 0 < label.prob <= 1 for label in labels)


@pytest.mark.parametrize(
    ("name", "decoder"),
    [
        ("yolox_nano", "yolox"),
        ("nanodet_m_416", "nanodet"),
        ("yolov8n_int8_dynamic", "yolov8"),
        ("mobilenet_v2_quant", "classifier"),
        ("fastestdet_352", "fastestdet"),
        ("yunet_2026may", "yunet"),
        ("ultraface_rfb_320", "ultraface"),
    ],
)
def test_models_are_recognised(name, decoder):
    info = describe(REAL / "models" / f"{name}.onnx")
    assert info.decoder == decoder
    assert bool(info.problem) == (decoder == "")
    if decoder and decoder != "classifier":
        faces = decoder in ("yunet", "ultraface")
        assert (info.labels[0], len(info.labels)) == (("face", 1) if faces else ("person", 80))
