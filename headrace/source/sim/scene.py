"""A scene: frame ``i`` and what is in it, at any time and in any order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.source.sim.background import (
    NOBODY,
    Background,
    Fixture,
    cast_shadow,
    paint_background,
    sunlight,
)
from headrace.source.sim.camera import Camera
from headrace.source.sim.layout import Layout
from headrace.source.sim.options import SceneOptions
from headrace.source.sim.paint import Box, Canvas, Window, extent, overlap, window
from headrace.source.sim.scenes import layout
from headrace.source.sim.shapes import Light, Polygon, see
from headrace.source.sim.traffic import Actor, Traffic
from headrace.source.sim.truth import ROAD_SIGN, Truth

#: Sensor noise is cut from a sheet that is this many pixels larger than the frame.
_SLACK = 64
#: Seconds of one slow swing of the light, and of a quicker one on top of it.
_SWINGS = ((47.0, 0.22), (11.0, 0.08))


class Scene:
    """A rendered scene with known truth.

    Frames depend on the options and their number alone, not on what was rendered before. A scene keeps
    a buffer of its own: use one scene per thread.

    Args:
        options: What to render.

    Example:
        >>> from headrace.source.sim import parse_sim_uri
        >>> image, truth = Scene(parse_sim_uri("sim://plaza?width=320&height=180")).render(40)
        >>> image.shape, len(truth) > 3
        ((180, 320, 3), True)
    """

    def __init__(self, options: SceneOptions) -> None:
        self.options = options
        stage = _stage(options.scene, options.seed, options.width, options.height)
        self._stage, self._owner = stage, np.empty_like(stage.background.owner)
        plan, signs = stage.layout, len(stage.layout.signs)
        self._traffic = Traffic(tuple(plan.routes), plan.cycle, options.objects, options.seed, signs + 1)
        self._sheet = _noise_sheet(options.seed, options.width, options.height, options.noise)

    def __len__(self) -> int:
        """Number of frames.

        Raises:
            TypeError: The scene has no end.
        """
        if self.options.frames < 0:
            raise TypeError("a scene with frames=-1 has no end, hence no length")
        return self.options.frames

    def render(self, index: int) -> tuple[NDArray[np.uint8], Truth]:
        """Render frame ``index``: ``(H, W, 3)`` uint8 BGR, the caller's own, and its truth.

        Raises:
            IndexError: The frame is before the start or after the end of the scene.
        """
        if index < 0 or 0 <= self.options.frames <= index:
            raise IndexError(f"frame {index} is outside a scene of {self.options.frames} frames")
        time = index / self.options.fps
        background = self._stage.background
        canvas = Canvas(background.image.copy(), self._owner)
        np.copyto(self._owner, background.owner)
        truth = self._draw(canvas, time)
        return self._expose(canvas.image, index, time), truth

    def _draw(self, canvas: Canvas, time: float) -> Truth:
        """Draw what moves, put back what stands in front of it, and take stock."""
        movers, touched = self._movers(canvas, time)
        drawn: list[_Mover | Fixture] = []
        things: list[_Mover | Fixture] = [*movers, *self._stage.background.fixtures]
        for thing in sorted(things, key=lambda thing: -thing.distance):
            if isinstance(thing, _Mover):
                canvas.draw(thing.polygons, thing.owner)
                thing.area = _count(canvas, thing.place, thing.owner)
            elif any(overlap(thing.place, place) for place in touched):
                thing.restore(canvas)
            elif thing.owner == NOBODY:
                continue
            touched.append(thing.place)
            drawn.append(thing)
        rows = [_row(canvas, thing) for thing in drawn if thing.owner != NOBODY]
        return Truth.from_rows([row for row in rows if row is not None])

    def _movers(self, canvas: Canvas, time: float) -> tuple[list[_Mover], list[Window]]:
        """Whoever is in the frame, and where their shadows were drawn."""
        camera, light, background = self._stage.camera, self._stage.light, self._stage.background
        height, width = canvas.owner.shape
        movers: list[_Mover] = []
        shadows: list[Window] = []
        owner = len(self._stage.layout.signs)
        for actor in self._traffic.at(time):
            pose, mesh = actor.pose(time), actor.mesh(time)
            shadow = cast_shadow(canvas.image, background.shaded, mesh, pose, camera, light)
            shadows += [shadow] if shadow is not None else []
            distance = math.hypot(pose.x - camera.position[0], pose.y - camera.position[1])
            polygons = see(mesh, pose, camera, light)
            box = extent(polygons)
            place = window(box, width, height)
            if place is not None and owner + 1 < NOBODY:
                owner += 1
                movers.append(_Mover(actor, owner, distance, polygons, box, place))
        return movers, shadows

    def _expose(self, image: NDArray[np.uint8], index: int, time: float) -> NDArray[np.uint8]:
        """Apply the light of the moment and the sensor's noise."""
        seed, height, width = self.options.seed, image.shape[0], image.shape[1]
        swing = sum(share * math.sin(2 * math.pi * time / span + seed) for span, share in _SWINGS)
        gain = 1.0 + self.options.light * swing
        if self._sheet is None:
            return np.asarray(cv2.convertScaleAbs(image, image, gain)) if gain != 1.0 else image
        top, left = np.random.default_rng([seed, index, 3]).integers(0, _SLACK, 2).tolist()
        noise = self._sheet[top : top + height, left : left + width]
        return np.asarray(cv2.addWeighted(image, gain, noise, 1.0, -128.0, image))


