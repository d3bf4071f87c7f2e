"""A pinhole camera above a ground plane: x east, y north, z up, in metres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Points nearer than this many metres in front of the camera are moved out to it.
NEAR = 0.5
#: Ground nearer than this is below every frame; cutting it off there keeps coordinates small.
GROUND_NEAR = 3.0
#: Projected points are kept within this many pixels, so that fixed-point drawing cannot overflow.
FAR_PIXELS = 20_000.0


@dataclass(frozen=True)
class Camera:
    """Where the camera stands and looks.

    Attributes:
        position: ``(3,)`` metres.
        rotation: ``(3, 3)`` world to camera axes (right, down, forward).
        focal: Focal length in pixels.
        center: Principal point ``(x, y)`` in pixels.

    Example:
        >>> camera = Camera.aim((0, 0, 6), yaw=0, pitch=0, width=640, height=360)
        >>> camera.project(np.array([[0.0, 10.0, 6.0]]))[0].tolist()
        [[320.0, 180.0]]
    """

    position: Array
    rotation: Array
    focal: float
    center: tuple[float, float]

    @classmethod
    def aim(
        cls, position: tuple[float, float, float], yaw: float, pitch: float, width: int, height: int
    ) -> Camera:
        """Look north turned by ``yaw`` to the east, downwards by ``pitch`` (radians).

        The field of view covers a 16:9 picture; other shapes see a part of it.
        """
        forward = np.array(
            [math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), -math.sin(pitch)]
        )
        right = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
        rotation = np.stack([right, np.cross(forward, right), forward])
        focal = 0.8 * max(width, height * 16 / 9)
        return cls(np.array(position, float), rotation, focal, (width / 2, height / 2))

    def project(self, points: Array) -> tuple[Array, Array]:
        """Pixels ``(n, 2)`` and depths ``(n,)`` in metres of points ``(n, 3)``."""
        seen = (points - self.position) @ self.rotation.T
        depth = np.maximum(seen[:, 2], NEAR)
        pixels = seen[:, :2] * (self.focal / depth)[:, None] + self.center
        return np.clip(pixels, -FAR_PIXELS, FAR_PIXELS), depth

    def project_ground(self, polygon: Array) -> Array:
        """Pixels ``(k, 2)`` of a ground polygon ``(n, 2)``, cut where it passes behind the camera."""
        points = np.column_stack([polygon, np.zeros(len(polygon))])
        ahead = (points - self.position) @ self.rotation[2] - GROUND_NEAR
        kept: list[Array] = []
        for i in range(len(points)):
            j = i - 1
            if (ahead[i] > 0) != (ahead[j] > 0):
                share = ahead[j] / (ahead[j] - ahead[i])
                kept.append(points[j] + share * (points[i] - points[j]))
            if ahead[i] > 0:
                kept.append(points[i])
        if len(kept) < 3:
            return np.empty((0, 2))
        seen = (np.array(kept) - self.position) @ self.rotation.T
        return np.asarray(seen[:, :2] * (self.focal / seen[:, 2:]) + self.center)

    @property
    def horizon(self) -> float:
        """Row of the horizon in pixels."""
        return float(self.center[1] - self.focal * math.tan(math.asin(-self.rotation[2, 2])))

    def ground_grid(self, width: int, height: int) -> tuple[Array, Array, Array]:
        """World x, y and distance of the ground under every pixel ``(height, width)``; inf above it."""
        x = (np.arange(width) + 0.5 - self.center[0]) / self.focal
        y = (np.arange(height) + 0.5 - self.center[1]) / self.focal
        right, down, forward = self.rotation
        drop = down[2] * y + forward[2]
        reach = np.where(drop < -1e-4, self.position[2] / np.maximum(-drop, 1e-4), np.inf)[:, None]
        near = np.minimum(reach, 1e4)
        ray_x = right[0] * x + (down[0] * y + forward[0])[:, None]
        ray_y = right[1] * x + (down[1] * y + forward[1])[:, None]
        return (
            self.position[0] + near * ray_x,
            self.position[1] + near * ray_y,
            np.broadcast_to(reach, (height, width)),
        )
