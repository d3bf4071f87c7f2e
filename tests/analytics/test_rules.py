"""Each rule on small scenes whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from headrace.analytics import AnalyticsSettings, SourceAnalysis, load_settings
from headrace.analytics.rules import rules
from headrace.errors import ConfigError
from headrace.meta.analytics import AnalyticsEvent

FPS = 20.0
SIZE = (1000, 800)
ZONES = {"till": [[400, 300], [600, 300], [600, 500], [400, 500]]}
LINES = {"door": [[500, 0], [500, 800]]}
#: 100 pixels are a metre.
GROUND = {"image": [[0, 0], [1000, 0], [1000, 800], [0, 800]], "metres": [[0, 0], [10, 0], [10, 8], [0, 8]]}
PERSON, BAG = 0, 1


class Play:
    """Objects by id, each a class and its foot by frame; ``None`` where it is not there."""

    def __init__(self, rule: dict[str, Any], **settings: Any) -> None:
        common = {"frame": SIZE, "zones": ZONES, "lines": LINES, "labels": ["person", "bag"]}
        self.settings = AnalyticsSettings.model_validate({**common, **settings, "rules": [rule]})
        self.source = SourceAnalysis(self.settings, SIZE)
        self.events: list[AnalyticsEvent] = []
        self.moment: Any = None

    def run(self, frames: int, **walks: Any) -> list[AnalyticsEvent]:
        random = np.random.default_rng(5)
        for number in range(frames):
            ids, classes, boxes = [], [], []
            for name, (class_id, at) in walks.items():
                foot = at(number / FPS)
                if foot is not None:
                    x, y = np.array(foot) + random.normal(0, 0.5, 2)
                    ids.append(int(name[1:]))
                    classes.append(class_id)
                    boxes.append((x - 15, y - 60, x + 15, y))
            self.moment = self.source.update(
                np.array(ids, np.uint64),
                np.array(classes, np.int32),
                np.array(boxes).reshape(-1, 4),
                number,
                number / FPS,
            )
            self.events += self.moment.events
        return self.events

    def told(self) -> list[tuple[str, int | None]]:
        return [(event.type, event.object_id) for event in self.events]

    @property
    def rule(self) -> Any:
        return self.source.rules[0]


def stands(x: float, y: float, start: float = 0, stop: float = 1e9) -> Any:
    return lambda t: (x, y) if start <= t < stop else None


def walks(x: float, y: float, vx: float, vy: float = 0.0, start: float = 0, stop: float = 1e9) -> Any:
    return lambda t: (x + vx * (t - start), y + vy * (t - start)) if start <= t < stop else None


def visits(start: float, stop: float) -> Any:
    """Stands outside, in the zone from `start` to `stop`, and outside again."""
    return lambda t: (500, 400) if start <= t < stop else (200, 400)


def test_there_is_a_test_for_every_rule() -> None:
    text = Path(__file__).read_text()
    assert [name for name in rules() if f'"rule": "{name}"' not in text] == []


def test_zone() -> None:
    play = Play({"rule": "zone", "classes": ["person"]})
    play.run(200, a1=(PERSON, visits(2, 5)), a2=(BAG, visits(1, 2)), a3=(PERSON, stands(500, 450, 3, 6)))
    assert play.told() == [("enter", 1), ("enter", 3), ("exit", 1), ("exit", 3)]
    assert [event.data["seconds"] for event in play.events[2:]] == pytest.approx([3, 2.95], abs=0.11)
    assert play.events[0].label == "person"
    assert play.events[0].time == pytest.approx(2, abs=0.06)


def test_who_trembles_at_the_edge_of_a_zone_comes_once() -> None:
    play = Play({"rule": "zone"})
    play.run(400, a1=(PERSON, lambda t: (404 if t < 2 else 400 + 1.5 * np.sin(9 * t), 400)))
    assert play.told() == [("enter", 1)]


def test_line() -> None:
    play = Play({"rule": "line", "forward": "west", "backward": "east"})
    play.run(
        200,
        a1=(PERSON, walks(300, 400, 60)),
        a2=(PERSON, walks(700, 500, -60)),
        a3=(BAG, walks(650, 600, -80)),
    )
    assert sorted((e.object_id, e.data["direction"], e.data["count"]) for e in play.events) == [
        (1, "east", 1), (2, "west", 2), (3, "west", 1),
    ]  # fmt: skip
    back_and_forth = (PERSON, lambda t: (500 + 150 * np.cos(t * 2), 400))
    for once, count in ((False, 6), (True, 2)):
        play = Play({"rule": "line", "once": once})
        assert len(play.run(190, a1=back_and_forth)) == count


def test_dwell() -> None:
    play = Play({"rule": "dwell", "seconds": 3})
    play.run(200, a1=(PERSON, visits(1, 3)), a2=(PERSON, visits(2, 9)))
    assert play.told() == [("dwell", 2)]
    assert play.events[0].time == pytest.approx(5, abs=0.1)
    play = Play({"rule": "dwell", "seconds": 3, "repeat": 2})
    play.run(200, a1=(PERSON, visits(0, 9)))
    assert [event.data["seconds"] for event in play.events] == pytest.approx([3, 5, 7], abs=0.11)


def test_queue() -> None:
    play = Play({"rule": "queue", "limit": 2})
    play.run(
        300,
        a1=(PERSON, visits(1, 6)),
        a2=(PERSON, visits(3, 9)),
        a3=(PERSON, visits(5, 5.5)),
        a4=(PERSON, visits(20, 21)),
    )
    assert [(e.type, e.data.get("count")) for e in play.events] == [
        ("queue", 1), ("queue", 2), ("queue-long", 2), ("wait", None), ("queue", 1), ("queue-short", 1),
        ("wait", None), ("queue", 0),
    ]  # fmt: skip
    waits = [event.data["seconds"] for event in play.events if event.type == "wait"]
    assert waits == pytest.approx([5, 6], abs=0.11)


def test_crowd() -> None:
    play = Play({"rule": "crowd", "limit": 2, "seconds": 1})
    play.run(300, a1=(PERSON, visits(1, 8)), a2=(PERSON, visits(2, 2.5)), a3=(PERSON, visits(4, 9)))
    assert [event.type for event in play.events] == ["crowd", "crowd-end"]
    assert [event.time for event in play.events] == pytest.approx([5, 9], abs=0.2)
    assert play.events[1].data["seconds"] == pytest.approx(4, abs=0.2)


def test_occupancy() -> None:
    play = Play({"rule": "occupancy", "period": 5})
    play.run(220, a1=(PERSON, visits(0, 5)), a2=(PERSON, visits(2.5, 10)))
    assert [(e.data["mean"], e.data["peak"]) for e in play.events] == [
        (pytest.approx(1.5, abs=0.1), 2), (pytest.approx(1, abs=0.1), 1),
    ]  # fmt: skip


def test_speed() -> None:
    play = Play({"rule": "speed", "limit": 10}, ground=GROUND)
    play.run(300, a1=(PERSON, walks(100, 300, 150, stop=5)), a2=(PERSON, walks(100, 600, 400, stop=2)))
    (fast,) = [event for event in play.events if event.type == "speeding"]
    assert (fast.object_id, fast.data["kmh"]) == (2, pytest.approx(14.4, abs=1))
    paths = {event.object_id: event.data for event in play.events if event.type == "path"}
    assert paths[1]["kmh"] == pytest.approx(5.4, abs=0.3)
    assert paths[1]["metres"] == pytest.approx(6.0, abs=0.2)  # whole windows
    with pytest.raises(ConfigError, match="speed needs the ground"):
        Play({"rule": "speed"})


def test_ground_with_perspective_gives_the_speed_of_the_road() -> None:
    """A camera 6 m above a road; someone goes straight away from it at 10 m/s."""

    def seen(x: float, z: float) -> list[float]:
        return [500 + 800 * x / z, 100 + 800 * 6 / z]

    corners = [(-4.0, 10.0), (4.0, 10.0), (4.0, 50.0), (-4.0, 50.0)]
    ground = {"image": [seen(*one) for one in corners], "metres": corners}
    play = Play({"rule": "speed", "limit": 30}, ground=ground)
    play.run(80, a1=(PERSON, lambda t: seen(1.0, 12 + 10 * t) if t < 3 else None))
    assert play.events[0].data["kmh"] == pytest.approx(36, rel=0.1)


def test_heat_map(tmp_path: Path) -> None:
    play = Play({"rule": "heat-map", "columns": 10, "period": 2, "file": str(tmp_path / "heat-{source}.png")})
    play.run(101, a1=(PERSON, stands(250, 350)), a2=(PERSON, stands(650, 650, 2.5)))
    heat = play.rule.array
    assert heat.shape == (8, 10)
    assert heat[3, 2] == pytest.approx(5, abs=0.2)
    assert heat[6, 6] == pytest.approx(2.5, abs=0.2)
    assert heat.sum() == pytest.approx(7.5, abs=0.3)
    cells = [event.data["cells"] for event in play.events]
    assert [cell.get(32, 0) for cell in cells] == pytest.approx([2, 2], abs=0.1)
    play.source.close()
    picture = cv2.imread(str(tmp_path / "heat-0.png"))
    assert picture.shape == (800, 1000, 3)
    assert picture[350, 250, 2] > 100  # red where it is hot
    assert play.rule.image(np.zeros((80, 100, 3), np.uint8)).shape == (80, 100, 3)


def test_near_miss() -> None:
    play = Play(
        {"rule": "near-miss", "distance": 0.5, "classes": ["person"], "others": ["bag"]}, ground=GROUND
    )
    play.run(
        200, a1=(PERSON, walks(100, 400, 100)), a2=(BAG, stands(500, 430)), a3=(PERSON, stands(500, 430))
    )
    near = [event for event in play.events if 1 in (event.object_id, int(event.data["other"]))]
    assert len(near) == 1
    assert near[0].data["distance"] == pytest.approx(0.45, abs=0.1)
    assert near[0].time == pytest.approx(3.6, abs=0.3)
    far = Play({"rule": "near-miss", "distance": 20})
    assert far.run(200, a1=(PERSON, walks(100, 400, 100)), a2=(PERSON, stands(500, 430))) == []


def test_wrong_way() -> None:
    play = Play({"rule": "wrong-way", "direction": [[0, 0], [1, 0]]})
    play.run(
        120, a1=(PERSON, walks(300, 400, 60)), a2=(PERSON, walks(700, 420, -60)), a3=(PERSON, stands(500, 450)),
        a4=(PERSON, walks(700, 700, -60)),
    )  # fmt: skip
    assert play.told() == [("wrong-way", 2)]
    assert play.events[0].data == {"zone": "till"}


def test_abandoned() -> None:
    rule = {"rule": "abandoned", "classes": ["bag"], "owners": ["person"], "seconds": 4, "distance": 100}
    play = Play(rule)
    bag = (BAG, lambda t: (500, 400) if t < 12 else (500 + 80 * (t - 12), 400))
    kept = (BAG, stands(200, 200))
    owner = (PERSON, lambda t: (450 - 100 * max(t - 2, 0), 400) if t < 6 else None)
    play.run(280, a1=bag, a2=owner, a3=kept, a4=(PERSON, stands(230, 230)))
    assert play.told() == [("abandoned", 1), ("taken", 1)]
    assert play.events[0].time == pytest.approx(6.6, abs=0.8)


def test_trajectory() -> None:
    play = Play({"rule": "trajectory", "points": 5, "interval": 0.5}, ground=GROUND)
    play.run(101, a1=(PERSON, walks(100, 400, 100)), a2=(PERSON, stands(700, 700, 4.2)))
    ways = play.moment.trajectories
    assert ways.object_id.tolist() == [1, 2]
    assert np.diff(ways.points[0, :, 0]) == pytest.approx([50] * 4, abs=4)
    assert np.isnan(ways.points[1, :3]).all()
    assert ways.ground[0, -1] == pytest.approx(ways.points[0, -1] / 100, abs=1e-3)


def test_a_source_that_begins_again_goes_on() -> None:
    play = Play({"rule": "line"})
    for _ in range(2):
        play.run(100, a1=(PERSON, walks(300, 400, 60)))
    assert [event.data["count"] for event in play.events] == [1, 2]
    assert play.events[0].id != play.events[1].id or play.events[0].time != play.events[1].time


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"zones": {"z": [[0, 0], [9, 9]]}}, "zone 'z' has 2 corners; a polygon has three or more"),
        ({"zones": {"z": [[0, 0], [90, 90], [90, 0], [0, 90]]}}, "zone 'z' crosses itself"),
        ({"zones": {"z": [[0, 0], [50, 50], [90, 90]]}}, "zone 'z'"),
        ({"zones": {"z": [[1100, 0], [1200, 0], [1200, 90]]}}, "zone 'z' lies outside the frame of 1000×800"),
        ({"zones": {"z": [[0, 0], ["a", 0], [9, 90]]}}, "zones.z"),
        ({"zones": {"z": [[0, 0], [float("nan"), 0], [9, 90]]}}, "not a number"),
        ({"lines": {"l": [[5, 5], [5, 5]]}}, "line 'l' has no length"),
        ({"lines": {"l": [[-5, 5], [-9, 50]]}}, "line 'l' lies outside the frame"),
        ({"lines": {"l": [[5, 5]]}}, "lines.l"),
        ({"rules": [{"rule": "zoen"}]}, "unknown rule 'zoen', did you mean 'zone'"),
        ({"rules": [{"rule": "zone"}, {"rule": "zone"}]}, "two rules are called 'zone'"),
        ({"rules": [{"rule": "mine.py:f", "nam": "x"}]}, "unknown key 'nam', did you mean 'name'"),
        ({"rules": [{"name": "x"}]}, "rules.0: the key rule is missing"),
        ({"rules": [{"rule": "dwell", "second": 3}]}, "unknown key 'second', did you mean 'seconds'"),
        ({"rules": [{"rule": "dwell", "seconds": -1}]}, "greater than 0"),
        ({"rules": [{"rule": "zone", "zones": ["tills"]}]}, "there is no zone 'tills'; there are: till"),
        ({"rules": [{"rule": "zone", "classes": ["persn"]}]}, "there is no class 'persn'"),
        ({"rules": [{"rule": "zone", "classes": [7]}]}, "there is no class 7"),
        ({"zone": {}}, "unknown key 'zone', did you mean 'zones'"),
        ({"frame": [0, 5]}, "width and height"),
        ({"ground": {"image": [[0, 0], [9, 9], [9, 0], [0, 9]], "metres": GROUND["metres"]}}, "must go round"),
        ({"sources": {1: {"zones": {"z": [[0, 0]]}}}}, "zone 'z'"),
    ],
)  # fmt: skip
def test_mistakes_are_told_when_the_file_is_read(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    import yaml

    whole = {
        "frame": list(SIZE),
        "zones": ZONES,
        "lines": LINES,
        "labels": ["person", "bag"],
        "rules": [{"rule": "zone"}],
    }
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({**whole, **change}))
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert says in str(caught.value)
    assert "rules.yaml" in str(caught.value)


def test_a_source_may_differ(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(
        "frame: [1000, 800]\nlines: {l: [[0, 9], [9, 9]]}\nrules: [{rule: line}]\n"
        "sources: {1: {lines: {m: [[0, 400], [1000, 400]]}}}\n"
    )
    settings = load_settings(path)
    assert list(settings.of(0).lines) == ["l"]
    assert list(settings.of(1).lines) == ["m"]
    assert SourceAnalysis(settings.of(1), (500, 400), 1).ends.tolist() == [[[0, 200], [500, 200]]]


def test_every_key_is_described() -> None:
    from headrace.analytics.rules import rule_class

    models = [AnalyticsSettings, *(rule_class(name).settings_type for name in rules())]
    assert [(m.__name__, n) for m in models for n, f in m.model_fields.items() if not f.description] == []
