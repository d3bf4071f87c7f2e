"""Plates from the numbers of their characters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.errors import ConfigError, ModelError
from headrace.infer.nvinfer import NvInferConfig
from headrace.infer.nvinfer.subject import custom_function
from headrace.infer.parsers import NetworkInfo, ParseParams, load_classifier_parser
from headrace.infer.parsers.plates import parse_plate

CHARACTERS = tuple((letter,) for letter in "012ABC")
NONE = len(CHARACTERS)
PARAMS = ParseParams(NONE, (0.0,), CHARACTERS)


def plate(places: list[int], params: ParseParams = PARAMS, least: float = 0.6) -> list[tuple[str, float]]:
    chances = np.full((1, len(places)), 0.9, np.float32)
    chances[0, 1:2] = least
    outputs = {"max": chances, "argmax": np.array([places], np.int32)}
    return [
        (label.label, round(label.prob, 3)) for label in parse_plate(outputs, NetworkInfo(96, 48), params)
    ]


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([3, 4, 1], [("AB1", 0.6)]),
        ([3, 3, NONE, 3, 5], [("AAC", 0.9)]),
        ([NONE, NONE, NONE], []),
        ([NONE, 0, 0, 0, NONE], [("0", 0.6)]),
        ([], []),
    ],
)
def test_repeated_characters_are_one_unless_something_is_between(places: list[int], expected: list) -> None:
    assert plate(places) == expected


def test_a_doubtful_plate_is_none() -> None:
    assert plate([3, 4], ParseParams(NONE, (0.7,), CHARACTERS)) == []


def test_characters_may_lie_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    params = ParseParams(0, (0.0,))
    with pytest.raises(ConfigError, match=r"dict\.txt"):
        plate([0], params)
    (tmp_path / "dict.txt").write_text("X\nY\n")
    assert plate([1, 0], params)[0][0] == "YX"


def test_other_layers_and_characters_are_refused() -> None:
    with pytest.raises(ModelError, match="float32"):
        parse_plate({"a": np.zeros(3, np.float32)}, NetworkInfo(1, 1), PARAMS)
    with pytest.raises(ModelError, match="character 9"):
        plate([9, 0])


def test_its_name_in_configurations_leads_here() -> None:
    config = NvInferConfig(network_type=1, parse_classifier_func_name="NvDsInferParseCustomNVPlate")
    spec = custom_function(config.with_values(custom_lib_path="libnvdsinfer_custom_impl_lpr.so"))
    assert spec is not None
    outputs = {"n": np.array([4, 4], np.int64), "p": np.ones(2, np.float32)}
    [label] = load_classifier_parser(spec)(outputs, NetworkInfo(96, 48), PARAMS)
    assert label.label == "B"
