"""Families that say something of the picture as a whole: classes, pixels, poses, embeddings, raw tensors."""

import numpy as np
import pytest
from libraries import KINDS, in_kind

from headrace.infer.decoders import DecodeOptions, known_decoders
from headrace.infer.decoders.registry import choose_decoder
from headrace.infer.decoders.scores import NotFiniteError
from headrace.infer.engines import ModelGraph, TensorSpec

OPTIONS = DecodeOptions(0.4, 48, 64)


def results(name, outputs, options=OPTIONS):
    return known_decoders()[name].results(outputs, options)


@pytest.mark.parametrize("kind", KINDS)
def test_a_classifier_takes_logits_and_probabilities_row_by_row(kind):
    rows = np.array([[1.0, 3.0, 0.5], [0.1, 0.2, 0.7], [0.3, 0.2, 0.1]])
    found = results("classifier", in_kind({"scores": rows}, kind), DecodeOptions(0.4, 8, 8, ("a", "b", "c")))
    weights = np.exp(rows)
    expected = [weights[0, 1] / weights[0].sum(), 0.7, weights[2, 0] / weights[2].sum()]
    labels = [one.labels[0] for one in found]
    assert [label.label for label in labels] == ["b", "c", "a"]
    assert [label.prob for label in labels] == pytest.approx(expected, abs=2e-3)
    assert [(label.label_id, label.num_classes) for label in labels] == [(0, 3)] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_several_heads_give_several_labels(kind):
    outputs = {
        "color": np.array([[0.9, 0.1], [0.2, 0.8]]),
        "kind": np.array([[[[0.1]], [[0.2]], [[0.7]]]] * 2),
    }
    options = DecodeOptions(0.4, 8, 8, ("red", "blue", "car", "van", "bus"))
    found = results("classifier", in_kind(outputs, kind), options)
    assert [[(one.label, one.class_id, one.label_id) for one in result.labels] for result in found] == [
        [("red", 0, 0), ("bus", 2, 1)],
        [("blue", 1, 0), ("bus", 2, 1)],
    ]


def test_labels_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="2 labels for 3 classes"):
        results("classifier", {"prob": np.ones((1, 3))}, DecodeOptions(0.4, 8, 8, ("a", "b")))
    [result] = results("classifier", {"prob": np.array([[0.0, 1.0]])})
    assert result.labels[0].label == "class 1"


@pytest.mark.parametrize("kind", KINDS)
def test_several_labels_that_reach_the_confidence(kind):
    outputs = {"sigmoid": np.array([[0.5, 0.2, 0.9], [0.1, 0.2, 0.3], [2.0, -3.0, -0.2]])}
    found = results("multilabel", in_kind(outputs, kind), DecodeOptions(0.4, 8, 8, ("hat", "bag", "coat")))
    assert [[one.label for one in result.labels] for result in found] == [
        ["coat", "hat"],
        [],
        ["hat", "coat"],
    ]
    assert found[2].labels[0].prob == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1, 1)])
def test_embeddings_have_a_length_of_one(kind, shape):
    outputs = in_kind({"embedding": np.array([2.0, -3, 6, 0, 0, 0]).reshape(shape)}, kind)
    first, nothing = results("embedding", outputs)
    np.testing.assert_allclose(first.embedding, np.array([2, -3, 6]) / 7, atol=1e-3)
    assert nothing.embedding.tolist() == [0, 0, 0]
    assert first.embedding.dtype == np.float32


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_take_their_best_class(kind):
    scores = np.random.default_rng(1).normal(size=(2, 5, 4, 6)).astype(np.float16)
    found = results("semantic", in_kind({"aux": scores[:, ::-1], "out": scores}, kind))
    for one, row in zip(found, scores, strict=True):
        np.testing.assert_array_equal(one.segmentation.class_map, row.argmax(axis=0))
        assert one.segmentation.class_map.dtype == np.int32


@pytest.mark.parametrize("kind", KINDS)
def test_one_channel_tells_something_from_nothing(kind):
    logits = np.array([[[[-1.0, 2.0], [0.5, -0.1]]]])
    expected = [[-1, 0], [0, -1]]
    for values in (logits, 1 / (1 + np.exp(-logits))):
        [found] = results("semantic", in_kind({"mask": values}, kind))
        assert found.segmentation.class_map.tolist() == expected


@pytest.mark.parametrize("kind", KINDS[::2])
@pytest.mark.parametrize("shape", [(1, 2, 3), (1, 1, 2, 3), (1, 2, 3, 1)])
def test_maps_of_class_numbers_are_taken_as_they_are(kind, shape):
    numbers = np.arange(6).reshape(shape)
    [found] = results("semantic", in_kind({"argmax": numbers}, kind))
    assert found.segmentation.class_map.tolist() == [[0, 1, 2], [3, 4, 5]]


