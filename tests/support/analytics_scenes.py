"""Scenes for counting, whose truth is what the objects mean to do; and a detector that misses and trembles."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from headrace.meta import Detections
from headrace.track import make_tracker

FPS = 30.0
SIZE = (1280, 720)
#: Heights and widths of objects, pixels.
_KINDS = {"person": (80.0, 32.0, 0), "car": (70.0, 130.0, 1)}


@dataclass
class Walk:
    """One object: its foot in each frame from a frame on; ``sense`` is how it crosses, in order."""

    start: int
    feet: np.ndarray
    height: float
    width: float
    class_id: int
    senses: tuple[int, ...]
    what: str


@dataclass
class Scene:
    """Objects about one line."""

    line: np.ndarray
    walks: list[Walk]
    frames: int
    forward: int = field(init=False)
    backward: int = field(init=False)

    def __post_init__(self):
        senses = [sense for walk in self.walks for sense in walk.senses]
        self.forward, self.backward = senses.count(1), senses.count(-1)

    def boxes(self, frame):
        """Ids, classes and boxes of a frame, as a perfect detector and tracker see them."""
        rows = [
            (number + 1, walk.class_id, walk.feet[frame - walk.start], walk)
            for number, walk in enumerate(self.walks)
            if 0 <= frame - walk.start < len(walk.feet)
        ]
        xyxy = [(x - w.width / 2, y - w.height, x + w.width / 2, y) for _, _, (x, y), w in rows]
        return (
            np.array([row[0] for row in rows], np.uint64),
            np.array([row[1] for row in rows], np.int32),
            np.array(xyxy, float).reshape(-1, 4),
        )


def through(*points, speed):
    """Feet along straight pieces at a speed in pixels a frame."""
    points = np.array(points, float)
    distances = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    way = np.arange(0, distances[-1] + 1e-9, speed)
    return np.stack([np.interp(way, distances, points[:, axis]) for axis in (0, 1)], axis=1)


def counting_scene(seed, objects=24, fast=(40, 70)):
    """A line somewhere, and objects that cross it, tremble on it, jump over it, turn back and walk past its end.

    ``fast`` is the speed of those who jump, pixels a frame; objects are 26 to 155 pixels wide.
    """
    random = np.random.default_rng([seed, 77])
    angle = random.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    middle = np.array([640.0, 400.0]) + random.uniform(-60, 60, 2)
    half = random.uniform(130, 180)
    line = np.stack([middle - half * along, middle + half * along])

    def at(u, v):
        return middle + u * along + v * across

    walks, slots = [], {}
    for _ in range(objects):
        what = random.choice(
            ["cross", "cross", "cross", "stand", "return", "twice", "fast", "past", "beside", "wait"]
        )
        height, width, class_id = _KINDS[random.choice(list(_KINDS))]
        height, width = height * random.uniform(0.8, 1.2), width * random.uniform(0.8, 1.2)
        sense, speed = int(random.choice([-1, 1])), random.uniform(1.5, 5)
        lane = int(random.integers(0, 2))
        u = (lane - 0.5) * 2 * half * 0.5 + random.uniform(-10, 10)
        far, senses = random.uniform(110, 220), (sense,)
        size = max(height, width)
        a, b = at(u, -sense * far), at(u + random.uniform(-15, 15), sense * far)
        feet = through(a, b, speed=speed)
        if what == "stand":  # comes to the line, trembles on it, goes back
            feet, senses = (
                _pause(through(a, at(u, 0), a, speed=speed), len(through(a, at(u, 0), speed=speed)), random),
                (),
            )
        elif what == "wait":  # the same, and then goes on
            feet = _pause(feet, len(feet) // 2, random)
        elif what == "return":  # turns round before the line
            feet, senses = through(a, at(u, -sense * size * 0.25), a, speed=speed), ()
        elif what == "twice":
            feet, senses = through(a, at(u, sense * far * 0.8), a, speed=speed), (sense, -sense)
        elif what == "fast":
            feet = through(a, b, speed=random.uniform(*fast))
        elif what == "past":  # round the end of the line
            beyond = np.sign(u) * (half + size)
            feet, senses = through(at(beyond, -sense * far), at(beyond, sense * far), speed=speed), ()
        elif what == "beside":  # along the line
            feet = through(at(-half, -sense * size * 0.5), at(half, -sense * size * 0.5), speed=speed)
            senses = ()
        # One after the other in each lane: whoever stands at the line stands alone.
        start = (
            max(slots.values(), default=0) if what == "beside" else max(slots.get(lane, 0), slots.get(9, 0))
        )
        slots[9 if what == "beside" else lane] = start + len(feet) + 40
        walks.append(Walk(start, feet, height, width, class_id, senses, what))
    return Scene(line, walks, max(walk.start + len(walk.feet) for walk in walks) + 45)


def _pause(feet, index, random):
    """Feet that stand for two seconds and tremble by a pixel or two."""
    index = min(index, len(feet) - 1)
    still = feet[index] + random.normal(0, 1.0, (60, 2))
    return np.concatenate([feet[:index], still, feet[index:]])


def seen(scene, seed, drop=0.1, jitter=0.05):
    """What a poor detector makes of a scene: per frame `Detections`."""
    random = np.random.default_rng([seed, 78])
    for frame in range(scene.frames):
        _, classes, boxes = scene.boxes(frame)
        kept = random.random(len(boxes)) >= drop
        size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        boxes = boxes + random.normal(0, 1, boxes.shape) * size * jitter
        yield Detections(boxes[kept], random.uniform(0.5, 0.95, int(kept.sum())), classes[kept])


def tracked(scene, seed, drop=0.1, jitter=0.05, tracker=None):
    """The same through the default tracker: per frame ids, classes, boxes."""
    follow = make_tracker(tracker) if tracker else make_tracker()
    for found in seen(scene, seed, drop, jitter):
        tracks = follow.update(found)
        rows = tracks.row
        there = rows >= 0
        boxes = (
            np.where(there[:, None], found.xyxy[np.maximum(rows, 0)], tracks.xyxy)
            if len(found)
            else tracks.xyxy
        )
        yield tracks.track_id.astype(np.uint64), tracks.class_id, boxes.astype(float)


def perfect(scene):
    """Per frame ids, classes, boxes without fault."""
    for frame in range(scene.frames):
        yield scene.boxes(frame)
