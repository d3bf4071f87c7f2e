"""Property values: the contract's conversions, with any spelling of the name."""

import logging

import numpy as np
import pytest

from headrace.errors import PipelineError
from headrace.flow import Pipeline, ServiceMakerPipeline

TABLE = [
    # factory, property, value given, value read back
    ("identity", "silent", "false", False),
    ("identity", "silent", "1", True),
    ("identity", "silent", 0, False),
    ("identity", "silent", False, False),
    ("identity", "silent", np.bool_(False), False),
    ("identity", "error-after", "7", 7),
    ("identity", "error-after", 7.9, 7),
    ("identity", "error_after", np.int64(5), 5),
    ("identity", "error-after", True, 1),
    ("identity", "error-after", -1, -1),
    ("identity", "sleep-time", "0x10", 16),
    ("identity", "drop-probability", "0.25", 0.25),
    ("identity", "drop-probability", 1, 1.0),
    ("identity", "drop-probability", np.float32(0.5), 0.5),
    ("identity", "ts-offset", -(2**40), -(2**40)),
    ("queue", "max-size-buffers", -1, 2**32 - 1),
    ("queue", "max-size-time", 2**40, 2**40),
    ("queue", "leaky", "downstream", 2),
    ("queue", "leaky", "2", 2),
    ("queue", "leaky", 1, 1),
    ("queue", "leaky", 1.0, 1),
    ("videotestsrc", "pattern", "ball", 18),
    ("filesrc", "location", 7000, "7000"),
    ("filesrc", "location", 0.5, "0.5"),
    ("filesrc", "location", True, "TRUE"),
    ("capsfilter", "caps", "video/x-raw, width=64", "video/x-raw, width=(int)64"),
    ("capsfilter", "caps", "video/x-raw(memory:NVMM)", "video/x-raw(memory:NVMM)"),
    ("playbin", "flags", 3, 3),
]


@pytest.mark.parametrize(("factory", "name", "given", "read"), TABLE)
def test_converted(factory, name, given, read):
    node = Pipeline("p").add(factory, "e", {name: given})["e"]
    assert node.get(name) == read
    assert type(node.get(name)) is type(read)


@pytest.mark.parametrize(
    ("factory", "name", "given", "expected"),
    [
        ("identity", "error-after", "many", "a whole number, -1 to 2147483647"),
        ("identity", "silent", "perhaps", "true or false"),
        ("capsfilter", "caps", "video/x-raw, width=", "caps such as video/x-raw,width=640"),
        ("identity", "error-after", object(), "a whole number, "),
        ("identity", "drop-probability", 1.5, "a number, 0 to 1"),
        ("nvstreammux", "batch-size", -5, "a whole number, 0 to 1024"),
        ("queue", "leaky", "sideways", "one of no, upstream, downstream"),
        ("queue", "leaky", 9, "one of no, upstream, downstream"),
    ],
)
def test_what_does_not_fit_is_named(factory, name, given, expected):
    with pytest.raises(RuntimeError) as caught:
        Pipeline("p").add(factory, "e", {name: given})
    assert f"property '{name}' of 'e' takes {expected}" in str(caught.value)
    assert f"not {given!r}" in str(caught.value)


@pytest.mark.parametrize(
    ("factory", "name", "given"), [("queue", "leaky", "sideways"), ("identity", "drop-probability", 1.5)]
)
def test_what_gstreamer_ignores_is_told_to_programs_of_pyservicemaker(factory, name, given, capfd):
    node = ServiceMakerPipeline("p").add(factory, "e", {name: given})["e"]
    assert node.get(name) == 0
    assert f"not {given!r}; it stays as it is" in capfd.readouterr().out


def test_a_structure_is_parsed():
    node = Pipeline("p").add("splitmuxsink", "e", {"muxer-properties": "properties,streamable=true"})["e"]
    assert node.get("muxer-properties").get_value("streamable") is True


def test_none_is_skipped_and_a_list_set_item_by_item():
    node = Pipeline("p").add("identity", "e", {"error-after": 4})["e"]
    assert node.set({"error-after": None}).get("error-after") == 4
    assert node.set({"error-after": [5, 6]}).get("error-after") == 6
    assert node.set([{"error-after": 7}, {"silent": False}]).get("error-after") == 7
    assert node.set("error-after", 8).get("error_after") == 8


def test_children_are_reached():
    pipeline = Pipeline("p").add("compositor", "c")
    pipeline["c"].element.request_pad_simple("sink_0")
    pipeline["c"].set({"sink_0::xpos": "12"})
    assert pipeline["c"].get("sink_0::xpos") == 12


def test_an_unknown_property_is_reported_and_ignored(capfd, caplog):
    line = "Property no-such is not supported by object e"
    node = ServiceMakerPipeline("p").add("identity", "e", {"no-such": 1, "x::y": 2})["e"]
    assert node.get("no-such") is None
    assert capfd.readouterr().out.splitlines().count(line) == 2
    with caplog.at_level(logging.WARNING):
        assert Pipeline("p").add("identity", "e", {"no-such": 1})["e"].get("silent") is True
    assert line in caplog.text
    assert not capfd.readouterr().out


def test_paths_of_the_installation_lead_into_the_assets(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADRACE_ASSETS", str(tmp_path))
    root = "/opt/nvidia/deepstream/deepstream-9.1"
    node = Pipeline("p").add("filesrc", "e", {"location": f"{root}/samples/a b.h264"})["e"]
    assert node.get("location") == f"{tmp_path}/samples/a b.h264"
    pipeline = Pipeline("p").add("nvurisrcbin", "e", {"uri": f"file://{root}/x.mp4"})
    assert pipeline["e"].get("uri") == f"file://{tmp_path}/x.mp4"


def test_the_error_is_one_of_ours():
    with pytest.raises(PipelineError):
        Pipeline("p").add("identity", "e", {"error-after": "x"})
