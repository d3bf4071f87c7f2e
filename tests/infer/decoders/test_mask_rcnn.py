"""Mask R-CNN's outputs, as several exporters write them."""

import numpy as np
import pytest
from libraries import KINDS, in_kind

from headrace.infer.decoders import DecodeOptions, choose_decoder, known_decoders
from headrace.infer.engines import ModelGraph, TensorSpec

OPTIONS = DecodeOptions(0.5, 96, 64)
DECODER = known_decoders()["maskrcnn"]
BOXES = np.array([[8.0, 8, 40, 24], [-4, 40, 20, 80], [50, 10, 60, 20]])


def outputs_of(masks):
    return {
        "boxes": BOXES[None],
        "labels": np.array([[3, 1, 7]]),
        "scores": np.array([[0.9, 0.8, 0.2]]),
        "masks": masks[None],
    }


def complete(outputs):
    found = DECODER.decode(outputs, OPTIONS).numpy()
    return DECODER.complete(found, outputs, OPTIONS).split(1)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_masks_over_boxes(kind):
    masks = np.zeros((3, 1, 28, 28))
    masks[0, 0, :, 14:], masks[1] = 1, 0.25
    found = complete(in_kind(outputs_of(masks), kind))
    assert found.class_id.tolist() == [3, 1]
    np.testing.assert_allclose(found.xyxy, [[8, 8, 40, 24], [-4, 40, 20, 80]], atol=0.05)
    np.testing.assert_array_equal(found.masks, masks[:2, 0])


@pytest.mark.parametrize("kind", KINDS)
def test_masks_over_the_picture_are_cut_to_boxes(kind):
    masks = np.zeros((3, 1, 64, 96))
    masks[0, 0, 8:24, 24:40] = 1  # the right half of the first box
    masks[1, 0, 40:60, :20] = 1
    found = complete(in_kind(outputs_of(masks), kind))
    half = found.masks.shape[2] // 2
    assert found.masks[0, :, : half - 2].max() == 0
    assert found.masks[0, :, half + 2 :].min() > 0.4  # half a pixel at the edges
    np.testing.assert_allclose(found.xyxy[1], BOXES[1], atol=0.05)
    assert found.masks[1].mean() == pytest.approx(20 / 40, abs=0.03)


def test_nothing_found_is_no_error():
    empty = {name: array[:, :0] for name, array in outputs_of(np.zeros((3, 1, 28, 28))).items()}
    assert len(complete(empty)) == 0


@pytest.mark.parametrize(
    "specs",
    [
        {"boxes": (None, 4), "labels": (None,), "scores": (None,), "masks": (None, 1, None, None)},
        {"6568": (None, 4), "6570": (None,), "6572": (None,), "6887": (None, 1, 28, 28)},
        {"pred_boxes": (None, 4), "pred_classes": (None,), "pred_masks": (None, 1, 28, 28), "scores": (None,),
         "image_size": (2,)},
    ],
    ids=["torchvision", "onnx-zoo", "detectron2"],
)  # fmt: skip
def test_exports_are_recognised_and_run_one_by_one(specs):
    outputs = tuple(
        TensorSpec(name, shape, "int64" if name in ("labels", "6570", "pred_classes") else "float32")
        for name, shape in specs.items()
    )
    graph = ModelGraph("m.onnx", (TensorSpec("image", (1, 3, None, None), "float32"),), outputs)
    guess = choose_decoder(graph)
    assert guess.decoder.name == "maskrcnn"
    assert not guess.decoder.batched(graph)
