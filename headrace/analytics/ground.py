"""The ground: from pixels to metres, by four points whose places are known."""

from __future__ import annotations

import numpy as np

from headrace.analytics.geometry import area, crosses_itself
from headrace.analytics.tracks import Floats
from headrace.errors import ConfigError


class Ground:
    """The homography from the picture to a flat ground.

    Args:
        pixels: ``(4, 2)`` points in the picture, going round.
        metres: ``(4, 2)`` the same points on the ground, in metres.

    Raises:
        ConfigError: The points do not span an area, or are not in the same order.

    Example:
        >>> ground = Ground([[0, 0], [100, 0], [100, 100], [0, 100]], [[0, 0], [10, 0], [10, 10], [0, 10]])
        >>> ground.metres(np.array([[50.0, 25.0]])).round(6).tolist()
        [[5.0, 2.5]]
    """

    def __init__(self, pixels: Floats | list[list[float]], metres: Floats | list[list[float]]) -> None:
        source, target = (np.asarray(points, np.float64) for points in (pixels, metres))
        for name, points in (("image", source), ("metres", target)):
            if crosses_itself(points) or abs(area(points)) < 1e-9:
                raise ConfigError(f"ground: the four points of {name} must go round an area, in order")
        rows = []
        for (x, y), (u, v) in zip(source, target, strict=True):
            rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        solution = np.linalg.solve(np.array(rows), target.reshape(-1))
        self._matrix = np.append(solution, 1.0).reshape(3, 3)
        # Above the horizon a point is on no ground; the calibrated points are below it.
        self._below = np.sign((np.append(source.mean(axis=0), 1.0) @ self._matrix.T)[2])

    def metres(self, points: Floats) -> Floats:
        """Places on the ground ``(n, 2)`` of pixels ``(n, 2)``; NaN for pixels at or above the horizon."""
        mapped = points @ self._matrix[:, :2].T + self._matrix[:, 2]
        depth = mapped[:, 2:] * self._below
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(depth > 1e-9, mapped[:, :2] / mapped[:, 2:], np.nan))
