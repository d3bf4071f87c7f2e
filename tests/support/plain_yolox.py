"""A detector written without this package: what the pipeline's detections are compared with."""

import os
from pathlib import Path

import cv2
import numpy as np

REAL = Path(os.environ.get("HEADRACE_REAL", Path(__file__).resolve().parents[3] / "shared" / "real"))
PEOPLE = "person_one_by_one_768x432_h264_10fps.mp4"
CARS = "cars_topdown_768x432_h264_12.5fps.mp4"
CONFIDENCE = 0.25


class PlainYolox:
    """YOLOX as its authors' demo does it, in loops and plain NumPy."""

    def __init__(self):
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        settings.log_severity_level = 3
        path = str(REAL / "models" / "yolox_nano.onnx")
        self.session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])

    def __call__(self, picture, confidence):
        ratio = min(416 / picture.shape[0], 416 / picture.shape[1])
        small = cv2.resize(picture, (int(picture.shape[1] * ratio), int(picture.shape[0] * ratio)))
        padded = np.full((416, 416, 3), 114, np.uint8)
        padded[: small.shape[0], : small.shape[1]] = small
        (out,) = self.session.run(None, {"images": padded.transpose(2, 0, 1)[None].astype(np.float32)})
        rows, index = [], 0
        for stride in (8, 16, 32):
            for y in range(416 // stride):
                for x in range(416 // stride):
                    row, index = out[0, index], index + 1
                    class_id = int(np.argmax(row[5:]))
                    score = float(row[4] * row[5 + class_id])
                    if score < confidence:
                        continue
                    cx, cy = (row[0] + x) * stride, (row[1] + y) * stride
                    w, h = np.exp(row[2]) * stride, np.exp(row[3]) * stride
                    box = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]) / ratio
                    rows.append((score, class_id, box))
        kept = []
        for score, class_id, box in sorted(rows, key=lambda r: -r[0]):
            if all(c != class_id or iou(box, b) <= 0.45 for _, c, b in kept):
                kept.append((score, class_id, box))
        limit = [picture.shape[1], picture.shape[0]] * 2
        return [(score, class_id, np.clip(box, 0, limit)) for score, class_id, box in kept]


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def agreement(pairs):
    """F1 at IoU 0.9 and equal class; those within 0.05 of the threshold need no partner."""
    hits = lost = invented = 0
    for found, truth in pairs:
        ours = [(float(c), int(k), box) for box, c, k, _ in found]
        theirs = list(truth)
        for one in list(ours):
            match = [t for t in theirs if t[1] == one[1] and iou(t[2], one[2]) >= 0.9]
            if match:
                best = max(match, key=lambda t: iou(t[2], one[2]))
                theirs = [t for t in theirs if t is not best]
                ours = [o for o in ours if o is not one]
                hits += max(one[0], best[0]) >= CONFIDENCE + 0.05
        invented += sum(o[0] >= CONFIDENCE + 0.05 for o in ours)
        lost += sum(t[0] >= CONFIDENCE + 0.05 for t in theirs)
    return 2 * hits / (2 * hits + lost + invented), hits