def gauss(size, x, y):
    rows, columns = np.mgrid[: size[1], : size[0]]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)


@pytest.mark.parametrize("kind", KINDS)
def test_heat_maps_are_read_to_a_quarter_of_a_pixel(kind):
    places = [[(3.2, 7.9), (0.0, 15.0)], [(9.6, 0.0), (5.0, 5.0)]]
    maps = np.array([[gauss((12, 16), *place) for place in row] for row in places])
    maps[1, 1] = -0.5  # a point that is not there
    found = results("heatmap", in_kind({"output": maps}, kind))
    points = np.array([one.keypoints for one in found])
    for frame, row in enumerate(places):
        for number, (x, y) in enumerate(row):
            grid = maps[frame, number]
            py, px = divmod(int(grid.argmax()), 12)
            moved = [px, py]
            if 0 < px < 11:
                moved[0] += 0.25 * np.sign(round(grid[py, px + 1] - grid[py, px - 1], 4))
            if 0 < py < 15:
                moved[1] += 0.25 * np.sign(round(grid[py + 1, px] - grid[py - 1, px], 4))
            np.testing.assert_allclose(points[frame, number, :2], np.array(moved) * 4)
            if (frame, number) != (1, 1):
                assert abs(moved[0] - x) <= 0.25
                assert abs(moved[1] - y) <= 0.25
    assert points[1, 1, 2] == 0
    assert points[0, 0, 2] > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_simcc_takes_the_lesser_of_two_peaks(kind):
    x, y = np.zeros((2, 3, 96)), np.zeros((2, 3, 128))
    truth = np.array(
        [[[4.5, 20, 0.8], [47.5, 0, 0.5], [0, 63.5, 0.25]], [[8, 9, 1], [10.5, 11.5, 0.75], [1, 2, 0.5]]]
    )
    for (frame, number), _ in np.ndenumerate(truth[..., 0]):
        px, py, confidence = truth[frame, number]
        x[frame, number, int(px * 2)], y[frame, number, int(py * 2)] = confidence, confidence + 0.1
    for order in (("simcc_x", "simcc_y"), ("simcc_y", "simcc_x")):
        arrays = {"simcc_x": x, "simcc_y": y}
        found = results("simcc", in_kind({name: arrays[name] for name in order}, kind))
        np.testing.assert_allclose([one.keypoints for one in found], truth, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_movenet_gives_points_in_pixels(kind):
    rows = np.linspace(0, 1, 2 * 51).reshape(2, 1, 17, 3)
    found = results("movenet", in_kind({"output_0": rows}, kind))
    expected = np.stack([rows[:, 0, :, 1] * 48, rows[:, 0, :, 0] * 64, rows[:, 0, :, 2]], axis=2)
    np.testing.assert_allclose([one.keypoints for one in found], expected, atol=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_raw_outputs_stay_as_they_are(kind):
    outputs = {"depth": np.arange(12.0).reshape(2, 6), "count": np.array([[3], [4]])}
    found = results("raw", in_kind(outputs, kind))
    assert [one.tensors.layers["depth"].tolist() for one in found] == outputs["depth"].tolist()
    assert found[1].tensors.layers["count"].tolist() == [4]


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("classifier", {"prob": (1, 3)}),
        ("multilabel", {"prob": (1, 3)}),
        ("embedding", {"embedding": (1, 3)}),
        ("semantic", {"out": (1, 3, 4, 4)}),
        ("heatmap", {"heat": (1, 3, 4, 4)}),
        ("simcc", {"simcc_x": (1, 3, 96), "simcc_y": (1, 3, 128)}),
        ("movenet", {"out": (1, 1, 17, 3)}),
    ],
)
def test_nan_and_wrong_shapes_are_refused(name, shapes):
    with pytest.raises(NotFiniteError, match="finite"):
        results(name, {key: np.full(shape, np.nan, np.float32) for key, shape in shapes.items()})
    with pytest.raises(ValueError, match=r"."):
        results(name, {key: np.zeros((*shape, 2), np.float32) for key, shape in shapes.items()})


def test_classifiers_of_ultralytics_are_not_normalised_as_imagenet():
    graph = ModelGraph(
        "m.onnx",
        (TensorSpec("images", (1, 3, 224, 224), "float32"),),
        (TensorSpec("output0", (1, 10), "float32"),),
        {"task": "classify", "head": "Classify"},
    )
    guess = choose_decoder(graph)
    assert guess.decoder.name == "classifier"
    gain, bias = guess.decoder.preprocess(graph).gain_and_bias()
    assert (gain, bias) == ((1 / 255,) * 3, (0.0,) * 3)
