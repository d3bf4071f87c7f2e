"""Outputs that networks of many families would give for known objects, made by inverting each family's decoding.

Everything is in loops and apart from the package, after papers and the families' own code.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

WIDTH, HEIGHT, CLASSES = 96, 64, 3
#: left, top, right, bottom, class, confidence; turned boxes have their angle besides.
FIRST = [(10.0, 8.0, 30.0, 40.0, 2, 0.9), (50.0, 20.0, 90.0, 60.0, 0, 0.5), (1.0, 2.0, 5.0, 6.0, 1, 0.39)]
OTHER = [(40.0, 12.0, 64.0, 28.0, 1, 0.75)]
ANGLES = (30.0, -20.0, 0.0)
ONES, GREY = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


@dataclass
class Input:
    """How the family's own code makes the input of pictures."""

    resize: str = "centre"
    pad: float = 114
    color: str = "RGB"
    scale: float = 1 / 255
    mean: tuple = GREY
    std: tuple = ONES


@dataclass
class Case:
    """A family's outputs for objects.

    Attributes:
        decoder: Its name here.
        encode: Objects of one picture to outputs without a batch axis.
        labels: Number of labels that are known.
        metadata: What the exporter stores.
        size: Width and height of the input.
        batched: Whether outputs have a batch axis.
        class_offset: Numbers of the classes begin here.
        named: The decoder has to be named, with these options.
        settings: Options of the decoder.
        made: How the input is made.
        extra: Names of further columns that are checked.
    """

    decoder: str
    encode: object
    labels: int | None = None
    metadata: dict = field(default_factory=dict)
    size: tuple = (WIDTH, HEIGHT)
    batched: bool = True
    named: bool = False
    settings: dict = field(default_factory=dict)
    made: Input = field(default_factory=Input)
    extra: tuple = ()


