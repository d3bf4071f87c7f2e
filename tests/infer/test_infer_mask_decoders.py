"""Decoders of instance masks, and DETR, on tensors made by inverting their decoding."""

from __future__ import annotations

import numpy as np
import pytest
from decoding import decoded

from headrace.infer.decoders import DecodeOptions, choose_decoder, known_decoders
from headrace.infer.engines import ModelGraph, TensorSpec

WIDTH, HEIGHT, CLASSES = 96, 64, 3
OPTIONS = DecodeOptions(0.4, WIDTH, HEIGHT)
CELLS = sum(WIDTH // s * (HEIGHT // s) for s in (8, 16, 32))
#: left, top, right, bottom, class, confidence; the last is below the threshold.
OBJECTS = [(8, 8, 40, 40, 2, 0.9), (48, 16, 88, 56, 0, 0.5), (1, 2, 5, 6, 1, 0.39)]


def graph_of(outputs: dict[str, np.ndarray], class_count: int | None = None) -> ModelGraph:
    specs = tuple(TensorSpec(name, array.shape, str(array.dtype)) for name, array in outputs.items())
    size = TensorSpec("in", (1, 3, HEIGHT, WIDTH), "float32")
    return ModelGraph("m.onnx", (size,), specs, {}, class_count)


def check(found: object, count: int = 2) -> None:
    rows = sorted((*box.tolist(), class_id, confidence) for box, confidence, class_id, _ in found)  # type: ignore[attr-defined]
    np.testing.assert_allclose(rows, sorted(OBJECTS[:count]), atol=2e-3)


def yolov8seg() -> dict[str, np.ndarray]:
    """Two pictures: the left half of the input, and everything. Masks are the half, and the whole without it."""
    head = np.zeros((1, 4 + CLASSES + 2, CELLS), np.float32)
    factors = [(1, 0), (-1, 1), (0, 0)]
    for number, (left, top, right, bottom, class_id, confidence) in enumerate(OBJECTS):
        for column in (number, 20 + number):  # neighbours say the same, less sure
            head[0, :4, column] = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
            head[0, 4 + class_id, column] = confidence - 0.05 * (column >= 20)
            head[0, -2:, column] = factors[number]
    pictures = np.full((1, 2, 16, 24), 9, np.float32)
    pictures[0, 0, :, 12:] = -9
    return {"output0": head, "output1": pictures}


def test_yolo_masks_are_sums_of_pictures_cut_to_boxes() -> None:
    outputs = yolov8seg()
    decoder = choose_decoder(graph_of(outputs, CLASSES)).decoder
    assert (decoder.name, decoder.class_count(graph_of(outputs))) == ("yolov8seg", CLASSES)
    [found] = decoded(decoder, outputs, OPTIONS)
    check(found)
    assert found.masks is not None
    first, second = (found.masks[found.class_id.tolist().index(c)] for c in (2, 0))
    assert first.shape == (64, 64)
    assert first.min() > 0.99
    assert second.min() > 0.99


def test_yolo_masks_follow_the_picture_inside_the_box() -> None:
    outputs = yolov8seg()
    outputs["output0"][0, -2:, 1] = 1, 0  # the second object reaches from column 48 on: all right of the half
    outputs["output0"][0, 0, 1] = 48  # now half of it is left
    [found] = decoded(choose_decoder(graph_of(outputs, CLASSES)).decoder, outputs, OPTIONS)
    assert found.masks is not None
    mask = found.masks[found.class_id.tolist().index(0)]
    assert mask[:, :28].min() > 0.9
    assert mask[:, 36:].max() < 0.1


def test_boxes_with_masks_end_at_the_edge_of_the_input() -> None:
    outputs = yolov8seg()
    outputs["output0"][0, 0, [0, 20]] = 8
    [found] = decoded(choose_decoder(graph_of(outputs, CLASSES)).decoder, outputs, OPTIONS)
    assert found.xyxy[found.class_id.tolist().index(2)].tolist() == [0, 8, 24, 40]


def test_detr_queries_are_objects() -> None:
    logits, boxes = np.full((1, 5, CLASSES), -9, np.float32), np.zeros((1, 5, 4), np.float32)
    for query, (left, top, right, bottom, class_id, confidence) in enumerate(OBJECTS):
        logits[0, query, class_id] = np.log(confidence / (1 - confidence))
        box = np.array([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top])
        boxes[0, query] = box / (WIDTH, HEIGHT, WIDTH, HEIGHT)
    outputs = {"pred_logits": logits, "pred_boxes": boxes}
    decoder = choose_decoder(graph_of(outputs), "rtdetr").decoder
    assert decoder.class_count(graph_of(outputs)) == CLASSES
    [found] = decoded(decoder, outputs, OPTIONS)
    check(found)


@pytest.mark.parametrize("family", ["yolov8seg", "detr"])
def test_other_tensors_are_refused(family: str) -> None:
    with pytest.raises(ValueError, match="they are not"):
        known_decoders()[family].decode({"a": np.zeros((1, 2, 3)), "b": np.zeros((1, 2, 3))}, OPTIONS)


def test_boxes_of_masks_are_compared_before_they_are_cut_at_the_edges() -> None:
    head = np.zeros((1, 4 + CLASSES + 2, CELLS), np.float32)
    for column, (left, top, right, bottom, confidence) in enumerate(
        [(-90, 0, 10, 20, 0.9), (0, 0, 10, 20, 0.8)]
    ):
        head[0, :4, column] = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
        head[0, 4, column], head[0, -1, column] = confidence, 1
    outputs = {"output0": head, "output1": np.full((1, 2, 16, 24), 9, np.float32)}
    [found] = decoded(known_decoders()["yolov8seg"], outputs, OPTIONS)  # a tenth of the first is the second
    assert found.xyxy.tolist() == [[0, 0, 10, 20]] * 2
    assert found.masks is not None
    assert found.masks.min() > 0.9
