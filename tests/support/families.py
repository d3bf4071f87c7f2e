"""Outputs of model families for known objects, made by inverting each paper's decoding, in loops."""

import itertools
import math

import numpy as np

#: left, top, right, bottom, class, confidence in pixels of the input; the last is below the tests' threshold of 0.4.
OBJECTS = (
    (10.0, 8.0, 30.0, 40.0, 2, 0.9),
    (50.0, 20.0, 90.0, 60.0, 0, 0.5),
    (-6.0, 30.0, 12.0, 60.0, 1, 0.72),
    (61.0, 2.0, 71.0, 16.0, 1, 0.39),
)
#: The same for families that know faces only.
FACES = tuple((*box, 0, confidence) for *box, _, confidence in OBJECTS)
CLASSES = 3


def cells(size, strides):
    """``(column, row, stride)`` of each cell, written out."""
    width, height = size
    return [
        (x, y, s) for s in strides for y in range(math.ceil(height / s)) for x in range(math.ceil(width / s))
    ]


def middle(box):
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]


def landmarks(box):
    """Five points that depend on the box: a fifth, two fifths … of the way from its left top to its right bottom."""
    part = [(number + 0.5) / 5 for number in range(5)]
    return [(box[0] + p * (box[2] - box[0]), box[1] + p * (box[3] - box[1])) for p in part]


