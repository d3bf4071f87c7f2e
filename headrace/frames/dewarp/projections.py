"""The projections by DeepStream's numbers (``NvDsSurfaceType``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from headrace.frames.dewarp import lens

Camera = Callable[[lens.Rays, Sequence[float]], lens.Pixels]
ViewMap = Callable[[lens.Array, lens.Array, float], lens.Rays]


class Projection(NamedTuple):
    """From which picture to which view.

    Attributes:
        camera: Rays to pixels of the picture that comes.
        view: Pixels of the view to rays.
        height: Vertical coordinate of the view for an angle in radians.
    """

    camera: Camera
    view: ViewMap
    height: Callable[[float], float]


_BROOM = (lens.pushbroom, lens.TANGENT)
_LYING = (lens.lying_cylinder, lens.angle_itself)
_PLANE = (lens.plane, lens.TANGENT)
_BALL = (lens.ball, lens.angle_itself)
_STANDING = (lens.cylinder, lens.TANGENT)
_GLOBE = (lens.globe, lens.angle_itself)
_PANINI = (lens.panini, lens.TANGENT)
_STEREO = (lens.stereographic, lens.half_tangent)

PROJECTIONS: dict[int, Projection] = {
    1: Projection(lens.fisheye, *_BROOM),
    2: Projection(lens.fisheye, *_LYING),
    3: Projection(lens.perspective, *_PLANE),
    4: Projection(lens.fisheye, *_PLANE),
    5: Projection(lens.fisheye, *_BALL),
    6: Projection(lens.fisheye, *_STANDING),
    7: Projection(lens.fisheye, *_GLOBE),
    8: Projection(lens.fisheye, *_PANINI),
    9: Projection(lens.perspective, *_GLOBE),
    10: Projection(lens.perspective, *_PANINI),
    11: Projection(lens.equirectangular, *_STANDING),
    12: Projection(lens.equirectangular, *_GLOBE),
    13: Projection(lens.equirectangular, *_BALL),
    14: Projection(lens.equirectangular, *_PANINI),
    15: Projection(lens.equirectangular, *_PLANE),
    16: Projection(lens.equirectangular, *_BROOM),
    17: Projection(lens.equirectangular, *_STEREO),
    18: Projection(lens.equirectangular, *_LYING),
}
