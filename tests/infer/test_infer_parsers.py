"""nvinfer's built-in parsers, and the user's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.errors import ModelError
from headrace.infer.parsers import (
    NetworkInfo,
    ParseParams,
    crop_masks,
    load_classifier_parser,
    load_parser,
    load_segmentation_parser,
    parse_classifier,
    parse_segmentation,
    stack_masks,
)

NETWORK = NetworkInfo(96, 64)
PARAMS = ParseParams(2, (0.5, 0.5))


def test_classifier_takes_the_best_of_each_layer_above_the_threshold() -> None:
    outputs = {"kind": np.array([0.1, 0.8, 0.1]), "color": np.array([0.4, 0.3]), "make": np.ones((4, 1, 1))}
    labels = parse_classifier(outputs, [["a", "b", "c"], ["red", "blue"]], 0.5)
    assert [(item.label, item.class_id, item.label_id, item.num_classes) for item in labels] == [
        ("b", 1, 0, 3),
        ("", 0, 2, 4),
    ]
    assert parse_classifier(outputs, [], 1.0) == []


@pytest.mark.parametrize("order", [0, 1])
def test_segmentation_takes_the_best_class_and_marks_doubtful_pixels(order: int) -> None:
    scores = np.random.default_rng(0).uniform(0, 1, (5, 8, 3)).astype(np.float32)
    given = scores if order else np.ascontiguousarray(scores.transpose(2, 0, 1))
    found = parse_segmentation(given, 0.6, order, 7)
    expected = np.where(scores.max(axis=2) >= np.float32(0.6), scores.argmax(axis=2), -1)
    np.testing.assert_array_equal(found.class_map, expected)
    assert found.class_map.dtype == np.int32
    assert (found.unique_id, found.width, found.height, found.classes) == (7, 8, 5, 3)
    np.testing.assert_array_equal(found.class_probabilities_map, scores)


@pytest.mark.parametrize("shape", [(5, 8), (1, 5, 8), (5, 8, 1)])
def test_segmentation_takes_a_map_of_classes(shape: tuple[int, ...]) -> None:
    numbers = np.arange(40).reshape(shape)
    assert parse_segmentation(numbers, 0.5).class_map.tolist() == numbers.reshape(5, 8).tolist()


def test_segmentation_refuses_other_shapes() -> None:
    with pytest.raises(ModelError, match=r"\(3, 4\)"):
        parse_segmentation(np.zeros((3, 4), np.float32), 0.5)


def test_masks_of_several_sizes_become_one_array() -> None:
    stacked = stack_masks([np.eye(2), np.ones((4, 6))])
    assert stacked.shape == (2, 4, 6)
    assert stacked[0, 0, 0] > stacked[0, 0, 5]
    assert stack_masks([]).shape == (0, 0, 0)


def test_masks_over_the_input_are_cut_to_boxes() -> None:
    whole = np.zeros((1, 32, 48), np.float32)
    whole[0, :, 24:] = 1
    cut = crop_masks(whole, np.array([[32, 0, 64, 64]], np.float32), (96, 64), 8)
    assert cut.shape == (1, 8, 8)
    assert cut[0, :, :4].max() == 0
    assert cut[0, :, 4:].min() == 1


def write(folder: Path, body: str) -> str:
    head = "import numpy as np\nfrom types import SimpleNamespace as O\n"
    text = f"{head}\ndef parse(outputs, network, params):\n    {body}\n"
    (folder / "own.py").write_text(text)
    return "own.py:parse"


@pytest.mark.parametrize(
    "result",
    [
        "[[1, 0.9, 10, 20, 30, 60], [0, 0.8, 0, 0, 5, 5]]",
        "np.array([[1, 0.9, 10, 20, 30, 60], [0, 0.8, 0, 0, 5, 5]])",
        "[O(classId=1, detectionConfidence=.9, left=10, top=20, width=20, height=40),"
        " O(classId=0, detectionConfidence=.8, left=0, top=0, width=5, height=5)]",
    ],
)
def test_a_users_parser_may_return_rows_or_objects(tmp_path: Path, result: str) -> None:
    parser = load_parser(write(tmp_path, f"return {result}"), tmp_path)
    found = parser({"out": np.zeros(3)}, NETWORK, PARAMS)
    assert found.xyxy.tolist() == [[10, 20, 30, 60], [0, 0, 5, 5]]
    assert found.class_id.tolist() == [1, 0]
    assert found.confidence.tolist() == pytest.approx([0.9, 0.8])


def test_a_users_parser_gets_layers_network_and_params(tmp_path: Path) -> None:
    body = "return [[params.num_classes, params.thresholds[1], 0, 0, network.width, outputs['out'].sum()]]"
    found = load_parser(write(tmp_path, body), tmp_path)({"out": np.ones(7)}, NETWORK, PARAMS)
    assert found.xyxy.tolist() == [[0, 0, 96, 7]]


def test_a_users_parser_may_find_nothing(tmp_path: Path) -> None:
    assert len(load_parser(write(tmp_path, "return []"), tmp_path)({}, NETWORK, PARAMS)) == 0


def test_objects_with_masks_give_instance_masks(tmp_path: Path) -> None:
    body = (
        "return [O(classId=0, detectionConfidence=1, left=0, top=0, width=4, height=4, mask=np.ones(6), "
        "mask_width=3, mask_height=2)]"
    )
    found = load_parser(write(tmp_path, body), tmp_path)({}, NETWORK, PARAMS)
    assert found.masks is not None
    assert found.masks.shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", "NoneType"),
        ("return [[1, 2, 3]]", r"\(1, 3\)"),
        ("return [[0, float('nan'), 0, 0, 1, 1]]", "finite"),
        ("return [O(classId=1)]", "detectionConfidence"),
        ("return 'boxes'", "str"),
        ("return 1 / 0", "ZeroDivisionError"),
    ],
)
def test_what_a_users_parser_does_wrong_is_said_with_its_name(
    tmp_path: Path, body: str, message: str
) -> None:
    parser = load_parser(write(tmp_path, body), tmp_path)
    with pytest.raises(ModelError, match=rf"own\.py:parse.*{message}"):
        parser({}, NETWORK, PARAMS)


def test_a_c_library_is_refused_with_the_python_to_write() -> None:
    with pytest.raises(ModelError, match=r"def NvDsInferParseMine\(outputs, network, params\)"):
        load_parser("/opt/libmine.so:NvDsInferParseMine")


@pytest.mark.parametrize("spec", ["own.py", "own.py:missing", "no.such.module:parse", "nowhere.py:parse"])
def test_a_parser_that_is_not_there_is_named(tmp_path: Path, spec: str) -> None:
    write(tmp_path, "return []")
    with pytest.raises(ModelError, match=spec.partition(":")[0]):
        load_parser(spec, tmp_path)


@pytest.mark.parametrize(
    ("result", "labels"),
    [
        ("['red', 'large']", [("red", 0), ("large", 1)]),
        ("[('red', 0.7)]", [("red", 0)]),
        (
            "[O(attributeIndex=1, attributeValue=4, attributeConfidence=.5, attributeLabel='big')]",
            [("big", 1)],
        ),
    ],
)
def test_a_users_classifier_may_return_names_pairs_or_objects(
    tmp_path: Path, result: str, labels: list[tuple[str, int]]
) -> None:
    parser = load_classifier_parser(write(tmp_path, f"return {result}"), tmp_path)
    assert [(item.label, item.label_id) for item in parser({}, NETWORK, PARAMS)] == labels


def test_a_users_segmentation_may_return_a_map_and_probabilities(tmp_path: Path) -> None:
    body = "return np.ones((2, 3), int), np.zeros((2, 3, 4))"
    found = load_segmentation_parser(write(tmp_path, body), tmp_path)({}, NETWORK, PARAMS)
    assert (found.classes, found.class_map.tolist()) == (4, [[1, 1, 1], [1, 1, 1]])
    wrong = load_segmentation_parser(write(tmp_path, "return np.zeros((2, 3))"), tmp_path)
    with pytest.raises(ModelError, match="integer"):
        wrong({}, NETWORK, PARAMS)


def test_labels_of_the_wrong_kind_are_refused(tmp_path: Path) -> None:
    for result in ("5", "[O(attributeIndex=1)]", "[('a', 1, 2)]"):
        parser = load_classifier_parser(write(tmp_path, f"return {result}"), tmp_path)
        with pytest.raises(ModelError, match="own"):
            parser({}, NETWORK, PARAMS)


def test_detections_of_the_contract_pass_through(tmp_path: Path) -> None:
    body = "from headrace import Detections; return Detections([[0, 0, 2, 2]], [0.5], [1])"
    assert load_parser(write(tmp_path, body), tmp_path)({}, NETWORK, PARAMS).class_id.tolist() == [1]
