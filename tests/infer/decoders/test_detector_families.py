"""Detectors of grids, maps and faces, on tensors made by inverting each family's decoding."""

import warnings

import numpy as np
import pytest
from decoding import decoded
from families import CLASSES, DETECTORS, landmarks
from libraries import KINDS, in_kind

from headrace.infer.decoders import DecodeOptions, choose_decoder, known_decoders
from headrace.infer.decoders.scores import NotFiniteError
from headrace.infer.engines import ModelGraph, TensorSpec

SIZE = (96, 64)
OPTIONS = DecodeOptions(0.4, *SIZE)


def batch_of(encode, frames):
    """Outputs of a batch: one entry of objects for each frame."""
    rows = [encode(objects, SIZE) for objects in frames]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def graph_of(outputs, class_count=None, size=SIZE):
    image = TensorSpec("images", (1, 3, size[1], size[0]), "float32")
    specs = tuple(TensorSpec(name, (1, *array.shape[1:]), "float32") for name, array in outputs.items())
    return ModelGraph("model.onnx", (image,), specs, {}, class_count)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DETECTORS)
def test_objects_come_out_as_they_went_in(name, kind):
    encode, objects, points = DETECTORS[name]
    frames = [objects, (), objects[1:]]
    outputs = in_kind(batch_of(encode, frames), kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = decoded(known_decoders()[name], outputs, OPTIONS)
    half = kind.endswith("16")
    for one, expected in zip(found, frames, strict=True):
        expected = sorted((o for o in expected if o[5] >= 0.4), key=lambda o: -o[5])
        if name == "detectnet":
            expected = [(max(o[0], 0), *o[1:]) for o in expected]
        assert one.class_id.tolist() == [o[4] for o in expected]
        np.testing.assert_allclose(one.confidence, [o[5] for o in expected], atol=2e-3 if half else 1e-5)
        boxes = np.array([o[:4] for o in expected]).reshape(-1, 4)
        np.testing.assert_allclose(one.xyxy, boxes, atol=0.15 if half else 1e-3)
        if points:
            assert (one.keypoints[..., 2] == 1).all()
            wanted = np.array([landmarks(o) for o in expected]).reshape(-1, 5, 2)
            np.testing.assert_allclose(one.keypoints[..., :2], wanted, atol=0.15 if half else 1e-3)


@pytest.mark.parametrize("name", DETECTORS)
def test_the_family_is_guessed(name):
    encode, objects, _ = DETECTORS[name]
    faces = all(o[4] == 0 for o in objects)
    guess = choose_decoder(graph_of(batch_of(encode, [objects]), 1 if faces else CLASSES))
    assert guess.decoder.name == name
    assert guess.match.reason
    assert guess.decoder.class_count(graph_of(batch_of(encode, [objects]))) == (1 if faces else CLASSES)


@pytest.mark.parametrize("name", DETECTORS)
def test_nan_is_refused(name):
    encode, objects, _ = DETECTORS[name]
    outputs = {key: np.full_like(array, np.nan) for key, array in batch_of(encode, [objects]).items()}
    with pytest.raises(NotFiniteError, match="finite"):
        known_decoders()[name].decode(outputs, OPTIONS)


@pytest.mark.parametrize("name", DETECTORS)
def test_outputs_of_another_size_or_family_are_refused(name):
    encode, objects, _ = DETECTORS[name]
    decoder = known_decoders()[name]
    outputs = batch_of(encode, [objects])
    if name not in (
        "ultraface",
        "fastestdet",
        "detectnet",
        "centernet",
    ):  # whose boxes are relative to any size
        with pytest.raises(ValueError, match=r"grid|cells|rows"):
            decoder.decode(outputs, DecodeOptions(0.4, 160, 160))
    with pytest.raises(ValueError, match=r"."):
        decoder.decode({"x": np.zeros((1, 4)), "y": np.zeros((1, 4))}, OPTIONS)


def test_detectnet_takes_every_cell_and_clips():
    random = np.random.default_rng(3)
    cov = random.uniform(0, 1, (2, 2, 4, 6)).astype(np.float32)
    bbox = random.uniform(-0.2, 1, (2, 8, 4, 6)).astype(np.float32)
    outputs = {"out/bbox:0": bbox, "out/cov:0": cov}
    found = known_decoders()["detectnet"].decode(outputs, DecodeOptions(0.6, 96, 64))
    expected = []
    for n, c, y, x in np.ndindex(cov.shape):
        if cov[n, c, y, x] >= np.float32(0.6):
            cx, cy = (x * 16 + 0.5) / 35, (y * 16 + 0.5) / 35
            o1, o2, o3, o4 = bbox[n, 4 * c : 4 * c + 4, y, x]
            box = [(o1 - cx) * -35, (o2 - cy) * -35, (o3 + cx) * 35, (o4 + cy) * 35]
            box = [min(max(v, 0), side) for v, side in zip(box, (96, 64, 96, 64), strict=True)]
            expected.append((n, c, cov[n, c, y, x], *box))
    rows = np.column_stack([found.frame, found.class_id, found.confidence, found.xyxy])
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "outputs",
    [
        {"output0": np.zeros((1, 2, 4, 6))},
        {"cov": np.zeros((1, 2, 4, 6)), "bbox": np.zeros((1, 4, 4, 6))},
        {"cov": np.zeros((1, 2, 4, 6)), "bbox": np.zeros((1, 8, 4, 5))},
        {"cov": np.zeros((1, 3, 4, 6)), "bbox": np.zeros((1, 8, 4, 6))},
    ],
)
def test_detectnet_names_layers_that_are_not_its_own(outputs):
    with pytest.raises(ValueError, match="cov"):
        known_decoders()["detectnet"].decode(outputs, OPTIONS)


