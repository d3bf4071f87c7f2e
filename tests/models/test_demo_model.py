"""The demo model through plain onnxruntime, on seeds it was never trained on."""

from __future__ import annotations

import ast
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pytest

import headrace
from headrace.bench.score import average_precision, detection_score
from headrace.meta.detections import Detections
from headrace.source.sim import SCENES, SIM_LABELS, Scene, SceneOptions

MODEL = Path(headrace.__file__).parent / "models" / "demo.onnx"
HEIGHT, WIDTH = 384, 640


@pytest.fixture(scope="module")
def session() -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    return ort.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])


def detect(session: ort.InferenceSession, image: np.ndarray, confidence: float) -> Detections:
    """Letterbox on grey, run, decode, keep the best of boxes that overlap by more than 0.6."""
    scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    w, h = round(image.shape[1] * scale), round(image.shape[0] * scale)
    left, top = (WIDTH - w) // 2, (HEIGHT - h) // 2
    canvas = np.full((HEIGHT, WIDTH, 3), 114, np.uint8)
    canvas[top : top + h, left : left + w] = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
    tensor = canvas[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
    output = session.run(None, {"images": np.ascontiguousarray(tensor)})[0][0]
    output = output[:, output[4:].max(0) >= confidence]
    boxes, scores, kinds = output[:4].T, output[4:].max(0), output[4:].argmax(0)
    corner = boxes[:, :2] - boxes[:, 2:] / 2
    # Boxes of different classes are moved apart, so that they do not suppress each other.
    apart = np.concatenate([corner + kinds[:, None] * 4096, boxes[:, 2:]], 1).tolist()
    keep = list(cv2.dnn.NMSBoxes(apart, scores.tolist(), confidence, 0.6)) if apart else []
    xyxy = np.concatenate([corner, corner + boxes[:, 2:]], 1)
    return Detections(((xyxy - [left, top, left, top]) / scale)[keep], scores[keep], kinds[keep])


def test_finds_the_objects_of_unseen_scenes(session: ort.InferenceSession):
    found, truths = [], []
    for seed in range(1, 7):
        for name in SCENES:
            scene = Scene(SceneOptions(name, seed=seed, width=640, height=360))
            for index in range(0, 600, 60):
                image, truth = scene.render(index)
                found.append(detect(session, image, 0.02))
                truths.append(truth)
    precision = average_precision(found, truths)
    assert set(precision.per_class) == {0, 1, 2, 3}
    assert precision.mean >= 0.90, precision
    score = detection_score([f[f.confidence >= 0.4] for f in found], truths)
    assert score.precision >= 0.85
    assert score.recall >= 0.85


def test_metadata_say_what_it_is(session: ort.InferenceSession):
    facts = session.get_modelmeta().custom_metadata_map
    assert ast.literal_eval(facts["names"]) == dict(enumerate(SIM_LABELS))
    assert ast.literal_eval(facts["imgsz"]) == [HEIGHT, WIDTH]
    assert (facts["task"], facts["stride"], facts["license"]) == ("detect", "32", "Apache-2.0")
    assert MODEL.stat().st_size < 3_000_000


@pytest.mark.parametrize(("batch", "height", "width"), [(1, 384, 640), (3, 320, 320), (2, 640, 384)])
def test_takes_any_batch_and_size(session: ort.InferenceSession, batch: int, height: int, width: int):
    images = np.zeros((batch, 3, height, width), np.float32)
    anchors = sum((height // s) * (width // s) for s in (8, 16, 32))
    assert session.run(["output0"], {"images": images})[0].shape == (batch, 4 + len(SIM_LABELS), anchors)


def test_a_frame_gives_the_same_alone_and_in_a_batch(session: ort.InferenceSession):
    images = np.random.default_rng(0).random((4, 3, 384, 640), np.float32)
    together = session.run(None, {"images": images})[0]
    alone = session.run(None, {"images": images[2:3]})[0]
    np.testing.assert_allclose(together[2], alone[0], rtol=1e-3, atol=1e-2)
