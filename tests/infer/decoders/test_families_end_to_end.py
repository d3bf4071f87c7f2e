"""Families through files: each one's preprocessing, its decoding and the way back to frames, to exact values."""

import numpy as np
import pytest
from families import DETECTORS, landmarks
from onnx import TensorProto
from probe_onnx import build

from headrace.errors import ConfigError, ModelError
from headrace.frames import Frame
from headrace.infer import FrameBatch, InferOptions, InferStage, load_model

SIDE = 64
BOX = (8.0, 20.0, 40.0, 44.0)
CONFIDENCE = 0.61
COLOURS = [(200, 100, 50), (20, 240, 90), (90, 0, 255)]
IMAGENET = {"RGB": (123.675, 58.395), "BGR": (103.53, 57.375)}
#: Order of the channels, mean and deviation of the first in 0–255, resizing, grey level of the padding.
PREPROCESSING = {
    "nanodet": ("BGR", *IMAGENET["BGR"], "centre", 0),
    "picodet": ("RGB", *IMAGENET["RGB"], "stretch", 0),
    "nanodetplus": ("BGR", *IMAGENET["BGR"], "stretch", 0),
    "gfl": ("RGB", *IMAGENET["RGB"], "topleft", 0),
    "fastestdet": ("BGR", 0, 255, "stretch", 0),
    "detectnet": ("RGB", 0, 255, "stretch", 0),
    "centernet": ("BGR", 0.408 * 255, 0.289 * 255, "centre", 0),
    "ultraface": ("RGB", 127, 128, "stretch", 0),
    "yunet": ("BGR", 0, 1, "topleft", 0),
    "scrfd": ("RGB", 127.5, 128, "topleft", 0),
    "retinaface": ("BGR", 104, 1, "topleft", 0),
}


def first_channel(name, colour, share):
    """Mean of the input's first channel when a share of the input is the picture, the rest padding."""
    order, mean, deviation, _, pad = PREPROCESSING[name]
    value = colour[0 if order == "RGB" else 2]
    return (share * value + (1 - share) * pad - mean) / deviation


def to_frame(name, points, frame_size):
    """Points in pixels of the input as points of the frame."""
    width, height = frame_size
    resize = PREPROCESSING[name][3]
    if resize == "stretch":
        return np.array(points) * (width / SIDE, height / SIDE)
    ratio = SIDE / max(width, height)
    shift = (SIDE - width * ratio) / 2, (SIDE - height * ratio) / 2
    return (np.array(points) - (shift if resize == "centre" else 0)) / ratio


def solid(colour, size):
    return Frame.from_array(np.full((size[1], size[0], 3), colour, np.uint8), "RGB")


@pytest.mark.parametrize("frame_size", [(128, 128), (128, 64)], ids=str)
@pytest.mark.parametrize("batch", ["batch", 1, 3], ids=str)
@pytest.mark.parametrize("name", DETECTORS)
def test_detectors(tmp_path, name, batch, frame_size):
    encode, objects, points = DETECTORS[name]
    class_id = 0 if all(o[4] == 0 for o in objects) else 1
    outputs = encode([(*BOX, class_id, CONFIDENCE)], (SIDE, SIDE))
    letterboxed = PREPROCESSING[name][3] != "stretch"
    share = frame_size[1] / frame_size[0] if letterboxed else 1.0
    means = [first_channel(name, colour, share) for colour in COLOURS]
    factor = 0.3 / max(map(abs, means))
    score = np.log(CONFIDENCE / (1 - CONFIDENCE)) if name == "gfl" else CONFIDENCE
    masks = {key: factor * np.isclose(array, score, rtol=1e-9) for key, array in outputs.items()}
    if name == "centernet":
        masks["hm"] = factor * (outputs["hm"] > 0)  # what is around the peak stays below it
    path = build(tmp_path / "model.onnx", outputs, masks, (SIDE, SIDE), batch)
    model = load_model(path, InferOptions(threads=1, decoder=name))
    results = model.results(FrameBatch([solid(colour, frame_size) for colour in COLOURS]))
    corners = np.clip(to_frame(name, np.reshape(BOX, (2, 2)), frame_size), 0, frame_size)
    for result, mean in zip(results, means, strict=True):
        found = result.detections
        expected = score + factor * mean
        assert found.confidence.tolist() == [
            pytest.approx(1 / (1 + np.exp(-expected)) if name == "gfl" else expected, abs=2e-3)
        ]
        assert found.class_id.tolist() == [class_id]
        np.testing.assert_allclose(found.xyxy, corners.reshape(1, 4), atol=1e-2)
        if points:
            np.testing.assert_allclose(
                found.keypoints[0, :, :2], to_frame(name, landmarks(BOX), frame_size), atol=1e-2
            )
    assert len(model.labels) == (1 if class_id == 0 else 3)


