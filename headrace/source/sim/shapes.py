"""Solid shapes made of flat faces and round limbs, and how a camera sees them as polygons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headrace.source.sim.camera import Array, Camera

Color = tuple[float, float, float]

#: Corners of the outline of a limb: half a circle around each end.
_CAP = np.linspace(-math.pi / 2, math.pi / 2, 5)
#: Fixed-point fraction bits of polygon corners, as OpenCV's drawing functions take them.
SHIFT = 4


@dataclass(frozen=True)
class Polygon:
    """One flat piece of a drawn object.

    Attributes:
        corners: ``(n, 2)`` int32 pixels times ``2**SHIFT``, convex.
        color: Blue, green, red in 0–255.
        solid: Whether it counts as part of the object's outline; details on a face do not.
    """

    corners: NDArray[np.int32]
    color: Color
    solid: bool


@dataclass
class Shape:
    """An object in its own coordinates: x forward, y left, z up, metres, standing on z = 0.

    Faces are drawn in the order added within their group; groups and limbs are drawn far to near.

    Attributes:
        faces: Corners ``(n, 3)`` of each face, counter-clockwise seen from outside.
        face_colors: Blue, green, red of each face.
        face_groups: Group of each face.
        face_solid: Whether the face is part of the outline.
        limbs: ``(start, end, start radius, end radius, color)`` of each limb.

    Example:
        >>> shape = Shape()
        >>> shape.prism([(-1, 0), (1, 0), (1, 1), (-1, 1)], 0.5, (90, 90, 90))
        >>> len(shape.faces)
        6
    """

    faces: list[Array] = field(default_factory=list)
    face_colors: list[Color] = field(default_factory=list)
    face_groups: list[int] = field(default_factory=list)
    face_solid: list[bool] = field(default_factory=list)
    limbs: list[tuple[Sequence[float], Sequence[float], float, float, Color]] = field(default_factory=list)

    def face(self, corners: Array, color: Color, group: int = 0, solid: bool = False) -> None:
        """Add one flat convex face."""
        self.faces.append(np.asarray(corners, float))
        self.face_colors.append(color)
        self.face_groups.append(group)
        self.face_solid.append(solid)

    def prism(
        self,
        profile: Iterable[tuple[float, float]],
        half_widths: float | Sequence[float],
        color: Color,
        group: int = 0,
    ) -> None:
        """Add the solid between two copies of a convex side view ``(x, z)``, counter-clockwise.

        Faces added: right side, left side, then one along each edge of the profile.
        """
        side = np.array(list(profile), float)
        half = np.broadcast_to(np.asarray(half_widths, float), (len(side),))
        right = np.column_stack([side[:, 0], -half, side[:, 1]])
        left = np.column_stack([side[:, 0], half, side[:, 1]])
        self.face(right, color, group, True)
        self.face(left[::-1], color, group, True)
        for i in range(len(side)):
            j = (i + 1) % len(side)
            self.face(np.array([left[i], left[j], right[j], right[i]]), color, group, True)

    def limb(
        self,
        start: Sequence[float],
        end: Sequence[float],
        radius: float,
        color: Color,
        end_radius: float = 0.0,
    ) -> None:
        """Add a rounded limb from ``start`` to ``end``; the end is as thick as the start unless told."""
        self.limbs.append((start, end, radius, end_radius or radius, color))

    def decal(self, face: int, rectangle: tuple[float, float, float, float], color: Color) -> None:
        """Paint on a four-cornered face, in shares ``(u0, v0, u1, v1)`` along its first two edges."""
        a, b, c, d = self.faces[face]
        u0, v0, u1, v1 = rectangle
        at = [
            (a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v
            for u, v in ((u0, v0), (u1, v0), (u1, v1), (u0, v1))
        ]
        self.face(np.array(at), color, self.face_groups[face])

    def mesh(self) -> Mesh:
        """The shape as arrays, ready to be seen many times."""
        return Mesh(self)


class Mesh:
    """A shape as arrays, so that seeing it costs a handful of NumPy calls."""

    def __init__(self, shape: Shape) -> None:
        sizes = [len(face) for face in shape.faces]
        self.ends = np.cumsum(sizes).tolist()
        self.vertices = np.concatenate(shape.faces) if shape.faces else np.empty((0, 3))
        self.normals = np.array([_normal(face) for face in shape.faces]).reshape(-1, 3)
        self.middles = np.array([face.mean(axis=0) for face in shape.faces]).reshape(-1, 3)
        self.colors = np.array(shape.face_colors).reshape(-1, 3)
        self.solid = shape.face_solid
        self.groups = shape.face_groups
        count = max(self.groups) + 1 if self.groups else 0
        self.group_middles = np.array(
            [self.middles[[g == k for g in self.groups]].mean(axis=0) for k in range(count)]
        ).reshape(-1, 3)
        self.limb_ends = np.array([limb[:2] for limb in shape.limbs], float).reshape(-1, 2, 3)
        self.limb_radii = np.array([limb[2:4] for limb in shape.limbs], float).reshape(-1, 2)
        self.limb_colors = np.array([limb[4] for limb in shape.limbs], float).reshape(-1, 3)
        points = np.concatenate([self.vertices, self.limb_ends.reshape(-1, 3)])
        self.low, self.high = points.min(axis=0), points.max(axis=0)


@dataclass(frozen=True)
class Light:
    """Sunlight on the scene.

    Attributes:
        toward_sun: ``(3,)`` unit vector in world axes.
        tint: ``(3,)`` gain of blue, green, red.
    """

    toward_sun: Array
    tint: Array


@dataclass(frozen=True)
class Pose:
    """Where an object stands on the ground: metres, and radians counter-clockwise from east."""

    x: float
    y: float
    heading: float
    z: float = 0.0

    @property
    def rotation(self) -> Array:
        """``(3, 3)`` from the object's axes to the world's."""
        c, s = math.cos(self.heading), math.sin(self.heading)
        return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])

    @property
    def offset(self) -> Array:
        """``(3,)`` position in the world."""
        return np.array([self.x, self.y, self.z])


def see(mesh: Mesh, pose: Pose, camera: Camera, light: Light) -> list[Polygon]:
    """The polygons of an object as the camera sees them, in drawing order."""
    rotation, offset = pose.rotation, pose.offset
    eye = (camera.position - offset) @ rotation
    sun = light.toward_sun @ rotation
    drawn: list[tuple[float, list[Polygon]]] = []
    if len(mesh.vertices):
        drawn += _faces(mesh, rotation, offset, eye, sun, camera, light)
    if len(mesh.limb_ends):
        drawn += _limbs(mesh, rotation, offset, sun, camera, light)
    drawn.sort(key=lambda item: -item[0])
    return [polygon for _, polygons in drawn for polygon in polygons]


def _faces(
    mesh: Mesh, rotation: Array, offset: Array, eye: Array, sun: Array, camera: Camera, light: Light
) -> list[tuple[float, list[Polygon]]]:
    pixels, _ = camera.project(mesh.vertices @ rotation.T + offset)
    corners = np.rint(pixels * (1 << SHIFT)).astype(np.int32)
    towards = ((eye - mesh.middles) * mesh.normals).sum(axis=1) > 0
    shade = 0.6 + 0.5 * np.maximum(mesh.normals @ sun, 0.0)
    colors = np.minimum(mesh.colors * shade[:, None] * light.tint, 255).tolist()
    away = np.linalg.norm(mesh.group_middles - eye, axis=1).tolist()
    groups: list[tuple[float, list[Polygon]]] = [(distance, []) for distance in away]
    start = 0
    for i, end in enumerate(mesh.ends):
        if towards[i]:
            groups[mesh.groups[i]][1].append(Polygon(corners[start:end], tuple(colors[i]), mesh.solid[i]))
        start = end
    return groups


def _limbs(
    mesh: Mesh, rotation: Array, offset: Array, sun: Array, camera: Camera, light: Light
) -> list[tuple[float, list[Polygon]]]:
    world = mesh.limb_ends.reshape(-1, 3) @ rotation.T + offset
    pixels, depth = camera.project(world)
    pixels, depth = pixels.reshape(-1, 2, 2), depth.reshape(-1, 2)
    along = pixels[:, 1] - pixels[:, 0]
    # A limb seen end-on has no direction on the screen; a hair of it keeps the outline round.
    angle = np.arctan2(along[:, 1], along[:, 0])
    radii = mesh.limb_radii * (camera.focal / depth)
    turns = angle[:, None] + np.concatenate([_CAP, _CAP + math.pi])
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    ends = np.repeat([1, 0], len(_CAP))
    outline = pixels[:, ends] + circle * radii[:, ends, None]
    corners = np.rint(outline * (1 << SHIFT)).astype(np.int32)
    shade = 0.82 + 0.18 * sun[2]
    colors = np.minimum(mesh.limb_colors * shade * light.tint, 255).tolist()
    away = np.linalg.norm(world - camera.position, axis=1).reshape(-1, 2).mean(axis=1).tolist()
    return [(away[i], [Polygon(corners[i], tuple(colors[i]), True)]) for i in range(len(corners))]


def _normal(face: Array) -> Array:
    normal = np.cross(face[1] - face[0], face[2] - face[0])
    return np.asarray(normal / max(float(np.linalg.norm(normal)), 1e-9))
