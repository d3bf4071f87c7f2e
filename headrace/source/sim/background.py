"""What does not move: sky, buildings, textured ground, and the things standing on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.source.sim.camera import Array, Camera
from headrace.source.sim.layout import Layout
from headrace.source.sim.paint import Canvas, Window, extent, window
from headrace.source.sim.shapes import SHIFT, Light, Mesh, Pose, see

#: How much light is left in a shadow.
SHADE = 0.62
#: Owner of the pixels of things that are no objects, such as trees.
NOBODY = 255


@dataclass(frozen=True)
class Fixture:
    """A thing that stands still, cut out so that it can be put back over what passed behind it.

    Attributes:
        owner: Its mark in the owner map; `NOBODY` for what is no object.
        distance: Metres from the camera.
        box: Its extent in pixels, frame or not.
        place: The pixels it touches.
        mask: ``(h, w)`` uint8 over its place, 255 where it is.
        pixels: ``(h, w, 3)`` picture over its place.
        area: Number of its pixels.
    """

    owner: int
    distance: float
    box: tuple[float, float, float, float]
    place: Window
    mask: NDArray[np.uint8]
    pixels: NDArray[np.uint8]
    area: int

    def restore(self, canvas: Canvas) -> None:
        """Put it back in front of what has been drawn."""
        left, top, right, bottom = self.place
        cv2.copyTo(self.pixels, self.mask, canvas.image[top:bottom, left:right])
        canvas.owner[top:bottom, left:right][self.mask > 0] = self.owner


@dataclass(frozen=True)
class Background:
    """The scene without anything that moves.

    Attributes:
        image: ``(H, W, 3)`` in full light.
        shaded: The same with its ground in shadow.
        owner: ``(H, W)`` owners of the pixels of the fixtures.
        fixtures: Far to near.
    """

    image: NDArray[np.uint8]
    shaded: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    fixtures: tuple[Fixture, ...]


def paint_background(
    layout: Layout, camera: Camera, light: Light, seed: int, size: tuple[int, int]
) -> Background:
    """Paint a layout for one camera; signs are owned by 1, 2, … in the layout's order."""
    rng = np.random.default_rng([seed, 11])
    width, height = size
    image, grain = _ground(layout, camera, light, rng, width, height)
    _texture(image, grain, camera, rng)
    canvas = Canvas(image, np.zeros((height, width), np.uint8))
    for mesh, pose in sorted(layout.backdrop, key=lambda item: -_distance(item[1], camera)):
        canvas.draw(see(mesh, pose, camera, light), NOBODY)
    canvas.owner[:] = 0
    shaded = np.asarray(cv2.convertScaleAbs(image, alpha=SHADE), np.uint8)
    standing = _standing(layout, camera)
    for _, mesh, pose, _ in standing:
        cast_shadow(image, shaded, mesh, pose, camera, light)
    fixtures = []
    for distance, mesh, pose, owner in standing:
        polygons = see(mesh, pose, camera, light)
        place = window(extent(polygons), width, height)
        canvas.draw(polygons, owner)
        if place is not None:
            alone = np.zeros((height, width), np.uint8)
            Canvas(shaded, alone).draw(polygons, NOBODY)
            fixtures.append(_cut(image, alone, place, owner, distance, extent(polygons)))
    return Background(image, shaded, canvas.owner, tuple(fixtures))


def cast_shadow(
    image: NDArray[np.uint8], shaded: NDArray[np.uint8], mesh: Mesh, pose: Pose, camera: Camera, light: Light
) -> Window | None:
    """Darken the ground where the box around an object keeps the sun away; returns the pixels touched."""
    low, high = mesh.low, mesh.high
    base = np.array([(x, y, 0.0) for x in (low[0], high[0]) for y in (low[1], high[1])])
    feet = base @ pose.rotation.T + (pose.x, pose.y, 0.0)
    sun = light.toward_sun
    shift = np.array([-sun[0], -sun[1], 0.0]) * (high[2] * 0.85 / sun[2])
    pixels, _ = camera.project(np.concatenate([feet, feet + shift]))
    hull = cv2.convexHull(np.rint(pixels * (1 << SHIFT)).astype(np.int32))
    corners = pixels.min(axis=0).tolist() + pixels.max(axis=0).tolist()
    place = window((corners[0], corners[1], corners[2], corners[3]), image.shape[1], image.shape[0])
    if place is None:
        return None
    left, top, right, bottom = place
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(mask, hull - (np.array([left, top], np.int32) << SHIFT), 255, cv2.LINE_8, SHIFT)
    cv2.copyTo(shaded[top:bottom, left:right], mask, image[top:bottom, left:right])
    return place


