"""Parsers of DeepStream's libraries that are stood in for by name."""

import numpy as np
import pytest

from headrace.errors import ModelError
from headrace.infer.nvinfer import read_config
from headrace.infer.nvinfer.standins import parse_mask_rcnn, parse_plate
from headrace.infer.nvinfer.subject import custom_function
from headrace.infer.parsers import NetworkInfo, ParseParams, load_classifier_parser, load_parser

INPUT = NetworkInfo(960, 576)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["network-type=3", "parse-bbox-instance-mask-func-name=NvDsInferParseCustomMrcnnTLTV2"],
            "parse_mask_rcnn",
        ),
        (["network-type=1", "parse-classifier-func-name=NvDsInferParseCustomNVPlate"], "parse_plate"),
    ],
)
def test_names_of_c_functions_lead_to_python(write, lines, expected):
    spec = custom_function(read_config(write("custom-lib-path=/lib/libparser.so", *lines)))
    assert spec.endswith(f":{expected}")
    load = load_parser if "mask" in expected else load_classifier_parser
    assert callable(load(spec))
    own = read_config(write("custom-lib-path=mine.py", *lines))
    assert custom_function(own).endswith(f"mine.py:{lines[1].partition('=')[2]}")


@pytest.mark.parametrize("unit", [(1, 1), (960, 576)], ids=["fractions", "pixels"])
def test_masks_of_the_objects_own_class(unit):
    rows = np.array(
        [[0.25, 0.5, 0.75, 1.5, 1, 0.9], [0, 0, 0.5, 0.5, 0, 0.7], [0, 0, 1, 1, 1, 0.4], [0, 0, 1, 1, 5, 0.9]]
    )
    rows[:, [0, 2]] *= unit[1]
    rows[:, [1, 3]] *= unit[0]
    masks = np.arange(4 * 2, dtype=np.float32).reshape(4, 2, 1, 1) * np.ones((1, 1, 28, 28), np.float32)
    found = parse_mask_rcnn({"generate_detections": rows, "mask": masks}, INPUT, ParseParams(2, (0.6, 0.5)))
    np.testing.assert_allclose(found.xyxy, [[480, 144, 960, 432], [0, 0, 480, 288]])
    assert found.class_id.tolist() == [1, 0]
    np.testing.assert_allclose(found.confidence, [0.9, 0.7])
    assert found.masks[:, 0, 0].tolist() == [1, 2]


def test_nothing_found_has_no_masks():
    layers = {"a": np.zeros((3, 6)), "b": np.zeros((3, 2, 28, 28))}
    assert len(parse_mask_rcnn(layers, INPUT, ParseParams(2, (0.0, 0.0)))) == 0


CHARACTERS = "0\n1\nA\nB\n"


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([2, 2, 4, 2, 3, 3, 4, 0], "AAB0"),
        ([4, 4, 0, 1, 0], "010"),
        ([4, 0, 1, 4], None),
        ([4, 4, 4], None),
    ],
)
def test_plates_are_read_step_by_step(tmp_path, monkeypatch, steps, text):
    (tmp_path / "dict.txt").write_text(CHARACTERS)
    monkeypatch.chdir(tmp_path)
    layers = {"max": np.full(len(steps), 0.5, np.float32), "argmax": np.array(steps, np.int32)}
    found = parse_plate(layers, NetworkInfo(96, 48), ParseParams(0, (0.0,)))
    assert [(label.label, label.prob) for label in found] == ([(text, 0.5 ** len(text))] if text else [])


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    layers = {"max": np.zeros(3, np.float32), "argmax": np.zeros(3, np.int32)}
    with pytest.raises(ModelError, match=f"read from {tmp_path}/dict.txt, one on each line"):
        parse_plate(layers, INPUT, ParseParams(0, (0.0,)))
    with pytest.raises(ModelError, match=r"there are: x float64\(3,\)"):
        parse_plate({"x": np.zeros(3)}, INPUT, ParseParams(0, (0.0,)))
    with pytest.raises(ModelError, match=r"there are: x \(3, 6\)"):
        parse_mask_rcnn({"x": np.zeros((3, 6))}, INPUT, ParseParams(1, (0.0,)))
