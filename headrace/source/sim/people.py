"""Shapes of people: walking, and sitting on a two-wheeler."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headrace.source.sim.shapes import Color, Mesh, Shape

_SKINS: tuple[Color, ...] = ((168, 196, 232), (130, 164, 208), (92, 126, 176), (56, 80, 122), (40, 54, 84))
_HAIR: tuple[Color, ...] = ((30, 30, 34), (36, 54, 80), (70, 120, 170), (150, 150, 150), (24, 40, 60))
_CLOTHES: tuple[Color, ...] = (
    (42, 40, 40), (96, 66, 40), (150, 92, 52), (60, 60, 184), (70, 140, 70), (190, 190, 188), (60, 170, 220),
    (128, 80, 128), (84, 88, 92), (170, 150, 120), (70, 90, 120), (230, 230, 232),
)  # fmt: skip


def pick(rng: np.random.Generator, palette: Sequence[Color]) -> Color:
    """One colour of a palette, slightly varied."""
    base = np.array(palette[int(rng.integers(len(palette)))])
    blue, green, red = np.clip(base * rng.uniform(0.88, 1.08) + rng.uniform(-6, 6, 3), 8, 250).tolist()
    return blue, green, red


@dataclass(frozen=True)
class Looks:
    """What one person looks like.

    Attributes:
        height: Metres.
        stride: Steps' swing in radians.
        bag: Whether the person carries a backpack.
    """

    height: float
    stride: float
    skin: Color
    hair: Color
    top: Color
    trousers: Color
    shoes: Color
    bag: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Looks:
        """Someone at random."""
        return cls(
            float(rng.uniform(1.5, 1.92)), float(rng.uniform(0.38, 0.52)),
            pick(rng, _SKINS), pick(rng, _HAIR), pick(rng, _CLOTHES), pick(rng, _CLOTHES),
            pick(rng, _CLOTHES[:3]), bool(rng.random() < 0.3),
        )  # fmt: skip


def walker(looks: Looks, phase: float) -> Mesh:
    """A person in mid-walk; ``phase`` in radians runs through one pair of steps in 2π."""
    shape = Shape()
    tall = looks.height
    hip, shoulder = 0.5 * tall, 0.81 * tall
    for side, turn in ((-1, 0.0), (1, math.pi)):
        _leg(shape, looks, side * 0.08, hip, math.sin(phase + turn), math.cos(phase + turn))
        _arm(shape, looks, side * 0.21, shoulder, -math.sin(phase + turn))
    shape.limb((0.0, 0.0, hip + 0.06), (0.03, 0.0, shoulder - 0.08), 0.15, looks.top, 0.185)
    if looks.bag:
        shape.limb((-0.2, 0.0, 0.6 * tall), (-0.2, 0.0, 0.72 * tall), 0.13, looks.shoes)
    _head(shape, 0.05, 0.925 * tall, looks.skin, looks.hair)
    return shape.mesh()


def _leg(shape: Shape, looks: Looks, y: float, hip: float, swing: float, lift: float) -> None:
    thigh = shin = hip / 2 - 0.02
    forward = looks.stride * swing
    bend = 0.25 + 0.55 * max(lift, 0.0)
    knee = (thigh * math.sin(forward + 0.12), y, hip - thigh * math.cos(forward + 0.12))
    ankle = (
        knee[0] + shin * math.sin(forward - bend + 0.12),
        y,
        max(knee[2] - shin * math.cos(forward - bend + 0.12), 0.06),
    )
    shape.limb((0.0, y, hip), knee, 0.095, looks.trousers, 0.075)
    shape.limb(knee, ankle, 0.07, looks.trousers, 0.05)
    shape.limb(ankle, (ankle[0] + 0.15, y, ankle[2] - 0.02), 0.055, looks.shoes)


def _arm(shape: Shape, looks: Looks, y: float, shoulder: float, swing: float) -> None:
    angle = 0.55 * swing
    elbow = (0.27 * math.sin(angle), y * 1.08, shoulder - 0.27 * math.cos(angle))
    hand = (elbow[0] + 0.24 * math.sin(angle + 0.3), y * 1.1, elbow[2] - 0.24 * math.cos(angle + 0.3))
    shape.limb((0.0, y, shoulder - 0.03), elbow, 0.06, looks.top, 0.05)
    shape.limb(elbow, hand, 0.045, looks.top)
    shape.limb(hand, (hand[0] + 0.02, y * 1.1, hand[2] - 0.05), 0.042, looks.skin)


def _head(shape: Shape, x: float, z: float, skin: Color, hair: Color) -> None:
    shape.limb((x + 0.02, 0.0, z - 0.03), (x + 0.02, 0.0, z + 0.03), 0.1, skin)
    shape.limb((x - 0.03, 0.0, z + 0.03), (x, 0.0, z + 0.06), 0.1, hair)


def add_rider(
    shape: Shape,
    rng: np.random.Generator,
    seat: tuple[float, float],
    hands: tuple[float, float],
    feet: tuple[float, float],
    helmet: bool,
) -> None:
    """Seat a person on a two-wheeler; places are ``(x, z)`` in its coordinates."""
    looks = Looks.draw(rng)
    shoulder = (seat[0] + 0.2, seat[1] + 0.52)
    for side in (-1, 1):
        knee = (seat[0] + 0.4, seat[1] - 0.18 + 0.12 * side * rng.random())
        shape.limb(
            (seat[0], 0.1 * side, seat[1]), (knee[0], 0.14 * side, knee[1]), 0.095, looks.trousers, 0.075
        )
        shape.limb(
            (knee[0], 0.14 * side, knee[1]), (feet[0], 0.14 * side, feet[1]), 0.07, looks.trousers, 0.055
        )
        shape.limb(
            (feet[0], 0.14 * side, feet[1]), (feet[0] + 0.14, 0.14 * side, feet[1]), 0.055, looks.shoes
        )
        shape.limb(
            (shoulder[0], 0.2 * side, shoulder[1] - 0.03),
            (hands[0], 0.25 * side, hands[1]),
            0.06,
            looks.top,
            0.045,
        )
    shape.limb((seat[0], 0, seat[1] + 0.08), (shoulder[0], 0, shoulder[1] - 0.06), 0.15, looks.top, 0.185)
    top = shoulder[1] + 0.2
    if helmet:
        shape.limb((shoulder[0] + 0.06, 0, top), (shoulder[0] + 0.1, 0, top + 0.03), 0.14, looks.shoes)
        shape.limb((shoulder[0] + 0.19, 0, top - 0.01), (shoulder[0] + 0.2, 0, top), 0.07, (60, 50, 44))
    else:
        _head(shape, shoulder[0] + 0.06, top, looks.skin, looks.hair)
