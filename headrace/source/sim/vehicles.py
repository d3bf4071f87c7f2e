"""Shapes of vehicles and two-wheelers, varied by a random generator."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from headrace.source.sim.people import add_rider, pick
from headrace.source.sim.shapes import Color, Mesh, Shape

_GLASS: Color = (70, 58, 46)
_TYRE: Color = (34, 32, 32)
_HUB: Color = (150, 150, 150)
_HEADLIGHT: Color = (215, 240, 245)
_TAIL_LIGHT: Color = (40, 30, 190)
_TRIM: Color = (52, 50, 50)
#: How likely a car, an estate, a van, a lorry and a bus are.
BUILDS = (0.42, 0.2, 0.15, 0.12, 0.11)
PAINTS: tuple[Color, ...] = (
    (236, 236, 236), (182, 180, 178), (120, 118, 116), (58, 56, 56), (44, 40, 178), (150, 78, 34),
    (172, 120, 40), (58, 108, 42), (48, 172, 226), (60, 120, 216), (110, 60, 90), (176, 196, 206),
)  # fmt: skip


def vehicle(rng: np.random.Generator) -> Mesh:
    """A car, estate, van, lorry or bus; ``rng`` picks which, its size and its paint."""
    build = rng.choice(5, p=BUILDS)
    paint = pick(rng, PAINTS)
    shape = Shape()
    if build == 0:
        _car(shape, rng.uniform(4.1, 4.8), 1.42, paint, tail=rng.uniform(0.35, 0.9))
    elif build == 1:
        _car(shape, rng.uniform(4.2, 4.9), rng.uniform(1.55, 1.8), paint, tail=0.05)
    elif build == 2:
        _van(shape, rng.uniform(4.9, 5.9), rng.uniform(2.1, 2.5), paint)
    elif build == 3:
        _lorry(shape, rng.uniform(6.5, 8.0), rng.uniform(2.9, 3.3), paint, pick(rng, PAINTS))
    else:
        _bus(shape, rng.uniform(8.5, 10.0), 3.0, paint)
    return shape.mesh()


def _car(shape: Shape, length: float, height: float, paint: Color, tail: float) -> None:
    half, wide, waist = length / 2, 0.89, 0.56 * height
    _wheels(shape, (-0.3 * length, 0.31 * length), wide, 0.32, behind=True)
    body = [
        (-half, 0.42), (-half + 0.12, 0.26), (half - 0.12, 0.26), (half, 0.42), (half - 0.04, 0.64),
        (half - 1.05, waist), (-half + 0.1, waist), (-half, waist - 0.16),
    ]  # fmt: skip
    first = len(shape.faces)
    shape.prism(body, wide, paint)
    _lights(shape, front=first + 5, rear=first + 9, bumpers=(first + 4, first + 2))
    _wheels(shape, (-0.3 * length, 0.31 * length), wide, 0.32)
    cabin = [
        (-half + 0.12 + tail * 0.5, waist),
        (half - 1.15, waist),
        (half - 1.95, height),
        (-half + 0.3 + tail, height),
    ]
    _greenhouse(shape, cabin, (wide - 0.04, wide - 0.04, wide - 0.2, wide - 0.2), paint, panes=2)


def _van(shape: Shape, length: float, height: float, paint: Color) -> None:
    half, wide = length / 2, 0.98
    _wheels(shape, (-0.3 * length, 0.32 * length), wide, 0.35, behind=True)
    body = [
        (-half, 0.32), (half, 0.32), (half, 0.95), (half - 0.55, 1.2), (half - 1.15, height),
        (-half, height),
    ]  # fmt: skip
    first = len(shape.faces)
    shape.prism(body, (wide, wide, wide, wide, wide - 0.12, wide - 0.1), paint)
    shape.decal(first + 5, (0.08, 0.1, 0.92, 0.9), _GLASS)
    shape.decal(first + 7, (0.12, 0.12, 0.42, 0.46), _GLASS)
    shape.decal(first + 7, (0.12, 0.54, 0.42, 0.88), _GLASS)
    _lights(shape, front=first + 3, rear=first + 7, bumpers=(first + 3, first + 7), low=0.5)
    x0, x1 = half - 1.75, half - 0.85
    for y, order in ((-wide - 0.005, 1), (wide + 0.005, -1)):
        pane = np.array(
            [(x0, y, 1.25), (x1, y, 1.25), (x1 - 0.3, y * 0.93, height - 0.35), (x0, y * 0.93, height - 0.35)]
        )
        shape.face(pane[::order], _GLASS)
    _wheels(shape, (-0.3 * length, 0.32 * length), wide, 0.35)


def _lorry(shape: Shape, length: float, height: float, paint: Color, box: Color) -> None:
    half, wide = length / 2, 1.15
    axles = (-0.3 * length, 0.36 * length)
    nose = half - 1.75
    cargo = [(-half, 0.75), (nose - 0.15, 0.75), (nose - 0.15, height), (-half, height)]
    shape.prism(cargo, wide, box, group=0)
    shape.decal(5, (0.1, 0.47, 0.9, 0.53), _TRIM)
    _wheels(shape, axles[:1], wide, 0.45, group=0)
    first = len(shape.faces)
    cab = [(nose, 0.4), (half, 0.4), (half, 1.35), (half - 0.2, 2.35), (nose, 2.45)]
    shape.prism(cab, wide - 0.05, paint, group=1)
    shape.decal(first + 4, (0.05, 0.08, 0.9, 0.92), _GLASS)
    _lights(shape, front=first + 3, rear=5, bumpers=(first + 3, 5), low=0.76)
    y = wide - 0.045
    for side, order in ((-y, 1), (y, -1)):
        pane = np.array(
            [
                (half - 1.2, side, 1.4),
                (half - 0.15, side, 1.4),
                (half - 0.3, side, 2.15),
                (half - 1.2, side, 2.15),
            ]
        )
        shape.face(pane[::order], _GLASS, 1)
    _wheels(shape, axles[1:], wide, 0.45, group=1)


def _bus(shape: Shape, length: float, height: float, paint: Color) -> None:
    half, wide = length / 2, 1.25
    body = [(-half, 0.35), (half, 0.35), (half - 0.08, height), (-half, height)]
    shape.prism(body, (wide, wide, wide - 0.06, wide - 0.06), paint)
    for face, mirrored in ((0, False), (1, True)):
        panes = 6
        for k in range(panes):
            u0, u1 = 0.03 + k * 0.94 / panes, 0.03 + (k + 0.86) * 0.94 / panes
            v0, v1 = (0.1, 0.52) if mirrored else (0.48, 0.9)
            shape.decal(face, (u0, v0, u1, v1), _GLASS)
        shape.decal(face, (0.0, 0.82, 1.0, 0.9) if mirrored else (0.0, 0.1, 1.0, 0.18), (225, 225, 225))
    shape.decal(3, (0.36, 0.06, 0.84, 0.94), _GLASS)
    shape.decal(3, (0.88, 0.2, 0.97, 0.8), (60, 190, 240))
    shape.decal(5, (0.14, 0.14, 0.44, 0.86), _GLASS)
    _lights(shape, front=3, rear=5, bumpers=(3, 5), low=0.6)
    _wheels(shape, (-0.3 * length, 0.32 * length), wide, 0.48)


def _greenhouse(
    shape: Shape, profile: list[tuple[float, float]], half: tuple[float, ...], paint: Color, panes: int
) -> None:
    first = len(shape.faces)
    shape.prism(profile, half, paint)
    for k in range(panes):
        u0, u1 = 0.05 + k * 0.9 / panes, 0.05 + (k + 0.93) * 0.9 / panes
        shape.decal(first, (u0, 0.1, u1, 0.86), _GLASS)
        shape.decal(first + 1, (u0, 0.14, u1, 0.9), _GLASS)
    shape.decal(first + 3, (0.06, 0.06, 0.92, 0.94), _GLASS)
    shape.decal(first + 5, (0.08, 0.08, 0.92, 0.92), _GLASS)


def _lights(shape: Shape, front: int, rear: int, bumpers: tuple[int, int], low: float = 0.45) -> None:
    """Lights and bumpers; faces run upwards in front and downwards at the rear, lit from ``low`` on."""
    shape.decal(bumpers[0], (0.0, 0.0, 0.25, 1.0), _TRIM)
    shape.decal(bumpers[1], (0.75, 0.0, 1.0, 1.0), _TRIM)
    for v0, v1 in ((0.04, 0.24), (0.76, 0.96)):
        shape.decal(front, (0.3, v0, 0.7, v1), _HEADLIGHT)
        shape.decal(rear, (low, v0, low + 0.27 * (1 - low) / 0.55, v1), _TAIL_LIGHT)


def _wheels(
    shape: Shape,
    axles: tuple[float, ...],
    half_width: float,
    radius: float,
    group: int = 0,
    behind: bool = False,
) -> None:
    """Discs on both sides; ``behind`` draws the dark far ones that show under the body."""
    turns = np.linspace(0, 2 * math.pi, 12, endpoint=False)
    for x in axles:
        for y, order in ((-half_width - 0.01, 1), (half_width + 0.01, -1)):
            rim = np.column_stack(
                [x + radius * np.cos(turns), np.full(12, y), radius + radius * np.sin(turns)]
            )
            if behind:
                inside = rim - (0, math.copysign(0.25, y), 0)
                shape.face(inside[::-order], _TYRE, group, True)
                continue
            hub = np.array([x, y, radius]) + (rim - (x, y, radius)) * 0.55
            shape.face(rim[::order], _TYRE, group, True)
            shape.face(hub[::order], _HUB, group)


def two_wheeler(rng: np.random.Generator) -> Mesh:
    """A bicycle or a motorcycle with its rider."""
    shape = Shape()
    paint = pick(rng, PAINTS)
    if rng.random() < 0.5:
        _bicycle(shape, paint)
        add_rider(
            shape, rng, seat=(-0.2, 0.95), hands=(0.42, 1.02), feet=(0.05, 0.3), helmet=rng.random() < 0.5
        )
    else:
        _motorcycle(shape, paint)
        add_rider(shape, rng, seat=(-0.25, 0.82), hands=(0.4, 0.98), feet=(0.1, 0.32), helmet=True)
    return shape.mesh()


def _bicycle(shape: Shape, paint: Color) -> None:
    for x in (-0.52, 0.52):
        turns = np.linspace(0, 2 * math.pi, 11)
        ring = [(x + 0.33 * math.cos(a), 0.0, 0.34 + 0.33 * math.sin(a)) for a in turns]
        for a, b in pairwise(ring):
            shape.limb(a, b, 0.03, _TYRE)
    for x0, z0, x1, z1 in (
        (-0.52, 0.34, -0.2, 0.85), (-0.2, 0.85, 0.4, 0.8), (0.0, 0.32, 0.4, 0.8),
        (-0.2, 0.85, 0.0, 0.32), (-0.52, 0.34, 0.0, 0.32), (0.52, 0.34, 0.38, 0.98),
    ):  # fmt: skip
        shape.limb((x0, 0, z0), (x1, 0, z1), 0.028, paint)
    shape.limb((0.4, -0.27, 1.0), (0.4, 0.27, 1.0), 0.022, _TRIM)


def _motorcycle(shape: Shape, paint: Color) -> None:
    for x in (-0.62, 0.66):
        turns = np.linspace(0, 2 * math.pi, 9)
        ring = [(x + 0.24 * math.cos(a), 0.0, 0.31 + 0.24 * math.sin(a)) for a in turns]
        for a, b in pairwise(ring):
            shape.limb(a, b, 0.075, _TYRE)
    shape.limb((-0.3, 0, 0.45), (0.3, 0, 0.42), 0.2, _TRIM)
    shape.limb((-0.05, 0, 0.78), (0.35, 0, 0.82), 0.17, paint)
    shape.limb((-0.8, 0, 0.8), (-0.2, 0, 0.72), 0.11, paint)
    shape.limb((0.66, 0, 0.31), (0.42, 0, 0.95), 0.05, _HUB)
    shape.limb((0.42, -0.36, 1.0), (0.42, 0.36, 1.0), 0.03, _TRIM)
    shape.limb((0.56, 0, 0.86), (0.58, 0, 0.86), 0.1, _HEADLIGHT)
    shape.limb((-0.88, 0, 0.76), (-0.9, 0, 0.76), 0.06, _TAIL_LIGHT)
