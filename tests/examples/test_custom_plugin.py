"""The plugin file of the example, unmodified, found and run by GStreamer's own tools."""

import importlib.util
import json
import os
import subprocess
from pathlib import Path

import pytest

from headrace.cli.env import environment

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "custom_plugin"


@pytest.fixture(scope="module")
def env(tmp_path_factory):
    """With a registry of its own, which takes seconds to make, once."""
    variables = {**os.environ, **environment()}
    variables["GST_PLUGIN_PATH"] += os.pathsep + str(EXAMPLE)
    variables["GST_REGISTRY"] = str(tmp_path_factory.mktemp("registry") / "registry.bin")
    variables["PYTHONPATH"] += os.pathsep + str(ROOT)
    if importlib.util.find_spec("torch") is None:
        variables["PYTHONPATH"] += os.pathsep + str(ROOT / "tests" / "standins")
    return variables


def run(env, *command):
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=150, check=False)


def test_gst_inspect_finds_the_plugin_and_our_elements(env):
    mine = run(env, "gst-inspect-1.0", "brightdetector")
    assert mine.returncode == 0, mine.stderr
    assert "confidence-threshold" in mine.stdout
    assert "Least share of bright pixels in the box" in mine.stdout
    listed = run(env, "gst-inspect-1.0", "python").stdout
    for element in ("nvstreammux", "hrinfer", "nvtracker", "nvdsosd", "nvurisrcbin"):
        assert f"  {element}: " in listed


@pytest.mark.parametrize("element", ["nvstreammux", "hrinfer", "nvtracker"])
def test_gst_inspect_shows_properties_pads_and_classification(env, element):
    shown = run(env, "gst-inspect-1.0", element)
    assert shown.returncode == 0, shown.stderr
    assert "Klass" in shown.stdout
    assert "Pad Templates:" in shown.stdout
    assert "memory:NVMM" in shown.stdout
    assert "Element Properties:" in shown.stdout


def test_the_plugin_runs_between_muxer_and_tracker(env, tmp_path):
    events = tmp_path / "events.jsonl"
    chain = (
        "videotestsrc pattern=ball num-buffers=10 ! video/x-raw,format=I420,width=160,height=120 ! m.sink_0 "
        "nvstreammux name=m batch-size=1 ! brightdetector model-engine=128 confidence-threshold=0.5 ! nvtracker "
        "! nvdsosd ! nvmsgconv payload-type=1 msg2p-newapi=true frame-interval=1 "
        f"! nvmsgbroker proto-lib=file conn-str={events}"
    )
    played = run(env, "gst-launch-1.0", "-q", *chain.split())
    assert played.returncode == 0, played.stderr
    frames = [json.loads(line) for line in events.read_text().splitlines()]
    assert len(frames) == 10
    # Ids come when the tracker has seen the ball twice.
    assert [len(frame["objects"]) for frame in frames] == [0, *[1] * 9]
    number, *box, label = frames[-1]["objects"][0].split("|")[:6]
    assert label == "bright"
    assert number == "1"
    left, top, right, bottom = map(float, box)
    assert 30 < right - left < 50
    assert 30 < bottom - top < 50
