"""YOLO on real clips: the same detections as the families' own post-processing, written anew in loops."""

import cv2
import numpy as np
import pytest
from plain_families import Plain, blob
from plain_yolox import CARS, CONFIDENCE, PEOPLE, REAL, PlainYolox, agreement
from real_clips import pictures_of

from headrace.frames import Frame
from headrace.infer import FrameBatch, InferOptions, load_model

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (REAL / "models").is_dir(), reason="HEADRACE_REAL has no models"),
]


class PlainYolov8(Plain):
    """YOLOv8 by its model card: letterboxed on grey, RGB 0-1; columns of centre, size and scores of 80 classes."""

    file = "yolov8n_int8_dynamic.onnx"

    def prepare(self, picture):
        ratio = min(640 / picture.shape[0], 640 / picture.shape[1])
        width, height = round(picture.shape[1] * ratio), round(picture.shape[0] * ratio)
        across, down = (640 - width) / 2, (640 - height) / 2
        left, top = round(across - 0.1), round(down - 0.1)
        padded = np.full((640, 640, 3), 114, np.uint8)
        padded[top : top + height, left : left + width] = cv2.resize(picture, (width, height))
        return blob(padded[:, :, ::-1] / 255), (ratio, ratio), (left, top)

    def read(self, outputs):
        (columns,) = outputs.values()
        for number in range(columns.shape[2]):
            x, y, width, height = columns[0, :4, number]
            class_id = int(np.argmax(columns[0, 4:, number]))
            score = float(columns[0, 4 + class_id, number])
            if score >= CONFIDENCE:
                yield score, class_id, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def plain_yolov8(plain, picture):
    return [(score, class_id, box) for score, class_id, box, *_ in plain(picture)]


@pytest.mark.parametrize(("clip", "step", "least"), [(PEOPLE, 60, 6), (CARS, 27, 2)], ids=["people", "cars"])
@pytest.mark.parametrize("family", ["yolov8", "yolox"])
def test_detections_equal_the_reference(family, clip, step, least):
    pictures = pictures_of(clip, step, 8)
    plain = PlainYolov8() if family == "yolov8" else PlainYolox()
    file = PlainYolov8.file if family == "yolov8" else "yolox_nano.onnx"
    model = load_model(
        REAL / "models" / file, InferOptions(threads=1, engine="onnxruntime", confidence=CONFIDENCE)
    )
    assert model.decoder.name == family
    found = []
    for start in range(0, len(pictures), 4):
        batch = FrameBatch([Frame.from_array(one, "BGR") for one in pictures[start : start + 4]])
        found += [result.detections for result in model.results(batch)]
    model.close()
    truth = [plain_yolov8(plain, one) if family == "yolov8" else plain(one, CONFIDENCE) for one in pictures]
    f1, hits = agreement(zip(found, truth, strict=True))
    assert hits >= least
    assert f1 >= 0.99
