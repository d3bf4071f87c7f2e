"""Shapes of things that stand still: road signs, trees, lamps, shelters, buildings."""

from __future__ import annotations

import math

import numpy as np

from headrace.source.sim.camera import Array
from headrace.source.sim.people import pick
from headrace.source.sim.shapes import Color, Mesh, Shape

_STEEL: Color = (128, 128, 126)
_RED: Color = (38, 30, 196)
_WHITE: Color = (238, 238, 238)
_BLUE: Color = (176, 84, 20)
_YELLOW: Color = (40, 196, 240)
_BLACK: Color = (40, 38, 38)
_WALLS: tuple[Color, ...] = (
    (150, 168, 184),
    (120, 132, 150),
    (170, 176, 180),
    (96, 118, 158),
    (136, 150, 140),
)


def _ring(corners: int, radius: float, turn: float, middle: float, out: float) -> Array:
    """A regular polygon facing +x, at height ``middle``, pushed ``out`` metres to the front."""
    angles = turn + np.linspace(0, 2 * math.pi, corners, endpoint=False)
    return np.column_stack([np.full(corners, out), radius * np.cos(angles), middle + radius * np.sin(angles)])


def _bar(width: float, height: float, middle: float, out: float) -> Array:
    y, z = width / 2, height / 2
    return np.array(
        [(out, -y, middle - z), (out, y, middle - z), (out, y, middle + z), (out, -y, middle + z)]
    )


def sign(rng: np.random.Generator, size: float) -> tuple[Mesh, Mesh]:
    """A road sign facing +x: its plate (which is the object) and its pole."""
    plate, pole = Shape(), Shape()
    z = float(rng.uniform(2.2, 2.8))
    up = math.pi / 2
    kind = int(rng.integers(7))
    if kind == 0:
        _stack(plate, [_ring(3, size * 0.62, up, z, 0.06), _ring(3, size * 0.4, up, z, 0.07)], [_RED, _WHITE])
        plate.face(_bar(size * 0.09, size * 0.3, z, 0.08), _BLACK)
    elif kind == 1:
        _stack(plate, [_ring(16, size * 0.5, 0, z, 0.06), _ring(16, size * 0.37, 0, z, 0.07)], [_RED, _WHITE])
        plate.face(_bar(size * 0.3, size * 0.24, z, 0.08), _BLACK)
    elif kind == 2:
        _stack(
            plate,
            [_ring(8, size * 0.54, up / 4, z, 0.06), _ring(8, size * 0.49, up / 4, z, 0.065)],
            [_WHITE, _RED],
        )
        plate.face(_bar(size * 0.72, size * 0.2, z, 0.08), _WHITE)
    elif kind == 3:
        _stack(plate, [_bar(size, size, z, 0.06), _bar(size * 0.9, size * 0.9, z, 0.07)], [_WHITE, _BLUE])
        plate.face(_ring(3, size * 0.36, up, z, 0.08), _WHITE)
    elif kind == 4:
        _stack(
            plate, [_ring(16, size * 0.5, 0, z, 0.06), _ring(16, size * 0.46, 0, z, 0.07)], [_WHITE, _BLUE]
        )
        plate.face(_bar(size * 0.18, size * 0.56, z, 0.08), _WHITE)
    elif kind == 5:
        _stack(
            plate, [_ring(4, size * 0.62, 0, z, 0.06), _ring(4, size * 0.46, 0, z, 0.07)], [_WHITE, _YELLOW]
        )
    else:
        _stack(
            plate, [_ring(3, size * 0.62, -up, z, 0.06), _ring(3, size * 0.4, -up, z, 0.07)], [_RED, _WHITE]
        )
    pole.limb((0, 0, 0), (0, 0, z + 0.2), 0.05, _STEEL)
    return plate.mesh(), pole.mesh()


def _stack(shape: Shape, rings: list[Array], colors: list[Color]) -> None:
    for level, (ring, color) in enumerate(zip(rings, colors, strict=True)):
        shape.face(ring, color, solid=level == 0)


