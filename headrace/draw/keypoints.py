"""Keypoints: dots, and the lines that make a skeleton of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from headrace.draw import shapes
from headrace.draw.canvas import Canvas
from headrace.draw.palette import contrasting
from headrace.frames import Frame
from headrace.meta.skeleton import Skeleton

_LEAST = 0.3
# Share of the skeleton's height that a dot's radius has, within these bounds of pixels.
_DOT, _SMALLEST, _LARGEST = 0.015, 2, 6


def draw_keypoints(
    frame: Frame, skeletons: Sequence[Skeleton], rgba: ArrayLike, least: float = _LEAST
) -> None:
    """Draw lines in a colour for each skeleton, and on them the points: black or white, whichever stands out.

    Dots and lines grow with the skeleton. Points that are not finite, or less sure than ``least``, are left out, and
    the lines to them.

    Args:
        frame: Any format; its planes are written to.
        skeletons: ``n`` skeletons, points in pixels of the frame.
        rgba: ``(n, 4)`` or one colour, 0–1.
        least: Confidence that a point must have.

    Raises:
        FrameError: The frame is read-only.

    Example:
        >>> frame = Frame.from_array(np.zeros((40, 40, 3), np.uint8), "RGB")
        >>> line = Skeleton(np.array([[5, 20, 1], [35, 20, 1]], np.float32), ((0, 1),))
        >>> draw_keypoints(frame, [line], (1, 0, 0, 1))
        >>> frame.planes[0][20, 20].tolist()
        [255, 0, 0]
    """
    canvas = Canvas(frame)
    colors = np.broadcast_to(np.asarray(rgba, np.float64), (len(skeletons), 4)).tolist()
    for skeleton, (r, g, b, a) in zip(skeletons, colors, strict=True):
        points = skeleton.points
        seen = np.isfinite(points).all(axis=1) & (points[:, 2] >= least)
        if not seen.any():
            continue
        places = points[:, :2].astype(np.float64)
        radius = _radius(places[seen])
        edges = np.array([edge for edge in skeleton.lines if max(edge) < len(points)], np.intp).reshape(-1, 2)
        edges = edges[seen[edges].all(axis=1)]
        shapes.segments(canvas, places[edges], radius * 0.8, canvas.inks.ink((r, g, b, a)))
        dot = contrasting((r, g, b, a)) if skeleton.lines else (r, g, b, a)
        shapes.dots(canvas, places[seen], radius, canvas.inks.ink(dot))


def _radius(places: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    extent = float(np.ptp(places, axis=0).max())
    return min(max(extent * _DOT, _SMALLEST), _LARGEST)
