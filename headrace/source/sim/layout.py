"""What a scene consists of, before anybody looks at it; and helpers that the scenes share."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from headrace.source.sim.camera import Array
from headrace.source.sim.props import building, lamp, shelter, sign, tree
from headrace.source.sim.shapes import Color, Mesh, Pose
from headrace.source.sim.traffic import Route

GRASS: Color = (62, 122, 98)
ASPHALT: Color = (92, 90, 88)
PAVING: Color = (156, 164, 170)
CURB: Color = (186, 190, 192)
MARKING: Color = (226, 228, 228)


@dataclass(frozen=True)
class Area:
    """A painted piece of ground.

    Attributes:
        polygon: ``(n, 2)`` metres.
        color: Blue, green, red.
        grain: How strongly the ground's texture shows, 0–1.
    """

    polygon: Array
    color: Color
    grain: float = 0.12


@dataclass
class Layout:
    """A scene in metres, the same for every frame size.

    Attributes:
        position: Where the camera stands.
        yaw: Where it looks, radians from north to east.
        pitch: How far down it looks, radians.
        ground: Colour of whatever no area covers.
        cycle: Seconds after which departures repeat.
        areas: Pieces of ground, painted in order.
        backdrop: Buildings that nothing passes behind.
        props: Things that hide what is behind them.
        signs: Plate, pole and pose of each road sign.
        routes: Where objects move.
    """

    position: tuple[float, float, float]
    yaw: float
    pitch: float
    cycle: float
    ground: Color = GRASS
    areas: list[Area] = field(default_factory=list)
    backdrop: list[tuple[Mesh, Pose]] = field(default_factory=list)
    props: list[tuple[Mesh, Pose]] = field(default_factory=list)
    signs: list[tuple[Mesh, Mesh, Pose]] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)

    def rectangle(
        self, x: tuple[float, float], y: tuple[float, float], color: Color, grain: float = 0.12
    ) -> None:
        """Paint an upright rectangle of ground."""
        corners = np.array([(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])])
        self.areas.append(Area(corners, color, grain))

    def dashes(self, start: tuple[float, float], end: tuple[float, float], width: float, dash: float) -> None:
        """Paint a dashed line, as much gap as dash; ``dash`` 0 for a full line."""
        a, b = np.array(start), np.array(end)
        length = float(np.hypot(*(b - a)))
        along = (b - a) / length
        across = np.array([-along[1], along[0]]) * width / 2
        pieces = [(0.0, length)] if dash == 0 else [(s, s + dash) for s in np.arange(0, length, 2 * dash)]
        for low, high in pieces:
            p, q = a + along * low, a + along * high
            self.areas.append(Area(np.array([p - across, q - across, q + across, p + across]), MARKING))

    def zebra(self, x: tuple[float, float], y: tuple[float, float], along_x: bool) -> None:
        """Paint the stripes of a crossing that people walk along x, or along y."""
        low, high = x if along_x else y
        for at in np.arange(low + 0.3, high - 0.3, 1.0):
            if along_x:
                self.rectangle((at, at + 0.5), y, MARKING)
            else:
                self.rectangle(x, (at, at + 0.5), MARKING)

    def add_sign(self, rng: np.random.Generator, x: float, y: float, size: float = 0.95) -> None:
        """Put up a road sign that faces roughly the camera."""
        toward = math.atan2(self.position[1] - y, self.position[0] - x)
        plate, pole = sign(rng, size * float(rng.uniform(0.9, 1.15)))
        self.signs.append((plate, pole, Pose(x, y, toward + float(rng.uniform(-0.5, 0.5)))))

    def add_tree(self, rng: np.random.Generator, x: float, y: float) -> None:
        """Plant a tree."""
        self.props.append((tree(rng), Pose(x, y, 0.0)))

    def add_lamp(self, rng: np.random.Generator, x: float, y: float, heading: float) -> None:
        """Put up a street lamp whose arm points along ``heading``."""
        self.props.append((lamp(rng), Pose(x, y, heading)))

    def add_shelter(self, rng: np.random.Generator, x: float, y: float, heading: float) -> None:
        """Put up a bus shelter open towards ``heading``."""
        self.props.append((shelter(rng), Pose(x, y, heading)))

    def add_building(
        self, rng: np.random.Generator, x: float, y: float, size: tuple[float, float, float]
    ) -> None:
        """Put a building into the backdrop; size is width, depth, height."""
        self.backdrop.append((building(rng, *size), Pose(x, y, 0.0)))


def line(*points: tuple[float, float]) -> Array:
    """A way along straight pieces, its corners rounded with a radius of about 4 m."""
    path = [np.array(points[0])]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        c = np.array(corner)
        a = c + 4.0 * _unit(np.array(before) - c)
        b = c + 4.0 * _unit(np.array(after) - c)
        for t in np.linspace(0, 1, 9):
            path.append((1 - t) ** 2 * a + 2 * t * (1 - t) * c + t * t * b)
    path.append(np.array(points[-1]))
    return np.array(path, float)


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.hypot(*vector))