def _place(box, size, strides, centre):
    """The number of the first cell from which no side is further than seven strides, with its point inside."""
    cx, cy, _, _ = middle(box)
    for stride in strides:
        x, y = int(cx // stride), int(cy // stride)
        px, py = (x + centre) * stride, (y + centre) * stride
        sides = px - box[0], py - box[1], box[2] - px, box[3] - py
        if min(sides) >= 0 and max(sides) < 7 * stride:
            return cells(size, strides).index((x, y, stride)), [side / stride for side in sides]
    raise AssertionError(f"no cell for {box}")


def distributions(objects, size, strides, centre):
    """Scores ``(cells, classes)`` and logits ``(cells, 32)`` whose means are the distances."""
    count = len(cells(size, strides))
    scores, logits = np.zeros((count, CLASSES)), np.full((count, 4, 8), -60.0)
    for *box, class_id, confidence in objects:
        row, sides = _place(box, size, strides, centre)
        scores[row, class_id] = confidence
        for side, distance in enumerate(sides):
            low = int(distance)
            logits[row, side, low] = math.log(max(1 - (distance - low), 1e-9))
            logits[row, side, low + 1] = math.log(max(distance - low, 1e-9))
    return scores, logits.reshape(count, 32)


def _by_stride(array, size, strides):
    bounds = np.cumsum([0] + [len(cells(size, (stride,))) for stride in strides])
    return [array[low:high] for low, high in itertools.pairwise(bounds)]


def nanodet(objects, size):
    strides = (8, 16, 32)
    scores, logits = (_by_stride(a, size, strides) for a in distributions(objects, size, strides, 0.5))
    named = {f"cls_pred_stride_{s}": part for s, part in zip(strides, scores, strict=True)}
    return named | {f"dis_pred_stride_{s}": part for s, part in zip(strides, logits, strict=True)}


def picodet(objects, size):
    strides = (8, 16, 32, 64)
    scores, logits = (_by_stride(a, size, strides) for a in distributions(objects, size, strides, 0.5))
    named = {f"transpose_{2 * i}.tmp_0": part for i, part in enumerate(scores)}
    return named | {f"transpose_{2 * i + 1}.tmp_0": part for i, part in enumerate(logits)}


def nanodetplus(objects, size):
    return {"output": np.hstack(distributions(objects, size, (8, 16, 32, 64), 0.0))}


def gfl(objects, size):
    strides = (8, 16, 32, 64, 128)
    scores, logits = distributions(objects, size, strides, 0.0)
    chances = np.clip(scores, 0.001, 0.999)
    named = {}
    for kind, whole in (("cls_score", np.log(chances / (1 - chances))), ("bbox_pred", logits)):
        for number, (stride, part) in enumerate(zip(strides, _by_stride(whole, size, strides), strict=True)):
            shape = math.ceil(size[1] / stride), math.ceil(size[0] / stride), -1
            named[f"{kind}_{number}"] = part.reshape(shape).transpose(2, 0, 1)
    return named


def fastestdet(objects, size):
    rows, columns = size[1] // 16, size[0] // 16
    maps = np.zeros((5 + CLASSES, rows, columns))
    for *box, class_id, confidence in objects:
        cx, cy, w, h = middle(box)
        x, y = int(cx // 16), int(cy // 16)
        maps[:5, y, x] = (
            confidence, math.atanh(cx / 16 - x), math.atanh(cy / 16 - y),
            -math.log(size[0] / w - 1), -math.log(size[1] / h - 1),
        )  # fmt: skip
        maps[5 + class_id, y, x] = confidence
    return {"758": maps}


def detectnet(objects, size):
    rows, columns = size[1] // 16, size[0] // 16
    coverage, sides = np.zeros((CLASSES, rows, columns)), np.zeros((4 * CLASSES, rows, columns))
    for *box, class_id, confidence in objects:
        cx, cy, _, _ = middle(box)
        x, y = int(cx // 16), int(cy // 16)
        px, py = x * 16 + 0.5, y * 16 + 0.5
        coverage[class_id, y, x] = confidence
        distances = px - box[0], py - box[1], box[2] - px, box[3] - py
        sides[4 * class_id : 4 * class_id + 4, y, x] = [distance / 35 for distance in distances]
    return {"output_cov/Sigmoid:0": coverage, "output_bbox/BiasAdd:0": sides}


def centernet(objects, size):
    rows, columns = size[1] // 4, size[0] // 4
    heat, sizes, offsets = (np.zeros((channels, rows, columns)) for channels in (CLASSES, 2, 2))
    for *box, class_id, confidence in objects:
        cx, cy, w, h = (value / 4 for value in middle(box))
        x, y = int(cx), int(cy)
        heat[class_id, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = confidence - 0.05  # no peaks
        heat[class_id, y, x] = confidence
        sizes[:, y, x], offsets[:, y, x] = (w, h), (cx - x, cy - y)
    return {"hm": heat, "wh": sizes, "reg": offsets}


def ultraface(objects, size):
    count = sum(len(cells(size, (stride,))) * boxes for stride, boxes in ((8, 3), (16, 2), (32, 2), (64, 3)))
    scores, boxes = np.tile([1.0, 0.0], (count, 1)), np.zeros((count, 4))
    for number, (*box, _, confidence) in enumerate(objects):
        scores[7 * number + 3] = 1 - confidence, confidence
        boxes[7 * number + 3] = np.array(box) / [*size, *size]
    return {"scores": scores, "boxes": boxes}


def yunet(objects, size):
    parts = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    whole = {part: np.zeros((len(cells(size, (8, 16, 32))), length)) for part, length in parts.items()}
    for number, (*box, _, confidence) in enumerate(objects):
        stride = (8, 16, 32, 8)[number]
        cx, cy, w, h = middle(box)
        x, y = int(cx // stride), int(cy // stride)
        row = cells(size, (8, 16, 32)).index((x, y, stride))
        whole["cls"][row], whole["obj"][row] = confidence, confidence
        whole["bbox"][row] = cx / stride - x, cy / stride - y, math.log(w / stride), math.log(h / stride)
        whole["kps"][row] = [v for px, py in landmarks(box) for v in (px / stride - x, py / stride - y)]
    return {
        f"{part}_{stride}": rows
        for part, array in whole.items()
        for stride, rows in zip((8, 16, 32), _by_stride(array, size, (8, 16, 32)), strict=True)
    }


def scrfd(objects, size):
    strides = (8, 16, 32)
    count = 2 * len(cells(size, strides))
    scores, boxes, points = np.zeros((count, 1)), np.zeros((count, 4)), np.zeros((count, 10))
    for number, (*box, _, confidence) in enumerate(objects):
        stride = (8, 16, 32, 8)[number]
        cx, cy, _, _ = middle(box)
        x, y = int(cx // stride), int(cy // stride)
        row = 2 * cells(size, strides).index((x, y, stride)) + number % 2
        px, py = x * stride, y * stride
        scores[row] = confidence
        boxes[row] = np.array([px - box[0], py - box[1], box[2] - px, box[3] - py]) / stride
        points[row] = [v for kx, ky in landmarks(box) for v in ((kx - px) / stride, (ky - py) / stride)]
    named = {}
    for first, array in ((448, scores), (451, boxes), (454, points)):
        bounds = np.cumsum([0] + [2 * len(cells(size, (stride,))) for stride in strides])
        named |= {str(first + i): array[bounds[i] : bounds[i + 1]] for i in range(3)}
    return named


def retinaface(objects, size):
    count = 2 * len(cells(size, (8, 16, 32)))
    boxes, scores, points = np.zeros((count, 4)), np.tile([1.0, 0.0], (count, 1)), np.zeros((count, 10))
    for number, (*box, _, confidence) in enumerate(objects):
        stride = (8, 16, 32, 8)[number]
        cx, cy, w, h = middle(box)
        x, y = int(cx // stride), int(cy // stride)
        row = 2 * cells(size, (8, 16, 32)).index((x, y, stride)) + number % 2
        side, ax, ay = stride * (2, 4)[number % 2], (x + 0.5) * stride, (y + 0.5) * stride
        scores[row] = 1 - confidence, confidence
        boxes[row, :2] = (cx - ax) / side / 0.1, (cy - ay) / side / 0.1
        boxes[row, 2:] = math.log(w / side) / 0.2, math.log(h / side) / 0.2
        points[row] = [
            v for px, py in landmarks(box) for v in ((px - ax) / side / 0.1, (py - ay) / side / 0.1)
        ]
    return {"bbox": boxes, "confidence": scores, "landmark": points}


#: Detectors by decoder: how to encode, the objects, whether there are landmarks.
DETECTORS = {
    "nanodet": (nanodet, OBJECTS, False),
    "picodet": (picodet, OBJECTS, False),
    "nanodetplus": (nanodetplus, OBJECTS, False),
    "gfl": (gfl, OBJECTS, False),
    "fastestdet": (fastestdet, OBJECTS, False),
    "detectnet": (detectnet, OBJECTS, False),
    "centernet": (centernet, OBJECTS, False),
    "ultraface": (ultraface, FACES, False),
    "yunet": (yunet, FACES, True),
    "scrfd": (scrfd, FACES, True),
    "retinaface": (retinaface, FACES, True),
}
