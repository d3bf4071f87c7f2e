"""The stand-in for an SSD network of TensorFlow: the demo model with suppression and COCO's classes inside."""

from __future__ import annotations

import numpy as np

from headrace.assets.detector import DEMO, OPSET
from headrace.assets.onnxfile import Graph

INPUT, SIDE, ROWS = "image_tensor", 300, 100
#: COCO's numbers of car, bicycle, person and stop sign, in the demo model's order.
_COCO = (3, 2, 1, 13)
_SEEN_WIDTH, _SEEN_HEIGHT = 640, 384
_OVERLAP, _LEAST, _MOST = 0.5, 0.1, 40


def ssd() -> bytes:
    """The ONNX file: RGB ``(N, 3, 300, 300)`` in 0–255 to a hundred rows, the surest first.

    ``detection_boxes`` (N, 100, 4) are top, left, bottom, right in 0–1; then there are ``detection_scores`` (N, 100),
    ``detection_classes`` (N, 100) and ``num_detections`` (N, 1). Rows behind that number have score 0.

    Raises:
        ModelError: The demo model is missing or broken.
    """
    graph = Graph.read(DEMO)
    behind, graph.nodes = graph.nodes, []
    _enter(graph)
    graph.nodes += behind
    boxes, scores = _split(graph)
    _rows(graph, boxes, _suppress(graph, boxes, scores))
    outputs = {
        "detection_boxes": ("batch", ROWS, 4),
        "detection_classes": ("batch", ROWS),
        "detection_scores": ("batch", ROWS),
        "num_detections": ("batch", 1),
    }
    description = "Finds objects of Headrace's rendered scenes, with the tensors of a TensorFlow SSD"
    return graph.model({INPUT: ("batch", 3, SIDE, SIDE)}, outputs, OPSET, description)


def _enter(graph: Graph) -> None:
    scales = np.array([1, 1, (_SEEN_HEIGHT + 0.01) / SIDE, (_SEEN_WIDTH + 0.01) / SIDE], np.float32)
    large = graph.add("Resize", [INPUT, "", graph.constant("hr_scales", scales)], "hr_large", mode="linear")
    graph.add("Mul", [large, graph.constant("hr_unit", np.full(1, 1 / 255, np.float32))], "images")


def _split(graph: Graph) -> tuple[str, str]:
    """Boxes ``(N, anchors, 4)`` as middle and size, and scores ``(N, classes, anchors)``."""
    parts = graph.constant("hr_parts", np.array([4, 4], np.int64))
    boxes = graph.add("Split", ["output0", parts], "hr_lying", "hr_scores", axis=1)
    return graph.add("Transpose", [boxes], "hr_boxes", perm=[0, 2, 1]), "hr_scores"


def _suppress(graph: Graph, boxes: str, scores: str) -> str:
    """The scores of the boxes that stay; those of the others are 0."""
    limits = [
        graph.constant("hr_most", np.array([_MOST], np.int64)),
        graph.constant("hr_overlap", np.array([_OVERLAP], np.float32)),
        graph.constant("hr_least", np.array([_LEAST], np.float32)),
    ]
    kept = graph.add("NonMaxSuppression", [boxes, scores, *limits], "hr_kept", center_point_box=1)
    values = graph.add("GatherND", [scores, kept], "hr_values")
    nothing = graph.add("Mul", [scores, graph.constant("hr_zero", np.zeros(1, np.float32))], "hr_nothing")
    return graph.add("ScatterND", [nothing, kept, values], "hr_staying")


def _rows(graph: Graph, boxes: str, scores: str) -> None:
    """The surest rows, of any class."""
    flat = graph.add("Flatten", [scores], "hr_flat", axis=1)
    count = graph.constant("hr_rows", np.array([ROWS], np.int64))
    graph.add("TopK", [flat, count], "detection_scores", "hr_best", axis=1)
    shape = graph.add("Shape", [scores], "hr_size", start=2)
    which = graph.add("Div", ["hr_best", shape], "hr_class")
    coco = graph.constant("hr_coco", np.array(_COCO, np.float32))
    graph.add("Gather", [coco, which], "detection_classes", axis=0)
    last = graph.constant("hr_last", np.array([2], np.int64))
    anchors = graph.add("Unsqueeze", [graph.add("Mod", ["hr_best", shape], "hr_anchor"), last], "hr_anchors")
    chosen = graph.add("GatherND", [boxes, anchors], "hr_chosen", batch_dims=1)
    # From middle and size to top, left, bottom, right, in shares of the picture.
    corners = np.array([[0, 1, 0, 1], [1, 0, 1, 0], [0, -0.5, 0, 0.5], [-0.5, 0, 0.5, 0]], np.float32)
    corners /= np.array([_SEEN_HEIGHT, _SEEN_WIDTH] * 2, np.float32)
    graph.add("MatMul", [chosen, graph.constant("hr_corners", corners)], "detection_boxes")
    found = graph.add("Sign", ["detection_scores"], "hr_found")
    axis = graph.constant("hr_across", np.array([1], np.int64))
    graph.add("ReduceSum", [found, axis], "num_detections", keepdims=1)