def cells(strides=(8, 16, 32), size=(WIDTH, HEIGHT)):
    """Column, row, stride of each cell."""
    return [(x, y, s) for s in strides for y in range(-(-size[1] // s)) for x in range(-(-size[0] // s))]


def place(number):
    """A cell for each object, spread over the strides."""
    return (5, 96 + 7, 60)[number]


def middle(box):
    """Centre x, y, width, height."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]


def inverse_sigmoid(p):
    return float(np.log(p / (1 - p)))


def yolox(objects):
    out = np.zeros((len(cells()), 5 + CLASSES), np.float32)
    for n, (*box, k, p) in enumerate(objects):
        x, y, s = cells()[place(n)]
        cx, cy, w, h = middle(box)
        out[place(n), :5] = cx / s - x, cy / s - y, np.log(w / s), np.log(h / s), 0.95
        out[place(n), 5 + k] = p / 0.95
    return {"output": out}


def yolox_decoded(objects):
    """Every cell has a size above zero, as ``exp`` gives it."""
    out = np.zeros((len(cells()), 5 + CLASSES), np.float32)
    out[:, 2:4] = 8
    for n, (*box, k, p) in enumerate(objects):
        out[place(n), :5] = *middle(box), 0.95
        out[place(n), 5 + k] = p / 0.95
    return {"output": out}


def yolov6(objects):
    out = yolox_decoded([])["output"]
    out[:, 4] = 1
    for n, (*box, k, p) in enumerate(objects):
        out[place(n), :4] = middle(box)
        out[place(n), 5 + k] = p
    return {"outputs": out}


def yolov5(objects):
    out = np.zeros((3 * len(cells()), 5 + CLASSES), np.float32)
    for n, (*box, k, p) in enumerate(objects):
        out[3 * place(n) + n, :5] = *middle(box), 0.97
        out[3 * place(n) + n, 5 + k] = p / 0.97
    return {"output": out}


def yolov5_with_maps(objects):
    maps = {
        f"{n}": np.full((3, HEIGHT // s, WIDTH // s, 8), 7, np.float32) for n, s in enumerate((8, 16, 32))
    }
    return yolov5(objects) | maps


def yolov8(objects):
    out = np.zeros((4 + CLASSES, len(cells())), np.float32)
    for n, (*box, k, p) in enumerate(objects):
        out[:4, place(n)] = middle(box)
        out[4 + k, place(n)] = p
    return {"output0": out}


def yolov9_dual(objects):
    """What the auxiliary head says must not come out."""
    return {
        "output0": np.full((4 + CLASSES, len(cells())), 0.95, np.float32),
        "1911": yolov8(objects)["output0"],
    }


def yolov8_rows(objects):
    return {"output0": yolov8(objects)["output0"].T.copy()}


def yolov8_p2(objects):
    out = np.zeros((4 + CLASSES, len(cells((4, 8, 16, 32)))), np.float32)
    out[:, : len(cells())] = yolov8(objects)["output0"]
    return {"output0": out}


def yolov8_obb(objects):
    out = np.zeros((4 + CLASSES + 1, len(cells())), np.float32)
    out[:-1] = yolov8(objects)["output0"]
    for n in range(len(objects)):
        out[-1, place(n)] = np.radians(ANGLES[n])
    return {"output0": out}


def points_of(box):
    """Two keypoints of an object: x, y, confidence."""
    return [(box[0] + 1, box[1] + 2, 0.75), (box[2] - 1, box[3] - 2, 0.5)]


def yolov8_pose(objects):
    out = np.zeros((4 + CLASSES + 6, len(cells())), np.float32)
    out[:7] = yolov8(objects)["output0"]
    for n, (*box, _, _) in enumerate(objects):
        out[7:, place(n)] = np.array(points_of(box)).ravel()
    return {"output0": out}


def rows_of_six(objects):
    out = np.zeros((20, 6), np.float32)
    for n, (*box, k, p) in enumerate(objects):
        out[n] = *box, p, k
    return {"output0": out}


def rows_class_first(objects):
    return {"output0": rows_of_six(objects)["output0"][:, [0, 1, 2, 3, 5, 4]].copy()}


def rows_turned(objects):
    out = np.zeros((20, 7), np.float32)
    out[:, :6] = rows_of_six(objects)["output0"]
    for n, (*box, _, _) in enumerate(objects):
        out[n, :4], out[n, 6] = middle(box), np.radians(ANGLES[n])
    return {"output0": out}


def rows_points(objects):
    out = np.zeros((20, 12), np.float32)
    out[:, :6] = rows_of_six(objects)["output0"]
    for n, (*box, _, _) in enumerate(objects):
        out[n, 6:] = np.array(points_of(box)).ravel()
    return {"output0": out}


def pictures():
    """Two pictures: the left half of the input, and everything."""
    both = np.full((2, 16, 24), 9, np.float32)
    both[0, :, 12:] = -9
    return both


def seg(objects):
    out = np.zeros((4 + CLASSES + 2, len(cells())), np.float32)
    out[:7] = yolov8(objects)["output0"]
    for n in range(len(objects)):
        out[7:, place(n)] = 0, 1
    return {"output0": out, "output1": pictures()}


def rows_seg(objects):
    out = np.zeros((20, 8), np.float32)
    out[:, :6] = rows_of_six(objects)["output0"]
    out[: len(objects), 6:] = 0, 1
    return {"output0": out, "output1": pictures()}


V3 = [[(10, 13), (16, 30), (33, 23)], [(30, 61), (62, 45), (59, 119)], [(116, 90), (156, 198), (373, 326)]]
V4 = [[(12, 16), (19, 36), (40, 28)], [(36, 75), (76, 55), (72, 146)], [(142, 110), (192, 243), (459, 401)]]


def anchors(objects, table, reach, squared, logits=True, layout="5D"):
    """Raw heads; each object in the cell of its centre, in the first map and with the anchor of its number."""
    off = -9.0 if logits else 0.0
    maps = [np.full((3, HEIGHT // s, WIDTH // s, 5 + CLASSES), off, np.float32) for s in (8, 16, 32)]
    for n, (*box, k, p) in enumerate(objects):
        s, anchor, scale = 8, table[0][n], reach[0]
        cx, cy, w, h = middle(box)
        x, y = int(cx // s), int(cy // s)
        offsets = [((c / s - cell) + (scale - 1) / 2) / scale for c, cell in ((cx, x), (cy, y))]
        if squared:
            sizes = [np.sqrt(side / a) / 2 for side, a in zip((w, h), anchor, strict=True)]
        else:
            sizes = [np.log(side / a) for side, a in zip((w, h), anchor, strict=True)]
        score = np.sqrt(p)
        row = np.full(5 + CLASSES, 0.001 if logits else 0.0)
        row[:2], row[4], row[5 + k] = offsets, score, score
        if squared:
            row[2:4] = sizes
        if logits:
            row[4:] = [inverse_sigmoid(value) for value in row[4:]]
            row[:2] = [inverse_sigmoid(min(max(value, 1e-6), 1 - 1e-6)) for value in row[:2]]
            row[2:4] = [inverse_sigmoid(value) for value in row[2:4]] if squared else sizes
        if not squared:
            row[2:4] = sizes
        maps[0][n, y, x] = row
    if layout == "4D":
        maps = [np.ascontiguousarray(m.transpose(0, 3, 1, 2)).reshape(-1, *m.shape[1:3]) for m in maps]
    if layout == "tf":
        maps = [np.ascontiguousarray(m.transpose(1, 2, 0, 3)) for m in maps]
    if layout == "last":
        maps = [np.ascontiguousarray(m.transpose(1, 2, 0, 3)).reshape(*m.shape[1:3], -1) for m in maps]
    return {f"map{n}": one for n, one in enumerate(maps)}


def yolov4_zoo(objects):
    """ONNX's model zoo: centres and sizes as the convolutions give them, scores behind their sigmoid."""
    maps = anchors(objects, V4, (1.2,), False, layout="tf")
    for one in maps.values():
        one[..., 4:] = 1 / (1 + np.exp(-one[..., 4:]))
    return maps


def deepstream_yolo(objects):
    out = np.zeros((len(cells()), 6), np.float32)
    for n, (*box, k, p) in enumerate(objects):
        out[place(n)], out[place(n) + 1] = (*box, p, k), (*box, p - 0.05, k)
    return {"output": out}


def yolov4_boxes(objects):
    boxes, confs = (
        np.zeros((3 * len(cells()), 1, 4), np.float32),
        np.zeros((3 * len(cells()), CLASSES), np.float32),
    )
    for n, (*box, k, p) in enumerate(objects):
        boxes[place(n), 0], confs[place(n), k] = np.array(box) / [WIDTH, HEIGHT, WIDTH, HEIGHT], p
    return {"boxes": boxes, "confs": confs}


def yolov5_seg(objects):
    out = np.zeros((3 * len(cells()), 5 + CLASSES + 2), np.float32)
    out[:, :8] = yolov5(objects)["output"]
    out[:, 8:] = 0, 1
    return {"output0": out, "output1": pictures()}


def ssd_mobilenet(objects):
    scores, boxes = np.zeros((3000, 1 + CLASSES), np.float32), np.zeros((3000, 4), np.float32)
    scores[:, 0] = 1
    for n, (*box, k, p) in enumerate(objects):
        boxes[7 * n] = np.array(box) / 300
        scores[7 * n, 1 + k] = p
    return {"scores": scores, "boxes": boxes}


def pair(objects):
    boxes, scores = np.zeros((len(cells()), 4), np.float32), np.zeros((len(cells()), CLASSES), np.float32)
    for n, (*box, k, p) in enumerate(objects):
        boxes[place(n)], scores[place(n), k] = box, p
    return boxes, scores


def yolonas(objects):
    boxes, scores = pair(objects)
    return {"913": boxes, "904": scores}


def damoyolo(objects):
    boxes, scores = pair(objects)
    return {"output": scores, "954": boxes}


def ppyoloe(objects):
    boxes, scores = pair(objects)
    return {"tmp_16": boxes, "concat_14": scores.T.copy()}


def three(objects):
    rows = rows_of_six(objects)["output0"]
    return {"boxes": rows[:, :4], "labels": rows[:, 5].astype(np.int64), "scores": rows[:, 4]}


def fractions(objects):
    parts = three(objects)
    return {
        "det_boxes": (parts["boxes"] / [WIDTH, HEIGHT, WIDTH, HEIGHT]).astype(np.float32),
        "det_scores": parts["scores"],
        "det_classes": parts["labels"].astype(np.float32),
    }


def tensorflow(objects):
    parts = fractions(objects)
    return {
        "detection_boxes": parts["det_boxes"][:, [1, 0, 3, 2]],
        "detection_classes": parts["det_classes"],
        "detection_scores": parts["det_scores"],
    }


def counted(objects):
    """Rows beyond the count hold rubbish that must not come out."""
    parts = three(objects)
    parts["scores"][len(objects) :] = 0.99
    names = {"boxes": "det_boxes", "scores": "det_scores", "labels": "det_classes"}
    return {"num_dets": np.array([len(objects)])} | {names[name]: array for name, array in parts.items()}


def seven(objects):
    """YOLOv6's and v7's: row of the batch, box, class, score."""
    rows = [(0, *box, k, p) for *box, k, p in objects]
    return {"output": np.array(rows, np.float32).reshape(-1, 7)}


def seven_flat(objects):
    """YOLO-NAS's: row of the batch, box, score, class."""
    return {"graph2_flat_predictions": seven(objects)["output"][:, [0, 1, 2, 3, 4, 6, 5]]}


def paddle(objects):
    rows = [(k, p, *box) for *box, k, p in objects] + [(-1, 0, 0, 0, 0, 0)]
    return {
        "multiclass_nms3_0.tmp_0": np.array(rows, np.float32),
        "multiclass_nms3_0.tmp_2": np.array([len(objects)], np.int64),
    }


def mmdet(objects):
    rows = rows_of_six(objects)["output0"]
    return {"dets": rows[:, :5].copy(), "labels": rows[:, 5].astype(np.int64)}


def caffe(objects):
    rows = [(0, k, p, *np.array(box) / [WIDTH, HEIGHT, WIDTH, HEIGHT]) for *box, k, p in objects]
    return {"detection_out": np.array([[[*rows, (-1, 0, 0, 0, 0, 0, 0)]]], np.float32)}


def one_picture(objects):
    parts = three(objects)
    return {name: array[: len(objects)] for name, array in parts.items()}


def fraction_box(box):
    return np.array(middle(box)) / (WIDTH, HEIGHT, WIDTH, HEIGHT)


def queries(objects, names=("pred_logits", "pred_boxes"), count=300, off=-9.0):
    logits, boxes = np.full((count, CLASSES), off, np.float32), np.zeros((count, 4), np.float32)
    for n, (*box, k, p) in enumerate(objects):
        logits[n, k], boxes[n] = inverse_sigmoid(p), fraction_box(box)
    return {names[0]: logits, names[1]: boxes}


def detr(objects):
    """Softmax over three classes and one for nothing."""
    logits, boxes = np.zeros((100, CLASSES + 1), np.float32), np.zeros((100, 4), np.float32)
    logits[:, -1] = 9
    for n, (*box, k, p) in enumerate(objects):
        logits[n] = 0
        logits[n, k], boxes[n] = np.log(p * CLASSES / (1 - p)), fraction_box(box)
    return {"logits": logits, "pred_boxes": boxes}


def rtdetr(objects):
    out = np.zeros((300, 4 + CLASSES), np.float32)
    for n, (*box, k, p) in enumerate(objects):
        out[n, :4], out[n, 4 + k] = fraction_box(box), p
    return {"output0": out}


def rfdetr(objects):
    parts = queries(objects, ("labels", "dets"))
    return {"dets": parts["dets"], "labels": parts["labels"]}


def rfdetr_masks(objects):
    return rfdetr(objects) | {"masks": np.full((300, 16, 24), 9, np.float32)}


def retinanet(objects):
    """Each object in a cell of its own; the square anchor of four strides."""
    out = {}
    for s in (8, 16, 32, 64, 128):
        rows, columns = -(-HEIGHT // s), -(-WIDTH // s)
        out[f"cls{s}"] = np.zeros((9 * CLASSES, rows, columns), np.float32)
        out[f"box{s}"] = np.zeros((36, rows, columns), np.float32)
    for *box, k, p in objects:
        cx, cy, w, h = middle(box)
        x, y = int(cx // 8), int(cy // 8)
        out["cls8"][0 * CLASSES + k, y, x] = p
        ax, ay = (x + 0.5) * 8, (y + 0.5) * 8
        out["box8"][:4, y, x] = (cx - ax) / 32, (cy - ay) / 32, np.log(w / 32), np.log(h / 32)
    return out


def ssd300(objects, classes=21, columns=False):
    """SSD300 of Pascal VOC: the first map's cells, the second default box of each (38 x 38, four of them)."""
    deltas, logits = np.zeros((8732, 4), np.float32), np.full((8732, classes), -3.0, np.float32)
    logits[:, 0] = 9
    size = np.sqrt(30 * 60) if classes == 21 else np.sqrt(21 * 45)
    for *box, k, p in objects:
        cx, cy, w, h = middle(box)
        x, y = int(cx // 8), int(cy // 8)
        row = 38 * 38 + y * 38 + x if columns else (y * 38 + x) * 4 + 1
        deltas[row] = (
            (cx - (x + 0.5) * 8) / size / 0.1, (cy - (y + 0.5) * 8) / size / 0.1,
            np.log(w / size) / 0.2, np.log(h / size) / 0.2,
        )  # fmt: skip
        logits[row, :] = 0
        logits[row, 1 + k] = np.log(p * (classes - 1) / (1 - p))
        logits[row, [c for c in range(classes) if c != 1 + k]] = 0
    if columns:
        return {"ploc": deltas.T.copy(), "plabel": logits.T.copy()}
    return {"loc": deltas, "conf": logits}


def _raw(table, reach, squared, **options):
    return lambda objects: anchors(objects, table, reach, squared, **options)


IMAGENET = {"scale": 1.0, "mean": MEAN, "std": STD}
STRETCH = Input("stretch")
PLAIN = Input("stretch", scale=1.0)
ULTRALYTICS = {"names": "{0: 'a', 1: 'b', 2: 'c'}", "imgsz": f"[{HEIGHT}, {WIDTH}]"}


def ultralytics(task, **others):
    return {**ULTRALYTICS, "task": task, **others}


_TOP = Input("topleft", color="BGR", scale=1.0)
_DARKNET = Input(pad=127.5)
CASES = {
    "YOLOX": Case("yolox", yolox, 3, made=_TOP),
    "YOLOX, no labels": Case("yolox", yolox, made=_TOP),
    "YOLOX decoded in the graph": Case("yolox", yolox_decoded, 3, made=_TOP),
    "YOLOv3": Case("yolov3", _raw(V3, (1.0,), False, layout="4D"), 3, named=True, made=_DARKNET),
    "YOLOv3, channels last, sigmoids inside": Case(
        "yolov3", _raw(V3, (1.0,), False, layout="last", logits=False), 3, named=True, made=_DARKNET
    ),
    "YOLOv4": Case("yolov4", _raw(V4, (1.2,), False, layout="4D"), 3, named=True, made=STRETCH),
    "YOLOv4 of ONNX's model zoo": Case("yolov4", yolov4_zoo, 3, named=True, made=STRETCH),
    "YOLOv5 raw": Case("yolov5raw", _raw(V3, (2.0,), True), 3, named=True),
    "YOLOv5 raw, sigmoids inside": Case(
        "yolov5raw", _raw(V3, (2.0,), True, logits=False, layout="4D"), named=True
    ),
    "YOLOv5 raw, other anchors": Case(
        "yolov5raw", _raw(V4, (2.0,), True, layout="4D"), named=True, settings={"anchors": V4}
    ),
    "YOLOv7 raw": Case("yolov7raw", _raw(V4, (2.0,), True), 3, named=True),
    "YOLOv5": Case("yolov5", yolov5, 3),
    "YOLOv5 with raw maps": Case("yolov5", yolov5_with_maps, 3),
    "YOLOv6": Case("yolov6", yolov6, 3),
    "YOLOv8": Case("yolov8", yolov8, 3),
    "YOLOv8 with metadata": Case("yolov8", yolov8, 3, ultralytics("detect")),
    "YOLOv9, two heads": Case("yolov8", yolov9_dual, 3),
    "YOLOv8, rows": Case("yolov8", yolov8_rows, 3),
    "YOLOv8, four strides": Case("yolov8", yolov8_p2, 3),
    "YOLOv8-OBB": Case("yolov8obb", yolov8_obb, 3, ultralytics("obb"), extra=("rotation",)),
    "YOLOv8-pose": Case(
        "yolov8pose", yolov8_pose, 3, ultralytics("pose", kpt_shape="[2, 3]"), extra=("keypoints",)
    ),
    "YOLOv8-pose by options": Case(
        "yolov8pose", yolov8_pose, 3, named=True, settings={"keypoints": [2, 3]}, extra=("keypoints",)
    ),
    "YOLOv8-seg": Case("yolov8seg", seg, 3, extra=("masks",)),
    "YOLOv10": Case("yolov10", rows_of_six),
    "YOLO26 with metadata": Case("yolov10", rows_of_six, 3, ultralytics("detect", end2end="True")),
    "rows of six, class first": Case("yolov10", rows_class_first, 3, settings={"order": "class,score"}),
    "YOLO26-OBB": Case("yolo26obb", rows_turned, 3, ultralytics("obb"), extra=("rotation",)),
    "YOLO26-pose": Case(
        "yolo26pose", rows_points, 3, ultralytics("pose", kpt_shape="[2, 3]"), extra=("keypoints",)
    ),
    "YOLO26-seg": Case("yolo26seg", rows_seg, 3, ultralytics("segment"), extra=("masks",)),
    "DeepStream-Yolo": Case("deepstreamyolo", deepstream_yolo, 3),
    "YOLOv4 with boxes": Case("yolov4boxes", yolov4_boxes, 3, made=STRETCH),
    "YOLOv5-seg": Case("yolov5seg", yolov5_seg, 3, extra=("masks",)),
    "YOLO-NAS": Case("yolonas", yolonas, 3),
    "DAMO-YOLO": Case("damoyolo", damoyolo, 3, made=PLAIN),
    "PP-YOLOE": Case("ppyoloe", ppyoloe, 3, made=STRETCH),
    "EfficientNMS": Case("efficientnms", counted, 3),
    "NonMaxSuppression": Case("yolonms", seven, 3, batched=False),
    "YOLO-NAS, flat": Case("yolonms", seven_flat, 3, batched=False),
    "SSD": Case("ssd", three, 3, made=PLAIN),
    "SSD, fractions": Case("ssd", fractions, 3, made=PLAIN),
    "TensorFlow": Case("ssd", tensorflow, 3, made=PLAIN),
    "torchvision": Case("torchvision", one_picture, 3, batched=False),
    "PaddleDetection": Case("paddle", paddle, 3, batched=False, made=STRETCH),
    "MMDeploy": Case("mmdet", mmdet, 3, made=Input("topleft", 0, **IMAGENET)),
    "DetectionOutput": Case(
        "detectionoutput", caffe, 3, batched=False, made=Input("stretch", color="BGR", scale=1.0)
    ),
    "SSD300, Pascal VOC": Case(
        "ssdraw", ssd300, 20, size=(300, 300), made=Input("stretch", scale=1.0, mean=(123.0, 117.0, 104.0))
    ),
    "SSD300 of NVIDIA": Case(
        "ssdraw", lambda o: ssd300(o, 81, True), 80, size=(300, 300),
        made=Input("stretch", scale=1.0, mean=(128.0,) * 3, std=(128.0,) * 3),
    ),
    "SSD MobileNet": Case(
        "ssdboxes", ssd_mobilenet, 3, size=(300, 300),
        made=Input("stretch", scale=1.0, mean=(127.0,) * 3, std=(128.0,) * 3),
    ),
    "RetinaNet": Case("retinanet", retinanet, 3, made=Input("topleft", **IMAGENET)),
    "DETR": Case("detr", detr, 3, made=Input("stretch", **IMAGENET)),
    "DETR, no labels": Case("detr", detr, made=Input("stretch", **IMAGENET)),
    "DINO": Case("dino", lambda o: queries(o, count=900), 3, made=Input("stretch", **IMAGENET)),
    "RT-DETR": Case("rtdetr", lambda o: queries(o, ("logits", "pred_boxes")), 3, named=True, made=STRETCH),
    "RT-DETR of ultralytics": Case(
        "rtdetr", rtdetr, 3, ultralytics("detect", description="Ultralytics rtdetr-l model"), made=STRETCH
    ),
    "RF-DETR": Case("rfdetr", rfdetr, 3, made=Input("stretch", **IMAGENET)),
    "RF-DETR-seg": Case("rfdetr", rfdetr_masks, 3, made=Input("stretch", **IMAGENET), extra=("masks",)),
}  # fmt: skip