def _standing(layout: Layout, camera: Camera) -> list[tuple[float, Mesh, Pose, int]]:
    things = [(_distance(pose, camera), mesh, pose, NOBODY) for mesh, pose in layout.props]
    for index, (plate, pole, pose) in enumerate(layout.signs):
        distance = _distance(pose, camera)
        things += [(distance, pole, pose, NOBODY), (distance - 0.01, plate, pose, index + 1)]
    return sorted(things, key=lambda thing: -thing[0])


def _distance(pose: Pose, camera: Camera) -> float:
    return float(np.hypot(pose.x - camera.position[0], pose.y - camera.position[1]))


def _cut(
    image: NDArray[np.uint8],
    alone: NDArray[np.uint8],
    place: Window,
    owner: int,
    distance: float,
    box: tuple[float, float, float, float],
) -> Fixture:
    left, top, right, bottom = place
    mask = alone[top:bottom, left:right].copy()
    pixels = image[top:bottom, left:right].copy()
    return Fixture(owner, distance, box, place, mask, pixels, int(cv2.countNonZero(mask)))


def _ground(
    layout: Layout, camera: Camera, light: Light, rng: np.random.Generator, width: int, height: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    image = np.empty((height, width, 3), np.uint8)
    grain = np.full((height, width), 0.3, np.float32)
    horizon = camera.horizon
    rows = np.clip((horizon - np.arange(height)) / max(0.25 * height, 1), 0, 1)[:, None]
    sky = np.array([214, 206, 196]) * (1 - rows) + np.array([226, 178, 128]) * rows
    image[:] = np.minimum(sky * light.tint, 255).astype(np.uint8)[:, None]
    edge = min(max(round(horizon), 0), height)
    image[edge:] = np.minimum(np.array(layout.ground) * light.tint, 255).astype(np.uint8)
    _hills(image, horizon, light, rng)
    for area in layout.areas:
        corners = np.rint(camera.project_ground(area.polygon) * (1 << SHIFT)).astype(np.int32)
        if len(corners):
            color = np.minimum(np.array(area.color) * light.tint, 255).tolist()
            cv2.fillConvexPoly(image, corners, color, cv2.LINE_AA, SHIFT)
            cv2.fillConvexPoly(grain, corners, area.grain, cv2.LINE_8, SHIFT)
    return image, grain


def _hills(image: NDArray[np.uint8], horizon: float, light: Light, rng: np.random.Generator) -> None:
    """A line of woods along the horizon."""
    height, width = image.shape[:2]
    knots = rng.uniform(0.2, 1.0, 24)
    for share, color in ((0.07, (150, 150, 128)), (0.04, (86, 112, 92))):
        rough = np.interp(np.linspace(0, 23, width), np.arange(24), rng.permutation(knots))
        rough += 0.12 * np.interp(np.linspace(0, 160, width), np.arange(161), rng.uniform(-1, 1, 161))
        tops = horizon - share * height * rough
        paint = np.minimum(np.array(color) * light.tint, 255).astype(np.uint8)
        for x, top in enumerate(np.clip(np.rint(tops), 0, height).astype(int).tolist()):
            image[top : max(round(horizon), 0) + 1, x] = paint


def _texture(
    image: NDArray[np.uint8], grain: NDArray[np.float32], camera: Camera, rng: np.random.Generator
) -> None:
    """Roughen the ground with noise fixed to the world, fading with distance."""
    height, width = grain.shape
    x, y, reach = camera.ground_grid(width, height)
    total = np.zeros((height, width), np.float32)
    for metres, weight, fade in ((0.045, 0.7, 25.0), (0.5, 0.6, 90.0), (3.0, 0.5, 300.0)):
        tile = rng.standard_normal((256, 256), np.float32)
        tile += np.roll(tile, 1, 0) + np.roll(tile, 1, 1)
        maps = [np.mod(axis / metres, 256).astype(np.float32) for axis in (x, y)]
        sample = cv2.remap(tile, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        total += sample * (0.6 * weight * np.exp(-reach / fade)).astype(np.float32)
    gain = (1 + total * grain * (reach < 1e3))[..., None]
    image[:] = np.clip(image * gain + 0.5, 0, 255).astype(np.uint8)


def sunlight(rng: np.random.Generator) -> Light:
    """A time of day: where the sun stands and how warm and strong its light is."""
    turn, up = rng.uniform(0, 2 * np.pi), rng.uniform(0.75, 1.15)
    sun: Array = np.array([np.cos(turn) * np.cos(up), np.sin(turn) * np.cos(up), np.sin(up)])
    warm = rng.uniform(-0.06, 0.06)
    return Light(sun, rng.uniform(0.78, 1.04) * np.array([1 - warm, 1.0, 1 + warm]))
