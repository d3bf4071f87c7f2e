"""Cameras and maps as functions: rays to pixels of the picture that comes, pixels of the view to rays.

Axes: x to the right, y down, z forwards. Coordinates of pictures are in units of the focal length, from the
principal point. All functions take and return arrays of any one shape, float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rays = tuple[Array, Array, Array]
Pixels = tuple[Array, Array]


def fisheye(rays: Rays, distortion: Sequence[float]) -> Pixels:
    """Distance from the centre is the angle, bent by a polynomial of four coefficients (Kannala and Brandt, 2006)."""
    x, y, z = rays
    across = np.hypot(x, y)
    angle = np.arctan2(across, z)
    scale = np.divide(bent(angle, distortion), across, out=np.ones_like(across), where=across > 0)
    return x * scale, y * scale


def bent(angle: Any, distortion: Sequence[float]) -> Any:
    """The fisheye's distance from the centre for an angle in radians: θ(1 + k₁θ² + k₂θ⁴ + k₃θ⁶ + k₄θ⁸)."""
    square = angle * angle
    factor = 0.0
    for coefficient in reversed(distortion[:4]):
        factor = (factor + coefficient) * square
    return angle * (1 + factor)


def perspective(rays: Rays, distortion: Sequence[float]) -> Pixels:
    """A lens with Brown's distortion: k₁, k₂, k₃ along the radius, p₁, p₂ across (Brown, 1966).

    Rays from behind give NaN.
    """
    depth = np.where(rays[2] > 1e-9, rays[2], np.nan)
    x, y = rays[0] / depth, rays[1] / depth
    k1, k2, k3, p1, p2 = distortion
    square = x * x + y * y
    radial = 1 + square * (k1 + square * (k2 + square * k3))
    right = x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x)
    return right, y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y


def equirectangular(rays: Rays, distortion: Sequence[float]) -> Pixels:
    """Longitude and latitude of a panorama; it has no distortion."""
    x, y, z = rays
    return np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))


def plane(u: Array, v: Array, control: float) -> Rays:
    """A picture as of a pinhole camera: straight lines stay straight."""
    return u, v, np.ones_like(u)


def ball(u: Array, v: Array, control: float) -> Rays:
    """A fisheye without distortion."""
    radius = np.hypot(u, v)
    scale = np.sinc(radius / np.pi)
    return u * scale, v * scale, np.cos(radius)


def cylinder(u: Array, v: Array, control: float) -> Rays:
    """A cylinder that stands: a panorama from left to right, verticals stay straight."""
    return np.sin(u), v, np.cos(u)


def lying_cylinder(u: Array, v: Array, control: float) -> Rays:
    """A cylinder that lies: a panorama from top to bottom, as along an aisle; horizontals stay straight."""
    return u, np.sin(v), np.cos(v)


def globe(u: Array, v: Array, control: float) -> Rays:
    """Longitude and latitude."""
    return np.cos(v) * np.sin(u), np.sin(v), np.cos(v) * np.cos(u)


def panini(u: Array, v: Array, control: float) -> Rays:
    """A cylinder seen from behind its axis (Sharpless et al., 2010); control 0 is a plane, 1 the usual one."""
    cosine, scale = _from_behind(u, control)
    return u / scale, v / scale, cosine


def stereographic(u: Array, v: Array, control: float) -> Rays:
    """A ball seen from behind its centre; control 0 is a plane, 1 the usual stereographic picture."""
    cosine, scale = _from_behind(np.hypot(u, v), control)
    return u / scale, v / scale, cosine


def _from_behind(distance: Array, behind: float) -> tuple[Array, Array]:
    """Cosine of the angle, and distance by sine, of what a point behind the centre projects to a distance."""
    square = (distance / (behind + 1)) ** 2
    root = np.sqrt(np.maximum(1 + square * (1 - behind * behind), 0))
    cosine = (root - square * behind) / (1 + square)
    return cosine, (behind + 1) / (behind + cosine)


def pushbroom(u: Array, v: Array, control: float) -> Rays:
    """A plane whose rows widen with their distance, so that each is seen as from straight above it.

    Control 0 is a plane; with 1 things far up or down the picture are as wide as those in the middle.
    """
    return u * np.hypot(1.0, v) ** control, v, np.ones_like(u)


#: The vertical coordinate of an angle, for views whose angles of top and bottom are given.
TANGENT: Callable[[float], float] = np.tan


def angle_itself(angle: float) -> float:
    """Of views whose vertical coordinate is an angle."""
    return angle


def half_tangent(angle: float) -> float:
    """Of the stereographic view; exact for control 1."""
    return float(2 * np.tan(angle / 2))