def test_centernet_takes_logits_and_only_peaks():
    outputs = batch_of(DETECTORS["centernet"][0], [DETECTORS["centernet"][1]])
    heat = np.clip(outputs["hm"], 0.01, 0.99)
    [found] = decoded(known_decoders()["centernet"], outputs | {"hm": np.log(heat / (1 - heat))}, OPTIONS)
    assert sorted(found.class_id.tolist()) == [0, 1, 2]
    np.testing.assert_allclose(found.confidence, [0.9, 0.72, 0.5], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_blazeface_of_both_ranges(kind):
    for strides, size in ((((8, 2), (16, 6)), (128, 128)), (((4, 1),), (192, 192))):
        middles = [
            ((x + 0.5) * s, (y + 0.5) * s)
            for s, count in strides
            for y in range(size[1] // s)
            for x in range(size[0] // s)
            for _ in range(count)
        ]
        logits, rows = np.full((2, len(middles), 1), -8.0), np.zeros((2, len(middles), 16))
        row, points = 601, [(40.0 + n, 50.0 + 2 * n) for n in range(6)]
        mx, my = middles[row]
        logits[1, row] = np.log(0.8 / 0.2)
        rows[1, row] = [48 - mx, 60 - my, 32, 40, *(v for x, y in points for v in (x - mx, y - my))]
        outputs = in_kind({"regressors": rows, "classificators": logits}, kind)
        nothing, found = decoded(known_decoders()["blazeface"], outputs, DecodeOptions(0.5, *size))
        assert len(nothing) == 0
        np.testing.assert_allclose(found.xyxy, [[32, 40, 64, 80]], atol=0.05)
        np.testing.assert_allclose(found.keypoints[0, :, :2], points, atol=0.05)
        assert found.confidence[0] == pytest.approx(0.8, abs=1e-3)
    with pytest.raises(ValueError, match="the grid gives"):
        known_decoders()["blazeface"].decode(outputs, DecodeOptions(0.5, 256, 256))


@pytest.mark.parametrize("kind", KINDS)
def test_movenet_of_several_people(kind):
    rows = np.zeros((2, 6, 56))
    rows[0, 4, :51] = np.linspace(0, 1, 51)
    rows[0, 4, 51:] = 0.125, 0.25, 0.5, 0.75, 0.9
    rows[1, 0, 51:] = 0, 0, 1, 1, 0.2
    found, nothing = decoded(
        known_decoders()["movenetmulti"], in_kind({"output_0": rows}, kind), DecodeOptions(0.3, 256, 160)
    )
    assert len(nothing) == 0
    np.testing.assert_allclose(found.xyxy, [[64, 20, 192, 80]], atol=0.1)
    y, x, confidence = rows[0, 4, :51].reshape(17, 3).T
    np.testing.assert_allclose(found.keypoints[0], np.stack([x * 256, y * 160, confidence], axis=1), atol=0.1)


def test_scrfd_may_have_no_landmarks_a_batch_axis_or_five_strides():
    encode, objects, _ = DETECTORS["scrfd"]
    outputs = batch_of(encode, [objects])
    bare = {name: array for name, array in outputs.items() if array.shape[2] != 10}
    [found] = decoded(known_decoders()["scrfd"], bare, OPTIONS)
    assert (len(found), found.keypoints) == (3, None)
    specs = tuple(TensorSpec(name, (None, array.shape[2]), "float32") for name, array in outputs.items())
    image = TensorSpec("input.1", (1, 3, None, None), "float32")
    guess = choose_decoder(ModelGraph("det_10g.onnx", (image,), specs))
    assert (guess.decoder.name, guess.decoder.batched(ModelGraph("", (image,), specs))) == ("scrfd", False)
    five = [np.zeros((1, -(-96 // s) * -(-64 // s), n)) for n in (1, 4) for s in (8, 16, 32, 64, 128)]
    five[0][0, 13, 0], five[5][0, 13] = 0.8, 1
    [found] = decoded(known_decoders()["scrfd"], {str(i): a for i, a in enumerate(five)}, OPTIONS)
    assert found.xyxy.tolist() == [[0, 0, 16, 16]]
