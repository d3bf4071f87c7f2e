"""The stand-in for the segmentation of defects on a surface: a network without training, and a picture for it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.assets.onnxfile import Graph

INPUT, OUTPUT, SIDE = "input_1", "conv2d_19/Sigmoid", 512
#: Side of the fields whose means are compared with single pixels.
_FIELD = 16
#: Difference from the surroundings, in 0–1, at which a pixel is as likely a defect as not; and how sharply.
_LIMIT, _SLOPE = 0.05, 150.0
_OPSET = 17
_WIDTH, _HEIGHT = 1280, 720


def defect_network() -> bytes:
    """An ONNX file: grey ``(N, 1, 512, 512)`` in 0–1 to the probability of a defect, of the same shape.

    Pixels count as a defect that are, together with their neighbours, brighter or darker than their surroundings.
    """
    graph = Graph()
    coarse = graph.add("AveragePool", [INPUT], "fields", kernel_shape=[_FIELD] * 2, strides=[_FIELD] * 2)
    coarse = graph.add("AveragePool", [coarse], "around", kernel_shape=[5, 5], pads=[2] * 4)
    scales = graph.constant("scales", np.array([1, 1, _FIELD, _FIELD], np.float32))
    usual = graph.add("Resize", [coarse, "", scales], "usual", mode="linear")
    near = graph.add("AveragePool", [INPUT], "near", kernel_shape=[5, 5], pads=[2] * 4)
    difference = graph.add("Abs", [graph.add("Sub", [near, usual], "signed")], "difference")
    above = graph.add("Sub", [difference, graph.constant("limit", np.full(1, _LIMIT, np.float32))], "above")
    logits = graph.add("Mul", [above, graph.constant("slope", np.full(1, _SLOPE, np.float32))], "logits")
    graph.add("Sigmoid", [logits], OUTPUT)
    shape = ("batch", 1, SIDE, SIDE)
    return graph.model({INPUT: shape}, {OUTPUT: shape}, _OPSET, "Finds what differs from its surroundings")


def surface(seed: int = 4) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A picture of brushed metal with scratches and stains.

    Returns:
        BGR ``(720, 1280, 3)``, and where the defects are, ``(720, 1280)``.
    """
    rng = np.random.default_rng(seed)
    grain = cv2.blur(rng.normal(0, 40, (_HEIGHT, _WIDTH)).astype(np.float32), (41, 1))
    shade = np.linspace(-12, 12, _WIDTH, dtype=np.float32)[None]
    marks = np.zeros((_HEIGHT, _WIDTH), np.float32)
    for _ in range(4):
        x, y = rng.integers(150, _WIDTH - 150), rng.integers(100, _HEIGHT - 100)
        steps = np.cumsum(rng.integers(-6, 42, (8, 2)) * rng.choice([-1, 1], 2), axis=0)
        cv2.polylines(marks, [np.add(steps, (x, y)).astype(np.int32)], False, 60.0, 5, cv2.LINE_AA)
    for _ in range(3):
        middle = int(rng.integers(100, _WIDTH - 100)), int(rng.integers(80, _HEIGHT - 80))
        axes = int(rng.integers(14, 34)), int(rng.integers(10, 24))
        cv2.ellipse(marks, middle, axes, float(rng.uniform(0, 180)), 0, 360, -50.0, -1, cv2.LINE_AA)
    grey = np.clip(130 + shade + grain + cv2.GaussianBlur(marks, (5, 5), 0), 0, 255).astype(np.uint8)
    return cv2.merge([grey, grey, grey]), marks != 0
