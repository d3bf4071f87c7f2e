"""Detectors written without this package, from papers and model cards, in loops: what decoders are compared with."""

import math

import cv2
import numpy as np
from plain_yolox import REAL, iou


class Plain:
    """Runs a model file on BGR pictures; derive with ``prepare`` and ``read``."""

    file = ""
    overlap = 0.45
    confidence = 0.25

    def __init__(self):
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        settings.log_severity_level = 3
        path = str(REAL / "models" / self.file)
        self.session = onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])

    def __call__(self, picture):
        """Rows of confidence, class, box and landmarks in pixels of the picture."""
        tensor, scale, shift = self.prepare(picture)
        names = [output.name for output in self.session.get_outputs()]
        outputs = self.session.run(None, {self.session.get_inputs()[0].name: tensor})
        kept = []
        rows = sorted(self.read(dict(zip(names, outputs, strict=True))), key=lambda row: -row[0])
        for score, class_id, box, *points in rows:
            if all(c != class_id or iou(box, b) <= self.overlap for _, c, b, *_ in kept):
                kept.append((score, class_id, box, *points))
        limit = [picture.shape[1], picture.shape[0]] * 2
        found = []
        for score, class_id, box, *points in kept:
            box = np.clip((np.array(box) - [*shift, *shift]) / [*scale, *scale], 0, limit)
            found.append((score, class_id, box, *[(np.array(p) - shift) / scale for p in points]))
        return found


def blob(picture):
    return np.ascontiguousarray(picture.astype(np.float32).transpose(2, 0, 1)[None])


def stretched(picture, width, height):
    return cv2.resize(picture, (width, height)), (width / picture.shape[1], height / picture.shape[0]), (0, 0)


class PlainNanodet(Plain):
    """NanoDet-m 416: arXiv:2006.04388 and the model's configuration, ``keep_ratio: True``."""

    file, overlap, confidence = "nanodet_m_416.onnx", 0.6, 0.35

    def prepare(self, picture):
        height, width = picture.shape[:2]
        ratio = min(416 / width, 416 / height)
        new = round(width * ratio), round(height * ratio)
        left, top = (416 - new[0]) // 2, (416 - new[1]) // 2
        whole = np.zeros((416, 416, 3), np.uint8)
        whole[top : top + new[1], left : left + new[0]] = cv2.resize(picture, new)
        normal = (whole.astype(np.float32) - [103.53, 116.28, 123.675]) / [57.375, 57.12, 58.395]
        return blob(normal), (new[0] / width, new[1] / height), (left, top)

    def read(self, outputs):
        for stride in (8, 16, 32):
            scores, sides = (outputs[f"{part}_pred_stride_{stride}"][0] for part in ("cls", "dis"))
            columns = 416 // stride
            for cell in range(columns * columns):
                score = scores[cell].max()
                if score < self.confidence:
                    continue
                x, y = (cell % columns + 0.5) * stride, (cell // columns + 0.5) * stride
                distances = []
                for side in range(4):
                    bins = np.exp(sides[cell, 8 * side : 8 * side + 8].astype(np.float64))
                    distances.append(stride * sum(i * b for i, b in enumerate(bins)) / bins.sum())
                box = (x - distances[0], y - distances[1], x + distances[2], y + distances[3])
                yield float(score), int(scores[cell].argmax()), box


class PlainFastestdet(Plain):
    """FastestDet 352: handle_preds of its authors."""

    file, confidence = "fastestdet_352.onnx", 0.4

    def prepare(self, picture):
        small, scale, shift = stretched(picture, 352, 352)
        return blob(small) / np.float32(255), scale, shift

    def read(self, outputs):
        (maps,) = outputs.values()
        for y in range(22):
            for x in range(22):
                row = maps[0, :, y, x].astype(np.float64)
                score = row[0] ** 0.6 * row[5:].max() ** 0.4
                if score < self.confidence:
                    continue
                cx, cy = (math.tanh(row[1]) + x) / 22 * 352, (math.tanh(row[2]) + y) / 22 * 352
                w, h = 352 / (1 + math.exp(-row[3])), 352 / (1 + math.exp(-row[4]))
                yield score, int(row[5:].argmax()), (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)


class PlainUltraface(Plain):
    """UltraFace RFB 320: the authors' predict."""

    file, overlap, confidence = "ultraface_rfb_320.onnx", 0.3, 0.3

    def prepare(self, picture):
        small, scale, shift = stretched(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), 320, 240)
        return blob((small.astype(np.float32) - 127) / 128), scale, shift

    def read(self, outputs):
        for chances, box in zip(outputs["scores"][0], outputs["boxes"][0], strict=True):
            if chances[1] > self.confidence:
                yield float(chances[1]), 0, (box[0] * 320, box[1] * 240, box[2] * 320, box[3] * 240)


class PlainYunet(Plain):
    """YuNet: what OpenCV's FaceDetectorYN does with the twelve outputs, on a picture enlarged to 640 pixels."""

    file, overlap, confidence = "yunet_2026may.onnx", 0.3, 0.3

    def prepare(self, picture):
        ratio = min(640 / picture.shape[1], 640 / picture.shape[0])
        new = int(picture.shape[1] * ratio), int(picture.shape[0] * ratio)
        whole = np.zeros((640, 640, 3), np.uint8)
        whole[: new[1], : new[0]] = cv2.resize(picture, new)
        return blob(whole), (new[0] / picture.shape[1], new[1] / picture.shape[0]), (0, 0)

    def read(self, outputs):
        for stride in (8, 16, 32):
            parts = [outputs[f"{part}_{stride}"][0] for part in ("cls", "obj", "bbox", "kps")]
            columns = 640 // stride
            for cell, (cls, obj, box, points) in enumerate(zip(*parts, strict=True)):
                score = math.sqrt(min(max(cls[0], 0), 1) * min(max(obj[0], 0), 1))
                if score < self.confidence:
                    continue
                x, y = cell % columns, cell // columns
                cx, cy = (x + box[0]) * stride, (y + box[1]) * stride
                w, h = math.exp(box[2]) * stride, math.exp(box[3]) * stride
                landmarks = [
                    ((points[2 * i] + x) * stride, (points[2 * i + 1] + y) * stride) for i in range(5)
                ]
                yield score, 0, (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), landmarks
