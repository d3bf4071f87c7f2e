"""Decoders on tensors made by inverting each family's decoding."""

import numpy as np
import pytest
from decoding import decoded

from headrace.errors import ModelError
from headrace.infer.decoders import DecodeOptions, choose_decoder, known_decoders
from headrace.infer.engines import ModelGraph, TensorSpec

WIDTH, HEIGHT = 96, 64
OPTIONS = DecodeOptions(0.4, WIDTH, HEIGHT)
#: left, top, right, bottom, class, confidence; the last is below the threshold.
OBJECTS = [
    (10.0, 8.0, 30.0, 40.0, 2, 0.9),
    (50.0, 20.0, 90.0, 60.0, 0, 0.5),
    (-6.0, 30.0, 12.0, 70.0, 1, 0.72),
    (1.0, 2.0, 5.0, 6.0, 1, 0.39),
]
CLASSES = 3


def cells():
    """``(column, row, stride)`` of each cell, written out."""
    return [(x, y, s) for s in (8, 16, 32) for y in range(HEIGHT // s) for x in range(WIDTH // s)]


def cell_of(number):
    """A cell for each object: any will do for these encodings, spread over the strides."""
    return [5, 96 + 7, 96 + 24 + 3, 60][number]


def centre_size(box):
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]


def encode_yolox(objects):
    out = np.zeros((len(cells()), 5 + CLASSES), np.float32)
    for number, (*box, class_id, confidence) in enumerate(objects):
        x, y, stride = cells()[cell_of(number)]
        cx, cy, w, h = centre_size(box)
        out[cell_of(number), :4] = cx / stride - x, cy / stride - y, np.log(w / stride), np.log(h / stride)
        out[cell_of(number), 4] = 0.95
        out[cell_of(number), 5 + class_id] = confidence / 0.95
    return {"output": out}


def encode_yolov5(objects):
    out = np.zeros((3 * len(cells()), 5 + CLASSES), np.float32)
    for number, (*box, class_id, confidence) in enumerate(objects):
        row = 3 * cell_of(number) + number % 3
        out[row, :5] = *centre_size(box), 0.97
        out[row, 5 + class_id] = confidence / 0.97
    return {"output": out}


def encode_yolov8(objects):
    out = np.zeros((4 + CLASSES, len(cells())), np.float32)
    for number, (*box, class_id, confidence) in enumerate(objects):
        out[:4, cell_of(number)] = centre_size(box)
        out[4 + class_id, cell_of(number)] = confidence
    return {"output0": out}


def encode_yolov8_transposed(objects):
    return {"output0": encode_yolov8(objects)["output0"].T.copy()}


def middle_cell(box, stride):
    """The row of the cell that holds the box's centre: distances to all sides are positive there."""
    cx, cy, _, _ = centre_size(box)
    return cells().index((int(cx // stride), int(cy // stride), stride))


def encode_nanodet(objects):
    """Each side's distance lies between two bins: their shares make the mean exact."""
    scores = np.zeros((len(cells()), CLASSES), np.float32)
    logits = np.full((len(cells()), 4, 32), -60, np.float32)
    for number, (*box, class_id, confidence) in enumerate(objects):
        row = middle_cell(box, (16, 32, 8, 8)[number])
        x, y, stride = cells()[row]
        cx, cy = (x + 0.5) * stride, (y + 0.5) * stride
        scores[row, class_id] = confidence
        for side, distance in enumerate((cx - box[0], cy - box[1], box[2] - cx, box[3] - cy)):
            low = int(distance // stride)
            share = distance / stride - low
            logits[row, side, low] = np.log(max(1 - share, 1e-9))
            logits[row, side, low + 1] = np.log(max(share, 1e-9))
    flat = logits.reshape(len(cells()), -1)
    bounds = [slice(0, 96), slice(96, 120), slice(120, 126)]
    both = {f"cls_pred_stride_{s}": scores[b] for s, b in zip((8, 16, 32), bounds, strict=True)}
    return both | {f"dis_pred_stride_{s}": flat[b] for s, b in zip((8, 16, 32), bounds, strict=True)}


def encode_rows(objects):
    out = np.zeros((20, 6), np.float32)
    for number, (*box, class_id, confidence) in enumerate(objects):
        out[number] = *box, confidence, class_id
    return {"output0": out}


def encode_ssd(objects):
    rows = encode_rows(objects)["output0"]
    return {"boxes": rows[:, :4], "labels": rows[:, 5].astype(np.int64), "scores": rows[:, 4]}


def encode_ssd_fractions(objects):
    parts = encode_ssd(objects)
    return {
        "det_boxes": (parts["boxes"] / [WIDTH, HEIGHT, WIDTH, HEIGHT]).astype(np.float32),
        "det_scores": parts["scores"],
        "det_classes": parts["labels"].astype(np.float32),
    }


def encode_tensorflow(objects):
    parts = encode_ssd_fractions(objects)
    return {
        "detection_boxes": parts["det_boxes"][:, [1, 0, 3, 2]],
        "detection_classes": parts["det_classes"],
        "detection_scores": parts["det_scores"],
    }


def encode_counted(objects):
    """Rows beyond the count hold rubbish that must not come out."""
    parts = encode_ssd(objects)
    parts["scores"][len(objects) :] = 0.99
    return {"num_dets": np.array([len(objects)]), **parts}


CASES = {
    "yolox": ("yolox", encode_yolox, 3),
    "yolov5": ("yolov5", encode_yolov5, 3),
    "yolov8": ("yolov8", encode_yolov8, 3),
    "yolov8 transposed": ("yolov8", encode_yolov8_transposed, 3),
    "nanodet": ("nanodet", encode_nanodet, None),
    "rows of six": ("yolov10", encode_rows, None),
    "ssd, pixels": ("ssd", encode_ssd, None),
    "ssd, fractions": ("ssd", encode_ssd_fractions, None),
    "tensorflow": ("ssd", encode_tensorflow, None),
    "counted": ("efficientnms", encode_counted, None),
}


def graph_of(outputs, class_count=None, size=(WIDTH, HEIGHT)):
    specs = tuple(TensorSpec(n, (1, *a.shape), str(a.dtype)) for n, a in outputs.items())
    return ModelGraph(
        "m.onnx", (TensorSpec("in", (1, 3, size[1], size[0]), "float32"),), specs, {}, class_count
    )


@pytest.mark.parametrize(("family", "encode", "class_count"), CASES.values(), ids=CASES)
def test_objects_come_back_from_their_encoding(family, encode, class_count):
    single = encode(OBJECTS)
    decoder = choose_decoder(graph_of(single, class_count)).decoder
    assert decoder.name == family
    batch = {name: np.stack([array, np.zeros_like(array), array]) for name, array in single.items()}
    first, empty, last = decoded(decoder, batch, OPTIONS)
    expected = sorted(row for row in OBJECTS if row[5] >= OPTIONS.confidence)
    for found in (first, last):
        rows = sorted((*box.tolist(), class_id, confidence) for box, confidence, class_id, _ in found)
        np.testing.assert_allclose(rows, expected, atol=2e-3)
    assert len(empty) == 0


@pytest.mark.parametrize("family", ["yolox", "yolov5", "yolov8", "nanodet", "ssd"])
def test_nothing_above_the_threshold_gives_no_boxes(family):
    encode = next(encode for name, encode, _ in CASES.values() if name == family)
    outputs = {name: array[None] for name, array in encode([]).items()}
    (found,) = decoded(known_decoders()[family], outputs, OPTIONS)
    assert found.xyxy.shape == (0, 4)


SHAPES = [
    ("yolox", [(1, 3549, 85)], 416, None),
    ("yolox", [(1, 3549, 6)], 416, 1),
    ("yolox", [(None, 8400, 85)], 640, 80),
    ("yolov5", [(1, 25200, 85)], 640, None),
    ("yolov5", [(None, None, 85)], None, 80),
    ("yolov8", [(1, 84, 8400)], 640, None),
    ("yolov8", [(1, 5, 8400)], 640, None),
    ("yolov8", [(1, 8400, 84)], 640, None),
    ("yolov8", [(1, 8400, 9)], 640, 5),
    ("yolov8", [(None, 84, None)], None, 80),
    ("yolov10", [(1, 300, 6)], 640, 80),
    (
        "nanodet",
        [(1, 2704, 80), (1, 676, 80), (1, 169, 80), (1, 2704, 32), (1, 676, 32), (1, 169, 32)],
        416,
        None,
    ),
]


@pytest.mark.parametrize(("family", "shapes", "size", "classes"), SHAPES, ids=str)
def test_the_family_is_guessed_from_shapes(family, shapes, size, classes):
    outputs = tuple(TensorSpec(f"t{i}", shape, "float32") for i, shape in enumerate(shapes))
    graph = ModelGraph("m.onnx", (TensorSpec("in", (1, 3, size, size), "float32"),), outputs, {}, classes)
    assert choose_decoder(graph).decoder.name == family


def test_no_match_lists_tensors_and_decoders():
    graph = graph_of({"758": np.zeros((85, 22, 22), np.float32)})
    with pytest.raises(ModelError) as caught:
        choose_decoder(graph)
    for word in ("758 float32[1, 85, 22, 22]", "nanodet", "ssd", "yolov5", "yolov8", "yolox"):
        assert word in str(caught.value)


def test_a_decoder_can_be_named_by_the_user_or_the_file():
    graph = graph_of(encode_yolox(OBJECTS))
    assert choose_decoder(graph, "yolov5").decoder.name == "yolov5"
    named = ModelGraph(graph.path, graph.inputs, graph.outputs, {"headrace.decoder": "yolov5"})
    assert choose_decoder(named).decoder.name == "yolov5"
    with pytest.raises(ModelError, match="yolov8"):
        choose_decoder(graph, "yolo99")


@pytest.mark.parametrize(
    ("family", "color", "resize", "scale"),
    [
        ("yolox", "BGR", "letterbox", 1.0),
        ("yolov5", "RGB", "letterbox", 1 / 255),
        ("yolov8", "RGB", "letterbox", 1 / 255),
        ("nanodet", "BGR", "letterbox", 1.0),
    ],
)
def test_each_family_brings_its_own_preprocessing(family, color, resize, scale):
    options = known_decoders()[family].preprocess(graph_of(encode_yolov8([])))
    assert (options.color, options.resize, options.scale) == (color, resize, scale)