def tree(rng: np.random.Generator) -> Mesh:
    """A tree with a crown of many leaf balls."""
    shape = Shape()
    tall = float(rng.uniform(4.5, 7.0))
    wide = float(rng.uniform(1.3, 2.1))
    green = np.array([rng.uniform(30, 60), rng.uniform(88, 128), rng.uniform(50, 96)])
    shape.limb((0, 0, 0), (0, 0, tall * 0.6), 0.17, (48, 70, 92), 0.1)
    for _ in range(46):
        turn, lean = rng.uniform(0, 2 * math.pi), rng.uniform(0.15, 1) ** 0.5
        up = rng.uniform(-0.8, 0.8)
        reach = wide * lean * math.sqrt(1 - up * up)
        middle = (reach * math.cos(turn), reach * math.sin(turn), tall * 0.72 + up * wide * 0.9)
        blue, low, red = (green * (0.78 + 0.32 * (up + 0.8) / 1.6 + rng.uniform(-0.08, 0.08))).tolist()
        shape.limb(middle, (middle[0] + 0.1, middle[1], middle[2]), rng.uniform(0.28, 0.52), (blue, low, red))
    return shape.mesh()


def lamp(rng: np.random.Generator) -> Mesh:
    """A street lamp with an arm along +x."""
    shape = Shape()
    tall = float(rng.uniform(5.0, 6.0))
    shape.limb((0, 0, 0), (0, 0, tall), 0.1, (96, 96, 92), 0.06)
    shape.limb((0, 0, tall), (1.3, 0, tall + 0.25), 0.05, (96, 96, 92))
    shape.limb((1.2, 0, tall + 0.2), (1.6, 0, tall + 0.2), 0.11, (190, 210, 215))
    return shape.mesh()


def shelter(rng: np.random.Generator) -> Mesh:
    """A bus shelter, open to +x: posts, a back wall with a poster, a bench and a roof."""
    shape = Shape()
    wall = pick(rng, _WALLS)
    back = [(-0.75, 0.25), (-0.68, 0.25), (-0.68, 2.2), (-0.75, 2.2)]
    shape.prism(back, 1.9, (150, 156, 148))
    shape.decal(3, (0.08, 0.06, 0.92, 0.3), wall)
    shape.decal(5, (0.08, 0.06, 0.92, 0.3), wall)
    shape.prism([(-0.5, 0.42), (-0.1, 0.42), (-0.1, 0.5), (-0.5, 0.5)], 1.5, (60, 90, 120), group=1)
    for y in (-1.85, 1.85):
        shape.limb((0.55, y, 0), (0.55, y, 2.25), 0.05, _STEEL)
    shape.prism([(-0.9, 2.25), (0.75, 2.35), (0.75, 2.47), (-0.9, 2.37)], 2.05, (92, 96, 100), group=2)
    return shape.mesh()


def building(rng: np.random.Generator, width: float, depth: float, height: float) -> Mesh:
    """A block of flats with rows of windows, its middle at the origin."""
    shape = Shape()
    wall = pick(rng, _WALLS)
    shape.prism([(-width / 2, 0), (width / 2, 0), (width / 2, height), (-width / 2, height)], depth / 2, wall)
    floors, glass = int(height // 3.2), (104, 88, 74)
    for face, span, upward in ((0, width, True), (1, width, False), (3, depth, None), (5, depth, None)):
        columns = int(span // 3.0)
        for floor in range(floors):
            for column in range(columns):
                u0, u1 = (column + 0.22) / columns, (column + 0.78) / columns
                v0, v1 = (floor + 0.3) / floors, (floor + 0.85) / floors
                if upward is False or face == 5:
                    v0, v1 = 1 - v1, 1 - v0
                box = (v0, u0, v1, u1) if upward is None else (u0, v0, u1, v1)
                lit: Color = (150, 190, 205) if rng.random() < 0.12 else glass
                shape.decal(face, box, lit)
    return shape.mesh()
