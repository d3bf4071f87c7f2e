"""Keypoints of an object, and the lines between them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Edges = tuple[tuple[int, int], ...]

#: Names of the 17 keypoints of a person, as the COCO data set orders them.
COCO_NAMES = (
    "nose", "left-eye", "right-eye", "left-ear", "right-ear", "left-shoulder", "right-shoulder", "left-elbow",
    "right-elbow", "left-wrist", "right-wrist", "left-hip", "right-hip", "left-knee", "right-knee", "left-ankle",
    "right-ankle",
)  # fmt: skip

#: Lines between them: head, trunk, arms, legs.
COCO_EDGES: Edges = (
    (0, 1), (0, 2), (1, 3), (2, 4), (5, 6), (5, 11), (6, 12), (11, 12),
    (5, 7), (7, 9), (6, 8), (8, 10), (11, 13), (13, 15), (12, 14), (14, 16),
)  # fmt: skip


def _no_points() -> NDArray[np.float32]:
    return np.empty((0, 3), np.float32)


@dataclass(slots=True, eq=False)
class Skeleton:
    """Keypoints of one object.

    Attributes:
        points: ``(k, 3)`` float32 x, y in pixels of the frame and confidence in 0–1; 0 for a point that is not seen.
        edges: Pairs of points that a line joins; ``None`` for those of COCO's people where there are 17 points, and
            for none otherwise.

    Example:
        >>> len(Skeleton(np.zeros((17, 3), np.float32)).lines), Skeleton(np.zeros((5, 3), np.float32)).lines
        (16, ())
    """

    points: NDArray[np.float32] = field(default_factory=_no_points)
    edges: Edges | None = None

    @property
    def lines(self) -> Edges:
        """The pairs of points that a line joins."""
        if self.edges is not None:
            return self.edges
        return COCO_EDGES if len(self.points) == len(COCO_NAMES) else ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the points: COCO's where there are 17, numbers otherwise."""
        count = len(self.points)
        return COCO_NAMES if count == len(COCO_NAMES) else tuple(map(str, range(count)))

    def copy(self) -> Skeleton:
        """An independent copy."""
        return Skeleton(self.points.copy(), self.edges)
