"""What the rules of analytics cost: CPU of a frame with 50 tracked objects, each rule by itself and all together."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.analytics import AnalyticsSettings, SourceAnalysis
from headrace.analytics.rules import rules
from headrace.bench.statistics import Spread

#: Objects of each frame.
OBJECTS = 50
_FRAMES, _FPS, _SIZE = 900, 30, (1280, 720)
_NS_PER_US = 1e3
_COMMON: dict[str, Any] = {
    "frame": _SIZE,
    "zones": {
        "left": [[100, 100], [600, 100], [600, 500], [100, 500]],
        "right": [[700, 100], [1200, 100], [1100, 600], [650, 500]],
    },
    "lines": {"across": [[0, 360], [1280, 360]], "down": [[640, 0], [640, 720]]},
    "ground": {
        "image": [[100, 700], [1180, 700], [900, 100], [380, 100]],
        "metres": [[0, 0], [10, 0], [10, 40], [0, 40]],
    },
}
#: What rules must be told.
_SETTINGS: dict[str, dict[str, Any]] = {
    "abandoned": {"classes": [1], "owners": [0], "distance": 2},
    "crowd": {"limit": 10},
    "near-miss": {"distance": 0.5, "classes": [0], "others": [1]},
    "speed": {"limit": 50},
    "wrong-way": {"direction": [[0, 0], [1, 0]]},
}


@dataclass(frozen=True, slots=True)
class RuleCost:
    """The cost of a rule.

    Attributes:
        rule: Its name; ``tracks, zones, lines`` for what all rules share, ``all`` for everything together.
        per_frame: CPU microseconds of a frame; of a rule what it adds to the shared part.
        events: Events that it made of 30 seconds.
    """

    rule: str
    per_frame: Spread
    events: int


def rule_costs(repeats: int = 5) -> list[RuleCost]:
    """Measure 30 seconds of objects that walk about and tremble, across two zones and two lines.

    Args:
        repeats: Rounds; each measures every rule once, and only runs of one round are subtracted.
    """
    frames = _walks()
    each = {name: [{"rule": name, **_SETTINGS.get(name, {})}] for name in rules()}
    chains = {"tracks, zones, lines": [], **each, "all": [one for group in each.values() for one in group]}
    spent: dict[str, list[float]] = {name: [] for name in chains}
    events = {}
    for number in range(repeats + 1):
        for name, chain in chains.items():
            cost, events[name] = _run(frames, chain)
            if number:  # the first round warms up
                spent[name].append(cost)
    shared = spent["tracks, zones, lines"]
    costs = []
    for name, values in spent.items():
        alone = [value - base for value, base in zip(values, shared, strict=True)] if name in each else values
        costs.append(RuleCost(name, Spread.of(alone), events[name]))
    return costs


def _walks() -> list[NDArray[np.float64]]:
    """Boxes of each frame: objects that walk on straight ways between the edges, and tremble by a pixel."""
    random = np.random.default_rng(1)
    feet = random.uniform((100, 150), (1180, 600), (OBJECTS, 2))
    step = random.uniform(-3, 3, (OBJECTS, 2))
    frames = []
    for _ in range(_FRAMES):
        feet = feet + step
        step = np.where(feet < (50, 100), np.abs(step), np.where(feet > (1230, 700), -np.abs(step), step))
        seen = feet + random.normal(0, 1, feet.shape)
        frames.append(np.hstack([seen - (15, 80), np.add(seen, (15, 0))]))
    return frames


def _run(frames: list[NDArray[np.float64]], chain: list[dict[str, Any]]) -> tuple[float, int]:
    source = SourceAnalysis(AnalyticsSettings.model_validate({**_COMMON, "rules": chain}), _SIZE)
    ids, classes = np.arange(1, OBJECTS + 1, dtype=np.uint64), (np.arange(OBJECTS) % 4 == 0).astype(np.int32)
    events = 0
    started = time.process_time_ns()
    for number, boxes in enumerate(frames):
        events += len(source.update(ids, classes, boxes, number, number / _FPS).events)
    return (time.process_time_ns() - started) / len(frames) / _NS_PER_US, events
