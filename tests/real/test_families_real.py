"""Real models on real clips: the same detections as each family's own post-processing, written anew in loops."""

import cv2
import numpy as np
import pytest
from plain_families import PlainFastestdet, PlainNanodet, PlainUltraface, PlainYunet, blob, stretched
from plain_yolox import CARS, PEOPLE, REAL, iou
from real_clips import pictures_of

from headrace.frames import Frame
from headrace.infer import FrameBatch, InferOptions, load_model

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (REAL / "models").is_dir(), reason="HEADRACE_REAL has no models"),
]
BOTTLE = "bottle_640x360_h264_29.83fps.mp4"


def matched(found, truth, confidence):
    """Pairs of equal class at IoU 0.9, and how many sure ones are left alone on each side."""
    theirs, pairs, alone = list(truth), [], 0
    for row in range(len(found)):
        same = [t for t in theirs if t[1] == found.class_id[row] and iou(t[2], found.xyxy[row]) >= 0.9]
        if same:
            best = max(same, key=lambda t: iou(t[2], found.xyxy[row]))
            theirs = [t for t in theirs if t is not best]
            pairs.append((row, best))
        else:
            alone += found.confidence[row] >= confidence + 0.01
    return pairs, alone, sum(t[0] >= confidence + 0.01 for t in theirs)


@pytest.mark.parametrize(
    ("kind", "clip", "step", "least"),
    [
        (PlainNanodet, PEOPLE, 12, 25),
        (PlainNanodet, CARS, 8, 10),
        (PlainFastestdet, PEOPLE, 12, 15),
        (PlainFastestdet, CARS, 8, 5),
        (PlainUltraface, PEOPLE, 15, 8),  # people who turn round: most are seen from behind
        (PlainYunet, PEOPLE, 15, 15),
    ],
)
def test_detections_equal_the_reference(kind, clip, step, least):
    plain, pictures = kind(), pictures_of(clip, step, 93)
    options = InferOptions(threads=1, confidence=kind.confidence, nms=kind.overlap)
    model = load_model(REAL / "models" / kind.file, options)
    assert model.guess.match.score >= 0.9
    hits = lost = invented = 0
    for start in range(0, len(pictures), 3):
        part = pictures[start : start + 3]
        results = model.results(FrameBatch([Frame.from_array(one, "BGR") for one in part]))
        for picture, result in zip(part, results, strict=True):
            found, truth = result.detections, plain(picture)
            pairs, ours_alone, theirs_alone = matched(found, truth, kind.confidence)
            hits, lost, invented = hits + len(pairs), lost + theirs_alone, invented + ours_alone
            for row, (score, _, _, *points) in pairs:
                assert found.confidence[row] == pytest.approx(score, abs=0.01)
                if points:
                    np.testing.assert_allclose(found.keypoints[row, :, :2], points[0], atol=1.0)
    model.close()
    assert hits >= least
    assert 2 * hits / (2 * hits + lost + invented) >= 0.99


def test_mobilenet_equals_a_plain_run():
    import onnxruntime

    model = load_model(REAL / "models" / "mobilenet_v2_quant.onnx", InferOptions(threads=1))
    session = onnxruntime.InferenceSession(
        str(REAL / "models" / "mobilenet_v2_quant.onnx"), providers=["CPUExecutionProvider"]
    )
    for picture in pictures_of(BOTTLE, 30, 4):
        small, _, _ = stretched(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), 224, 224)
        normal = (small.astype(np.float32) - [123.675, 116.28, 103.53]) / [58.395, 57.12, 57.375]
        scores = session.run(None, {"input": blob(normal)})[0][0].astype(np.float64)
        weights = np.exp(scores - scores.max())
        [result] = model.results(FrameBatch([Frame.from_array(picture, "BGR")]))
        assert result.labels[0].class_id == scores.argmax()
        assert result.labels[0].prob == pytest.approx(weights.max() / weights.sum(), rel=0.05)
