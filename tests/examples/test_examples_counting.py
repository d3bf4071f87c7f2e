"""The examples of counting, against the truth of their scenes."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from headrace.analytics import SourceAnalysis, load_settings
from headrace.source.sim import Scene, parse_sim_uri

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "counting"
FRAMES = 420
SCENES = {"door": "plaza?seed=3", "till": "plaza?seed=5", "vehicles": "highway?seed=3"}


def truth(name):
    """Events of the same rules on the boxes and tracks that the scene was drawn from."""
    settings = load_settings(EXAMPLE / f"{name}.yaml")
    source = SourceAnalysis(settings, (640, 360))
    scene = Scene(parse_sim_uri(f"sim://{SCENES[name]}&objects=16&width=640&height=360&frames={FRAMES}"))
    events = []
    for number in range(FRAMES):
        found = scene.render(number)[1]
        seen = found[found.visibility > 0.1]
        ids = seen.track_id.astype(np.uint64)
        events += source.update(ids, seen.class_id, seen.xyxy, number, number / 30).events
    return Counter((event.type, event.data.get("direction")) for event in events)


@pytest.mark.parametrize("name", SCENES)
def test_counts_are_those_of_the_scene(name, tmp_path):
    out = tmp_path / "events.jsonl"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, str(EXAMPLE / f"{name}.py"), str(out), str(FRAMES)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line)["event"] for line in out.read_text().splitlines()]
    counts, expected = Counter((event["type"], event.get("direction")) for event in events), truth(name)
    for key in expected:
        if key[0] in ("cross", "wait", "queue"):
            assert counts[key] == expected[key], key
    said = {
        "door": f"in {expected['cross', 'in']}, out {expected['cross', 'out']}",
        "till": f"{expected['wait', None]} waited",
        "vehicles": f"towards the camera {expected['cross', 'towards']}, away from it {expected['cross', 'away']}",
    }
    assert said[name] in done.stdout
    if name == "vehicles":  # the road is driven at 12.5 and 15 m/s, 45 and 54 km/h
        speeds = [event["kmh"] for event in events if event["type"] == "speeding"]
        assert len(speeds) > 2
        assert speeds == pytest.approx([54] * len(speeds), abs=4)
        assert counts["busy", None] >= 1


@pytest.mark.parametrize("path", sorted(EXAMPLE.glob("*.py")), ids=lambda path: path.stem)
def test_they_are_short(path):
    assert len(path.read_text().splitlines()) <= 60
