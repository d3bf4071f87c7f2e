"""The configuration of a run: one model for command line and YAML."""

import pytest

from headrace.errors import ConfigError
from headrace.flow.run.config import RunConfig, make_config

GIVEN = {"inputs": ["sim://plaza"], "model": "m.onnx"}


def test_every_field_says_what_it_is():
    assert all(field.description for field in RunConfig.model_fields.values())


@pytest.mark.parametrize(
    ("tiles", "grid", "size"),
    [
        (None, (1, 1), None),
        ("auto", (1, 1), None),
        (True, (1, 1), None),
        ("3x2", (3, 2), None),
        ("@640x360", (1, 1), (640, 360)),
        ("4x4@1920x1080", (4, 4), (1920, 1080)),
    ],
)
def test_tiles(tiles, grid, size):
    config = make_config({**GIVEN, "tiles": tiles})
    assert (config.grid, config.picture_size) == (grid, size)


@pytest.mark.parametrize("tiles", ["", "2", "2x", "x2", "0x1", "2x2@", "2x2@0x9", "axb"])
def test_tiles_that_say_nothing_are_refused(tiles):
    with pytest.raises(ConfigError, match="tiles"):
        make_config({**GIVEN, "tiles": tiles})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inputs: [a.mp4\n", "not YAML"),
        ("- a\n- b\n", "not list"),
        ("trackr: none\n", "'trackr', did you mean 'tracker'"),
        ("confidence: high\n", "confidence 'high'"),
        ("live: perhaps\n", "live 'perhaps'"),
        ("inputs: []\n", "inputs"),
        ("tracker: none\nevents: e.jsonl\n", "choose a tracker"),
        ("summary: out.mp4\nout: out.mp4\n", "would overwrite"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path, text, said):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        make_config({key: value for key, value in GIVEN.items() if key not in text}, path)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_properties_of_the_model_come_from_words_or_a_mapping(tmp_path):
    wanted = {"interval": "2", "min-object-size": "8x8"}
    assert make_config({**GIVEN, "set": ["interval=2", "min_object_size=8x8"]}).set == wanted
    path = tmp_path / "c.yaml"
    path.write_text("set: {interval: 2, min-object-size: 8x8}\n")
    assert make_config(GIVEN, path).set == wanted


@pytest.mark.parametrize(
    ("words", "said"), [(["intervall=2"], "did you mean 'interval'"), (["x"], "property=value")]
)
def test_properties_that_are_none_are_refused(words, said):
    with pytest.raises(ConfigError, match=said):
        make_config({**GIVEN, "set": words})


def test_dashes_and_underscores_are_one_and_an_input_may_stand_alone(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("inputs: sim://plaza\nmodel: m.onnx\non-error: disable\n")
    assert make_config({}, path).on_error == "disable"
    assert make_config({}, path).inputs == ["sim://plaza"]


@pytest.mark.parametrize(
    ("name", "paced"), [("a.mp4", False), ("rtsp://x/1", True), ("v4l2:///dev/video0", True)]
)
def test_cameras_are_paced(name, paced):
    assert make_config({**GIVEN, "inputs": [name]}).paced is paced


def test_devices_may_take_several_outputs():
    assert make_config({**GIVEN, "events": "/dev/null", "detections": "/dev/null"}).events is not None
