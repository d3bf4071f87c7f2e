import logging

import pytest

from headrace.errors import ConfigError
from headrace.message import Coordinate, Location, MsgConvConfig

YAML = """\
sensor0: {enable: 1, type: Camera, id: cam, location: 59.33;18.06;12.0, coordinate: [1.5, 0, 4.2]}
place0: {enable: true, id: bay, place-sub-field1: gate-2, place-sub-field3: 3}
analytics7: {enable: 1, id: count, version: 0.4}
"""
CSV = """\
cameraId,sensor-id,description,cameraIDstring,field1,field2,field3
3,HWY_1,"Exit, north",c3,gate,left,ground
x,HWY_2,Entry,c4,gate2,right,roof
"""


def load(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return MsgConvConfig.load(path)


def test_a_key_file_is_read_whole_and_keeps_quotes(keyfile):
    config = MsgConvConfig.load(keyfile)
    sensor, place, module = config.sensor(0), config.place(0), config.module(0)
    assert sensor.description == '"Loading dock, north side"'
    assert sensor.location == Location(59.33, 18.06, 12.0)
    assert sensor.coordinate == Coordinate(1.5, 0.0, 4.2)
    assert (place.name, place.type, place.sub_fields) == ("Hall B", "warehouse", ("gate-2", "left", "ground"))
    assert (module.id, module.source, module.version) == ("count-1", "in-house", "0.4")


def test_yaml_uses_the_same_names(tmp_path):
    config = load(tmp_path, "c.yml", YAML)
    assert config.sensor(0).location == Location(59.33, 18.06, 12.0)
    assert config.sensor(0).coordinate == Coordinate(1.5, 0.0, 4.2)
    assert config.place(0).sub_fields == ("gate-2", "", "3")
    assert config.module(7).version == "0.4"


def test_csv_rows_go_by_camera_number_or_else_by_position(tmp_path):
    config = load(tmp_path, "c.csv", CSV)
    assert config.sensor(3).id == "HWY_1"
    assert config.sensor(3).description == "Exit, north"
    assert config.place(3).sub_fields == ("gate", "left", "ground")
    assert config.sensor(1).id == "HWY_2"


@pytest.mark.parametrize("enable", ["enable=0\n", ""])
def test_a_group_that_is_not_enabled_is_left_out(tmp_path, enable):
    assert load(tmp_path, "c.txt", f"[sensor0]\n{enable}id=a\n").sensor(0) is None


def test_a_missing_entry_is_warned_about_once(tmp_path, caplog):
    config = load(tmp_path, "c.txt", "[sensor0]\nenable=1\nid=a\n")
    with caplog.at_level(logging.WARNING):
        assert [config.sensor(4), config.sensor(4), config.place(4)] == [None] * 3
    assert [r.getMessage().split(";")[0] for r in caplog.records] == [
        "No entry for sensor4 in configuration file",
        "No entry for place4 in configuration file",
    ]


@pytest.mark.parametrize(
    ("name", "text", "needles"),
    [
        (
            "c.txt",
            "[sensor0]\nenable=1\nlocation=1;north;3\n",
            ["c.txt", "[sensor0]", "location", "1;north;3"],
        ),
        ("c.txt", "[place2]\nenable=1\ncoordinate=1;2\n", ["c.txt", "[place2]", "coordinate", "1;2"]),
        ("c.txt", "[sensor0]\nenable=yes\n", ["c.txt", "[sensor0]", "enable", "yes"]),
        ("c.txt", "id=1\n", ["c.txt", "key file"]),
        ("c.txt", "[sensor0]\nnonsense\n", ["c.txt", "nonsense"]),
        ("c.yaml", "sensor0: [1, 2", ["c.yaml", "YAML"]),
        ("c.yaml", "- 1\n", ["c.yaml", "list"]),
        ("c.yaml", "sensor0: 5\n", ["c.yaml", "sensor0"]),
        ("c.csv", "a,b\n1,2\n", ["c.csv", "row 2", "sensor-id"]),
    ],
)
def test_errors_name_file_group_and_key(tmp_path, name, text, needles):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, name, text)
    assert all(needle in str(caught.value) for needle in needles)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.txt"):
        MsgConvConfig.load(tmp_path / "gone.txt")


def test_unknown_groups_and_keys_are_warned_about(tmp_path, caplog):
    load(tmp_path, "c.txt", "[sensors]\nenable=1\n[sensor0]\nenable=1\ncolour=red\ntyp=Camera\n")
    assert "[sensors]" in caplog.text
    assert "colour" in caplog.text
    assert "[sensor0] typ has no meaning here; did you mean type?" in caplog.text