def test_outputs_without_a_batch_axis_and_open_sizes(tmp_path):
    encode, _, _ = DETECTORS["scrfd"]
    outputs = encode([(100.0, 120.0, 180.0, 260.0, 0, 0.8)], (640, 640))
    path = build(tmp_path / "scrfd.onnx", outputs, {}, ("w", "h"), 1, batched=False)
    model = load_model(path, InferOptions(threads=1))
    assert (model.guess.decoder.name, model.network.width, model.network.height) == ("scrfd", 640, 640)
    results = model.results(FrameBatch([solid(colour, (1280, 720)) for colour in COLOURS]))
    for result in results:
        np.testing.assert_allclose(result.detections.xyxy, [[200, 240, 360, 520]], atol=0.1)
    assert model.labels == ("face",)
    wrong = load_model(path, InferOptions(threads=1, input_size=(320, 320), decoder="scrfd"))
    with pytest.raises(ModelError, match=r"scrfd.*multiples of 32"):
        wrong.results(FrameBatch([solid(COLOURS[0], (64, 64))]))


@pytest.mark.parametrize("batch", [1, None], ids=["batch-of-1", "one-picture"])
def test_mask_rcnn_of_one_picture(tmp_path, batch):
    masks = np.zeros((2, 1, 28, 28))
    masks[0, 0, :, 14:] = 1
    masks[1] = 1
    outputs = {
        "boxes": np.array([[-32.0, 8, 32, 40], [10, 50, 30, 60]]),
        "labels": np.array([3, 17]),
        "scores": np.array([0.9, 0.75]),
        "masks": masks,
    }
    path = build(tmp_path / "mask.onnx", outputs, {}, (SIDE, SIDE), batch, batched=False)
    model = load_model(path, InferOptions(threads=1))
    assert model.decoder.name == "maskrcnn"
    for result in model.results(FrameBatch([solid(colour, (128, 96)) for colour in COLOURS])):
        found = result.detections
        np.testing.assert_allclose(found.xyxy, [[0, 12, 64, 60], [20, 75, 60, 90]], atol=1e-3)
        assert found.class_id.tolist() == [3, 17]
        assert found.masks[0].min() > 0.4, "what was cut off is the empty half"
        assert found.masks.shape == (2, 28, 28)
    named = load_model(path, InferOptions(threads=1, labels=("background", "person")))
    with pytest.raises(ModelError, match=r"class 17 has no label, there are 2 labels"):
        named.results(FrameBatch([solid(COLOURS[0], (64, 64))]))


def test_poses_are_in_pixels_of_the_frame(tmp_path):
    maps = np.zeros((17, 16, 12))
    maps[3, 4, 6], maps[3, 4, 7] = 0.75, 0.5
    path = build(tmp_path / "pose.onnx", {"heatmaps": maps}, {}, (48, 64))
    model = load_model(path, InferOptions(threads=1))
    for result in model.results(FrameBatch([solid(colour, (96, 256)) for colour in COLOURS])):
        # letterboxed by four: 24 pixels of the input's 48 across, beginning at 12
        assert result.keypoints[3].tolist() == [(6.25 * 4 - 12) * 4, 64.0, 0.75]
        assert result.keypoints.shape == (17, 3)


def test_poses_of_objects_are_in_pixels_of_the_frame(tmp_path):
    maps = np.zeros((2, 16, 16))
    maps[0, 8, 8], maps[1, 0, 15] = 0.9, 0.8
    model = load_model(
        build(tmp_path / "pose.onnx", {"heatmaps": maps}, {}, (64, 64)), InferOptions(threads=1)
    )
    stage = InferStage(model, InferOptions(batch_size=2))
    frame = solid(COLOURS[0], (640, 360))
    results = stage.run([frame] * 3, [(100, 50, 228, 178), (10, 20, 74, 84), (0, 0, 640, 360)])
    stage.close()
    points = [result.keypoints[:, :2].tolist() for result in results]
    assert points[:2] == [[[164, 114], [220, 50]], [[42, 52], [70, 20]]]
    assert points[2][0] == [320, pytest.approx(180)]


