"""Outputs of a usual model of each family, by shape, for the bench of decoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Cells of an input of 640x640 at strides 8, 16 and 32.
_CELLS = 8400
_COCO = 80


@dataclass(frozen=True, slots=True)
class Layout:
    """The outputs of a model.

    Attributes:
        outputs: Name to shape, without the batch axis; whole numbers where the name ends in ``*``.
        size: Width and height of the input.
        metadata: What the exporter stores.
        whole: Output to column to bounds (the upper one excluded): columns of whole numbers.
        corners: Output to the first of the columns that hold left, top, right and bottom.

    Example:
        >>> LAYOUTS["yolov8"].outputs
        {'output0': (84, 8400)}
    """

    outputs: Mapping[str, tuple[int, ...]]
    size: tuple[int, int] = (640, 640)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    whole: Mapping[str, Mapping[int, tuple[int, int]]] = field(default_factory=dict)
    corners: Mapping[str, int] = field(default_factory=dict)


def _square(side: int, strides: tuple[int, ...], lengths: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Rows of each stride: ``{name}_{stride}`` to ``(cells, length)``."""
    cells = {stride: (-(-side // stride)) ** 2 for stride in strides}
    return {
        f"{name}_{stride}": (rows, length)
        for name, length in lengths.items()
        for stride, rows in cells.items()
    }


def _maps(side: int, strides: tuple[int, ...], channels: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Maps of each stride: ``{name}{stride}`` to ``(channels, h, w)``."""
    return {
        f"{name}{stride}": (count, -(-side // stride), -(-side // stride))
        for name, count in channels.items()
        for stride in strides
    }


_ANCHORED = {f"map{n}": (3, side, side, 5 + _COCO) for n, side in enumerate((80, 40, 20))}
_THREE = {"boxes": (300, 4), "scores": (300,), "labels*": (300,)}
_QUERIES = {"logits": (300, _COCO), "pred_boxes": (300, 4)}
_CLASS = (0, _COCO)
_COUNT = {0: (300, 301)}
_PEOPLE = {"task": "pose", "kpt_shape": "[17, 3]", "names": "{0: 'person'}"}

#: By decoder. A decoder of the registry that is missing here is not measured, and a test fails.
LAYOUTS: dict[str, Layout] = {
    "blazeface": Layout({"regressors": (896, 16), "classificators": (896, 1)}, (128, 128)),
    "centernet": Layout({"hm": (_COCO, 128, 128), "wh": (2, 128, 128), "reg": (2, 128, 128)}, (512, 512)),
    "classifier": Layout({"prob": (1000,)}, (224, 224)),
    "damoyolo": Layout({"output": (_CELLS, _COCO), "954": (_CELLS, 4)}),
    "deepstreamyolo": Layout({"output": (_CELLS, 6)}, whole={"output": {5: _CLASS}}, corners={"output": 0}),
    "detectionoutput": Layout(
        {"detection_out": (1, 1, 300, 7)}, (300, 300), whole={"detection_out": {0: (0, 1), 1: _CLASS}}
    ),
    "detectnet": Layout({"output_cov": (3, 34, 60), "output_bbox": (12, 34, 60)}, (960, 544)),
    "detr": Layout({"logits": (100, _COCO + 1), "pred_boxes": (100, 4)}, (800, 800)),
    "dino": Layout({"pred_logits": (900, _COCO), "pred_boxes": (900, 4)}, (800, 800)),
    "efficientnms": Layout(
        {"num_dets*": (1,), "det_boxes": (300, 4), "det_scores": (300,), "det_classes*": (300,)},
        whole={"num_dets": _COUNT},
        corners={"det_boxes": 0},
    ),
    "embedding": Layout({"embedding": (512,)}, (112, 112)),
    "fastestdet": Layout({"758": (5 + _COCO, 22, 22)}, (352, 352)),
    "gfl": Layout(_maps(800, (8, 16, 32, 64, 128), {"cls": _COCO, "bbox": 68}), (800, 800)),
    "heatmap": Layout({"heatmaps": (17, 64, 48)}, (192, 256)),
    "maskrcnn": Layout(
        {"boxes": (300, 4), "labels*": (300,), "scores": (300,), "masks": (300, 1, 28, 28)}, (800, 800)
    ),
    "mmdet": Layout({"dets": (300, 5), "labels*": (300,)}, (800, 800)),
    "movenet": Layout({"output_0": (1, 17, 3)}, (192, 192)),
    "movenetmulti": Layout({"output_0": (6, 56)}, (256, 256)),
    "multilabel": Layout({"sigmoid": (40,)}, (224, 224)),
    "nanodet": Layout(_square(416, (8, 16, 32), {"cls": _COCO, "dis": 32}), (416, 416)),
    "nanodetplus": Layout({"output": (3598, _COCO + 32)}, (416, 416)),
    "paddle": Layout(
        {"multiclass_nms3_0.tmp_0": (300, 6), "multiclass_nms3_0.tmp_2*": (1,)},
        whole={"multiclass_nms3_0.tmp_0": {0: _CLASS}, "multiclass_nms3_0.tmp_2": _COUNT},
    ),
    "picodet": Layout(_square(416, (8, 16, 32, 64), {"cls": _COCO, "dis": 32}), (416, 416)),
    "ppyoloe": Layout({"tmp_16": (_CELLS, 4), "concat_14": (_COCO, _CELLS)}),
    "raw": Layout({"output": (_CELLS, 5 + _COCO)}),
    "retinaface": Layout({"bbox": (16800, 4), "confidence": (16800, 2), "landmark": (16800, 10)}),
    "retinanet": Layout(_maps(640, (8, 16, 32, 64, 128), {"cls": 9 * _COCO, "box": 36})),
    "rfdetr": Layout({"dets": (300, 4), "labels": (300, 91)}, (560, 560)),
    "rtdetr": Layout(_QUERIES),
    "scrfd": Layout({f"{n}{i}": (12800 // 4**i, n) for n in (1, 4, 10) for i in range(3)}),
    "semantic": Layout({"out": (21, 520, 520)}, (520, 520)),
    "simcc": Layout({"simcc_x": (17, 384), "simcc_y": (17, 512)}, (192, 256)),
    "ssd": Layout(_THREE, (300, 300), corners={"boxes": 0}),
    "ssdboxes": Layout({"scores": (3000, 1 + _COCO), "boxes": (3000, 4)}, (300, 300), corners={"boxes": 0}),
    "ssdraw": Layout({"loc": (8732, 4), "conf": (8732, 81)}, (300, 300)),
    "torchvision": Layout(_THREE, (800, 800)),
    "ultraface": Layout({"scores": (17640, 2), "boxes": (17640, 4)}, (640, 480)),
    "yolo26obb": Layout({"output0": (300, 7)}, metadata={"task": "obb"}, whole={"output0": {5: _CLASS}}),
    "yolo26pose": Layout(
        {"output0": (300, 57)}, metadata=_PEOPLE, whole={"output0": {5: (0, 1)}}, corners={"output0": 0}
    ),
    "yolo26seg": Layout(
        {"output0": (300, 38), "output1": (32, 160, 160)},
        metadata={"task": "segment"},
        whole={"output0": {5: _CLASS}},
        corners={"output0": 0},
    ),
    "yolonas": Layout({"913": (_CELLS, 4), "904": (_CELLS, _COCO)}),
    "yolonms": Layout({"output": (300, 7)}, whole={"output": {0: (0, 1), 5: _CLASS}}, corners={"output": 1}),
    "yolov10": Layout({"output0": (300, 6)}, whole={"output0": {5: _CLASS}}, corners={"output0": 0}),
    "yolov3": Layout(_maps(416, (8, 16, 32), {"map": 3 * (5 + _COCO)}), (416, 416)),
    "yolov4": Layout(_maps(416, (8, 16, 32), {"map": 3 * (5 + _COCO)}), (416, 416)),
    "yolov4boxes": Layout({"boxes": (3 * _CELLS, 1, 4), "confs": (3 * _CELLS, _COCO)}),
    "yolov5": Layout({"output": (3 * _CELLS, 5 + _COCO)}),
    "yolov5raw": Layout(_ANCHORED),
    "yolov5seg": Layout({"output0": (3 * _CELLS, 5 + _COCO + 32), "output1": (32, 160, 160)}),
    "yolov6": Layout({"outputs": (_CELLS, 5 + _COCO)}, whole={"outputs": {4: (1, 2)}}),
    "yolov7raw": Layout(_ANCHORED),
    "yolov8": Layout({"output0": (4 + _COCO, _CELLS)}),
    "yolov8obb": Layout({"output0": (4 + 15 + 1, 21504)}, (1024, 1024)),
    "yolov8pose": Layout({"output0": (56, _CELLS)}, metadata=_PEOPLE),
    "yolov8seg": Layout({"output0": (4 + _COCO + 32, _CELLS), "output1": (32, 160, 160)}),
    "yolox": Layout({"output": (_CELLS, 5 + _COCO)}),
    "yunet": Layout(_square(640, (8, 16, 32), {"cls": 1, "obj": 1, "bbox": 4, "kps": 10})),
}