@dataclass
class _Mover:
    """A moving object in one frame; ``area`` is known once it is drawn."""

    actor: Actor
    owner: int
    distance: float
    polygons: list[Polygon]
    box: Box
    place: Window
    area: int = 0


def _count(canvas: Canvas, place: Window, owner: int) -> int:
    left, top, right, bottom = place
    return int(np.count_nonzero(canvas.owner[top:bottom, left:right] == owner))


def _row(canvas: Canvas, thing: _Mover | Fixture) -> tuple[Box, int, int, float] | None:
    """One row of truth: what the owner map still shows of an object."""
    left, top, right, bottom = thing.place
    mask = (canvas.owner[top:bottom, left:right] == thing.owner).view(np.uint8)
    visible = int(cv2.countNonZero(mask))
    if visible == 0 or thing.area == 0:
        return None
    x, y, w, h = cv2.boundingRect(mask)
    height, width = canvas.owner.shape
    x0, y0, x1, y1 = thing.box
    inside = max(min(x1, width) - max(x0, 0), 0) * max(min(y1, height) - max(y0, 0), 0)
    shown = min(inside / ((x1 - x0) * (y1 - y0)), 1.0) * visible / thing.area
    class_id = thing.actor.class_id if isinstance(thing, _Mover) else ROAD_SIGN
    track_id = thing.actor.track_id if isinstance(thing, _Mover) else thing.owner
    return (left + x, top + y, left + x + w, top + y + h), class_id, track_id, shown


@dataclass(frozen=True)
class _Stage:
    """What all scenes of equal name, seed and size share."""

    layout: Layout
    camera: Camera
    light: Light
    background: Background


@lru_cache(maxsize=8)
def _stage(name: str, seed: int, width: int, height: int) -> _Stage:
    plan = layout(name, seed)
    camera = Camera.aim(plan.position, plan.yaw, plan.pitch, width, height)
    light = sunlight(np.random.default_rng([seed, 5]))
    return _Stage(plan, camera, light, paint_background(plan, camera, light, seed, (width, height)))


@lru_cache(maxsize=8)
def _noise_sheet(seed: int, width: int, height: int, noise: float) -> NDArray[np.uint8] | None:
    if noise == 0:
        return None
    shape = (height + _SLACK, width + _SLACK, 3)
    sheet = np.random.default_rng([seed, 13]).standard_normal(shape, np.float32)
    return np.asarray(np.clip(np.rint(sheet * noise + 128), 0, 255), np.uint8)