def test_movenet_takes_whole_numbers(tmp_path):
    rows = np.full((1, 17, 3), 0.25)
    masks = {"output_0": np.tile([0, 0, 1 / 512], (1, 17, 1))}
    path = build(
        tmp_path / "m.onnx",
        {"output_0": rows},
        masks,
        (64, 64),
        1,
        channels_last=True,
        dtype=TensorProto.INT32,
    )
    model = load_model(path, InferOptions(threads=1))
    [result] = model.results(FrameBatch([solid(COLOURS[0], (128, 128))]))
    np.testing.assert_allclose(result.keypoints, np.tile([32, 32, 0.25 + 200 / 512], (17, 1)), atol=1e-3)


@pytest.mark.parametrize("letterboxed", [False, True])
def test_class_maps_cover_the_frame(tmp_path, letterboxed):
    from headrace.infer import PreprocessOptions

    scores = np.zeros((4, 64, 64))
    scores[1, 16:48], scores[2, :16], scores[3, 48:] = 5, 5, 5
    path = build(tmp_path / "seg.onnx", {"out": scores}, {}, (64, 64))
    preprocess = PreprocessOptions() if letterboxed else None
    model = load_model(path, InferOptions(threads=1, preprocess=preprocess))
    for result in model.results(FrameBatch([solid(colour, (128, 64)) for colour in COLOURS])):
        found = result.segmentation.class_map
        assert found.shape == ((32, 64) if letterboxed else (64, 64))
        assert set(np.unique(found)) == ({1} if letterboxed else {1, 2, 3})


def test_embeddings_and_raw_outputs(tmp_path):
    outputs = {"embedding": np.array([3.0, 0, 4])}
    path = build(tmp_path / "e.onnx", outputs, {}, (64, 64))
    batch = FrameBatch([solid(colour, (128, 64)) for colour in COLOURS])
    for result in load_model(path, InferOptions(threads=1)).results(batch):
        np.testing.assert_allclose(result.embedding, [0.6, 0, 0.8], atol=1e-6)
    for result in load_model(path, InferOptions(threads=1, decoder="raw")).results(batch):
        assert result.tensors.layers["embedding"].tolist() == [3, 0, 4]
        assert (result.tensors.network_size, result.tensors.scale) == ((64, 64, 3), (0.5, 1.0))


def test_heads_need_a_label_for_each_of_their_classes(tmp_path):
    outputs = {"color": np.array([0.9, 0.1]), "kind": np.array([0.1, 0.2, 0.7])}
    path = build(tmp_path / "heads.onnx", outputs, {}, (64, 64))
    labels = ("red", "blue", "car", "van", "bus")
    [result] = load_model(path, InferOptions(threads=1, labels=labels)).results(
        FrameBatch([solid((0, 0, 0), (8, 8))])
    )
    assert [(label.label, label.label_id) for label in result.labels] == [("red", 0), ("bus", 1)]
    with pytest.raises(ConfigError, match=r"are 2, but .* has 5 classes"):
        load_model(path, InferOptions(labels=labels[:2], decoder="classifier"))


@pytest.mark.parametrize(
    ("outputs", "word"),
    [
        ({"prob": np.full(10, np.nan)}, "prob"),
        ({"embedding": np.full(8, np.nan)}, "embedding"),
        ({"heatmaps": np.full((17, 16, 16), np.nan)}, "heatmaps"),
        ({"seg": np.full((17, 64, 64), np.nan)}, "seg"),
        ({"scores": np.full((4420, 2), np.nan), "boxes": np.zeros((4420, 4))}, "scores"),
    ],
)
def test_what_is_not_finite_is_named_with_the_remedy(tmp_path, outputs, word):
    size = (320, 240) if "boxes" in outputs else (64, 64)
    model = load_model(build(tmp_path / "nan.onnx", outputs, {}, size), InferOptions(threads=1))
    with pytest.raises(ModelError, match=rf"nan\.onnx.*{word}.*float32"):
        model.results(FrameBatch([solid(COLOURS[0], (64, 64))]))
