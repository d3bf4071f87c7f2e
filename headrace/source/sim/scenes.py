"""The scenes: a crossroad, a highway, a plaza. Each is a layout varied by a random generator."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from headrace.source.sim.layout import ASPHALT, CURB, PAVING, Layout, line
from headrace.source.sim.traffic import Route
from headrace.source.sim.truth import PERSON, TWO_WHEELER, VEHICLE


def layout(name: str, seed: int) -> Layout:
    """The layout of a scene of `SCENES`, varied by the seed."""
    return _BUILDERS[name](np.random.default_rng([seed, 7]))


def _crossroad(rng: np.random.Generator) -> Layout:
    jitter = rng.uniform(-1, 1, 5)
    scene = Layout(
        position=(-15 + 1.5 * jitter[0], -17 + 1.5 * jitter[1], 7.4 + 1.3 * jitter[2]),
        yaw=math.pi / 4 + 0.09 * jitter[3],
        pitch=0.285 + 0.03 * jitter[4],
        cycle=16.0,
    )
    for a, b in ((-9.0, 9.0), (-8.8, 8.8)):
        color = CURB if a == -9.0 else PAVING
        scene.rectangle((-90, 90), (a, b), color)
        scene.rectangle((a, b), (-90, 90), color)
    for half, color in ((4.75, CURB), (4.5, ASPHALT)):
        scene.rectangle((-90, 90), (-half, half), color)
        scene.rectangle((-half, half), (-90, 90), color)
    for sign in (-1, 1):
        scene.dashes((sign * 10.5, 0), (sign * 90, 0), 0.14, 2.0)
        scene.dashes((0, sign * 10.5), (0, sign * 90), 0.14, 2.0)
        scene.dashes((sign * 9.8, 0), (sign * 9.8, -sign * 4.4), 0.4, 0)
        scene.dashes((0, sign * 9.8), (-sign * 4.4, sign * 9.8), 0.4, 0)
        low, high = sorted((sign * 5.2, sign * 8.4))
        scene.zebra((low, high), (-4.5, 4.5), along_x=False)
        scene.zebra((-4.5, 4.5), (low, high), along_x=True)
    _crossroad_props(scene, rng)
    _crossroad_routes(scene)
    return scene


def _crossroad_props(scene: Layout, rng: np.random.Generator) -> None:
    scene.add_building(rng, 32, 31, (40, 36, rng.uniform(12, 22)))
    scene.add_building(rng, -40, 34, (44, 34, rng.uniform(9, 17)))
    scene.add_building(rng, 36, -38, (38, 44, rng.uniform(9, 17)))
    sites = [(-8.4, -5.6), (-5.6, -8.6), (6.0, 6.4), (8.4, 5.4), (-5.8, 8.2), (9.0, -5.8)]
    for k in rng.permutation(6)[:4].tolist():
        scene.add_sign(rng, sites[k][0] + rng.uniform(-0.3, 0.3), sites[k][1] + rng.uniform(-0.3, 0.3))
    trees = [
        (10.4, 10.2),
        (-10.0, 11.5),
        (11.5, -10.0),
        (10.0, 20.0),
        (21.0, 10.0),
        (-10.0, 22.0),
        (24.0, -10.0),
    ]
    for k in rng.permutation(7)[:4].tolist():
        scene.add_tree(rng, trees[k][0], trees[k][1])
    scene.add_lamp(rng, -5.2, 6.0, 0.0)
    scene.add_lamp(rng, 5.2, 12.5, math.pi)
    scene.add_shelter(rng, 16.0 + rng.uniform(-1, 1), 7.9, -math.pi / 2)


def _crossroad_routes(scene: Layout) -> None:
    lanes: list[tuple[list[tuple[float, float]], float, float, tuple[int, ...]]] = [
        ([(-24, -1.8), (66, -1.8)], 24, 0.0, (0, 1, 2, 3)),
        ([(66, 1.8), (-24, 1.8)], 66, 0.0, (0, 1, 2, 3)),
        ([(1.8, -24), (1.8, 66)], 24, 8.0, (0, 1, 3)),
        ([(1.8, -24), (1.8, -1.8), (66, -1.8)], 24, 8.0, (2,)),
        ([(-1.8, 66), (-1.8, -24)], 66, 8.0, (0, 2, 3)),
        ([(-1.8, 66), (-1.8, 1.8), (-24, 1.8)], 66, 8.0, (1,)),
    ]
    for way, before, phase, slots in lanes:
        departures = tuple(phase + (0.3, 2.3, 4.3, 6.1)[k] - before / 9.0 for k in slots)
        scene.routes.append(Route(VEHICLE, line(*way), 9.0, departures))
    for points, before, phase in (
        ([(-22, -3.6), (60, -3.6)], 22, 0.0), ([(60, 3.6), (-22, 3.6)], 60, 0.0),
        ([(3.6, -22), (3.6, 60)], 22, 8.0), ([(-3.6, 60), (-3.6, -22)], 60, 8.0),
    ):  # fmt: skip
        departures = tuple(phase + at - before / 5.5 for at in (0.5, 2.2, 3.9, 5.4))
        scene.routes.append(Route(TWO_WHEELER, line(*points), 5.5, departures, 0.15))
    for at in (-6.7, 6.7):
        for points, before, phase in (
            ([(-20, at), (42, at)], 20, 0.0), ([(42, at), (-20, at)], 42, 0.0),
            ([(at, -20), (at, 42)], 20, 8.0), ([(at, 42), (at, -20)], 42, 8.0),
        ):  # fmt: skip
            departures = tuple(phase + second - before / 1.35 for second in (2.2, 3.0, 3.8, 4.6))
            scene.routes.append(Route(PERSON, line(*points), 1.35, departures, 1.1))


def _highway(rng: np.random.Generator) -> Layout:
    jitter = rng.uniform(-1, 1, 4)
    scene = Layout(
        position=(3.0 + 2.5 * jitter[0], -5.0, 7.8 + 1.2 * jitter[1]),
        yaw=0.06 + 0.1 * jitter[2],
        pitch=0.27 + 0.03 * jitter[3],
        cycle=12.0,
    )
    scene.rectangle((-9.6, 9.6), (-40, 220), ASPHALT)
    scene.rectangle((10.0, 14.0), (-40, 220), PAVING)
    scene.rectangle((-0.35, 0.35), (-40, 220), (150, 152, 150))
    for x in (-3.9, 3.9):
        scene.dashes((x, -40), (x, 200), 0.15, 3.0)
    for x in (-7.3, -0.6, 0.6, 7.3):
        scene.dashes((x, -40), (x, 220), 0.16, 0)
    scene.add_building(rng, 46, 120, (50, 40, rng.uniform(10, 20)))
    scene.add_building(rng, -52, 100, (50, 50, rng.uniform(10, 20)))
    for k in rng.permutation(4)[:3].tolist():
        at_x, at_y = ((9.8, 12.0), (-10.2, 17.0), (9.8, 26.0), (-10.2, 31.0))[k]
        scene.add_sign(rng, at_x, at_y + rng.uniform(-2, 2), 1.25)
    for y in np.arange(8.0, 90.0, 13.0).tolist():
        scene.add_tree(rng, 17.0 + rng.uniform(-1, 1), y + rng.uniform(-3, 3))
        scene.add_tree(rng, -14.0 + rng.uniform(-1.5, 1), y + rng.uniform(-3, 3))
    scene.add_lamp(rng, 9.85, 19.0, math.pi)
    scene.add_lamp(rng, -9.9, 40.0, 0.0)
    scene.add_shelter(rng, 13.3, 33.0 + rng.uniform(-4, 4), math.pi)
    for x, speed in ((2.2, 15.0), (5.6, 12.5)):
        slots = tuple(rng.uniform(0, 0.4) + k * 1.5 for k in range(8))
        scene.routes.append(Route(VEHICLE, line((x, -18), (x, 110)), speed, slots, 0.25))
        scene.routes.append(Route(VEHICLE, line((-x, 110), (-x, -18)), speed, slots, 0.25))
    for points in ([(8.4, -14), (8.4, 75)], [(-8.4, 75), (-8.4, -14)]):
        scene.routes.append(Route(TWO_WHEELER, line(*points), 7.0, (0.5, 3.1, 5.9, 8.8), 0.3))
    for points in ([(12.0, -4), (12.0, 48)], [(12.0, 48), (12.0, -4)]):
        slots = tuple(k * 1.1 for k in range(10))
        scene.routes.append(Route(PERSON, line(*points), 1.4, slots, 1.5))
    return scene


def _plaza(rng: np.random.Generator) -> Layout:
    jitter = rng.uniform(-1, 1, 4)
    scene = Layout(
        position=(2.5 * jitter[0], -17.0 + jitter[1], 6.6 + jitter[2]),
        yaw=0.12 * jitter[3],
        pitch=0.26,
        cycle=14.0,
    )
    scene.rectangle((-45, 45), (-40, 32), PAVING, 0.16)
    seam = (140, 147, 152)
    for at in range(-44, 45, 4):
        scene.rectangle((at, at + 0.12), (-40, 32), seam)
    for at in range(-40, 32, 4):
        scene.rectangle((-45, 45), (at, at + 0.12), seam)
    scene.rectangle((-120, 120), (11.5, 19.5), CURB)
    scene.rectangle((-120, 120), (12.0, 19.0), ASPHALT)
    scene.dashes((-120, 15.5), (120, 15.5), 0.14, 2.0)
    scene.zebra((-2.5, 2.5), (12.0, 19.0), along_x=False)
    for middle in (-46, -2, 42):
        scene.add_building(rng, middle, 58, (rng.uniform(34, 41), 26, rng.uniform(10, 20)))
    for k in rng.permutation(5)[:3].tolist():
        at_x, at_y = ((-6.5, 2.5), (7.0, 10.6), (-11.0, 10.6), (9.0, -1.5), (3.6, 10.6))[k]
        scene.add_sign(rng, at_x + rng.uniform(-0.5, 0.5), at_y)
    for x, y in ((-12.0, 5.0), (12.5, 4.0), (-5.0, 8.5), (17.0, 22.0), (-15.0, 22.5), (2.0, 23.0)):
        scene.add_tree(rng, x + rng.uniform(-1, 1), y + rng.uniform(-1, 1))
    scene.add_lamp(rng, 5.0, 2.0, math.pi)
    scene.add_lamp(rng, -9.0, -3.5, 0.0)
    scene.add_shelter(rng, 9.5 + rng.uniform(-1, 1), 21.2, -math.pi / 2)
    _plaza_routes(scene)
    return scene


def _plaza_routes(scene: Layout) -> None:
    slots = tuple(k * 2.3 for k in range(6))
    for y, start in ((13.8, -48), (17.2, 48)):
        scene.routes.append(Route(VEHICLE, line((start, y), (-start, y)), 7.0, slots, 0.1))
    for points in (
        [(-30, -4), (30, 6)], [(28, -2), (-30, 8)], [(-14, 30), (-2, 12), (18, -9)], [(32, 9.5), (-32, 9.5)],
    ):  # fmt: skip
        scene.routes.append(Route(TWO_WHEELER, line(*points), 4.0, (1.0, 4.4, 8.2, 11.6), 0.4))
    for points in (
        [(-24, 1), (26, 4)], [(24, -1), (-22, 7)], [(-18, -6), (22, 9)], [(20, -7), (-16, 10), (-26, 10)],
        [(0, 30), (0, 8), (14, -9)], [(-1, 30), (-1, 6), (-14, -9)], [(26, 21), (-26, 21)],
        [(-26, 10.6), (26, 10.6)],
    ):  # fmt: skip
        scene.routes.append(Route(PERSON, line(*points), 1.3, tuple(k * 1.7 for k in range(8)), 0.9))


_BUILDERS: dict[str, Callable[[np.random.Generator], Layout]] = {
    "crossroad": _crossroad,
    "highway": _highway,
    "plaza": _plaza,
}
