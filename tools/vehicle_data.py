"""Pictures of single vehicles for the vehicle classifiers, cut out of rendered scenes, with build and paint."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from headrace.source.sim import SCENES, Scene, SceneOptions, Truth
from headrace.source.sim.traffic import Actor
from headrace.source.sim.truth import VEHICLE
from headrace.source.sim.vehicles import BUILDS, PAINTS

#: Side of the network's input, and of what is left of it after its first step.
SIDE, SMALL = 224, 56
#: Seeds below are kept for tests, demos and evaluation and are never trained on.
FIRST_SEED = 1000
_SIZES = ((1280, 720), (1920, 1080), (960, 540))
_LEAST_VISIBLE, _LEAST_SIDE = 0.5, 16


def looks(actor: Actor) -> tuple[int, int]:
    """Build and paint of a vehicle, as indexes: what its generator says, drawn again."""
    rng = np.random.default_rng(actor._seed)
    rng.uniform(size=2)  # side and pace
    return int(rng.choice(len(BUILDS), p=BUILDS)), int(rng.integers(len(PAINTS)))


def crops(scene: Scene, index: int, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, int, int]]:
    """``(SMALL, SMALL, 3)`` BGR of each vehicle in a frame, as a detector would cut it out, with build and paint."""
    image, truth = scene.render(index)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 95))]
        image = cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_COLOR)
    actors = {actor.track_id: actor for actor in scene._traffic.at(index / scene.options.fps)}
    for box, track_id in zip(*_wanted(truth), strict=True):
        size = np.tile(box[2:] - box[:2], 2)
        x0, y0, x1, y1 = np.rint(box + size * rng.uniform(-0.08, 0.08, 4)).astype(int).tolist()
        part = image[max(y0, 0) : y1, max(x0, 0) : x1]
        if min(part.shape[:2]) < _LEAST_SIDE // 2:
            continue
        large = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        yield cv2.resize(large, (SMALL, SMALL), interpolation=cv2.INTER_AREA), *looks(actors[track_id])


def _wanted(truth: Truth) -> tuple[np.ndarray, list[int]]:
    large = (truth.xyxy[:, 2:] - truth.xyxy[:, :2]).min(1, initial=1e9) >= _LEAST_SIDE
    chosen = truth[(truth.class_id == VEHICLE) & (truth.visibility >= _LEAST_VISIBLE) & large]
    return chosen.xyxy, chosen.track_id.tolist()


def render(job: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crops of some random scenes.

    Args:
        job: Least seed, seed after the last, and how many scenes.

    Returns:
        Pictures ``(n, SMALL, SMALL, 3)``, builds and paints.
    """
    low, high, scenes = job
    cv2.setNumThreads(1)
    rng = np.random.default_rng(job)
    found: list[tuple[np.ndarray, int, int]] = []
    for _ in range(scenes):
        width, height = _SIZES[rng.integers(len(_SIZES))]
        scene = Scene(SceneOptions(
            SCENES[rng.integers(2)], seed=int(rng.integers(low, high)), objects=int(rng.integers(10, 40)),
            width=width, height=height, frames=-1, noise=float(rng.uniform(0, 6)), light=float(rng.uniform(0, 1)),
        ))  # fmt: skip
        for index in rng.integers(0, 20_000, 24).tolist():
            found.extend(crops(scene, index, rng))
    pictures, builds, paints = zip(*found, strict=True)
    return np.stack(pictures), np.array(builds), np.array(paints)
