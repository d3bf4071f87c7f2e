"""What is in a rendered frame, known exactly because we drew it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Names of the classes; ``class_id`` counts in this order.
SIM_LABELS: tuple[str, ...] = ("vehicle", "two-wheeler", "person", "road sign")
VEHICLE, TWO_WHEELER, PERSON, ROAD_SIGN = range(4)


@dataclass(frozen=True)
class Truth:
    """The objects of one frame; row ``i`` of every array is one object, the nearest last.

    Objects without a single visible pixel are left out. A two-wheeler includes its rider, a road sign is
    its plate without the pole.

    Attributes:
        xyxy: ``(n, 4)`` float32 left, top, right, bottom of the visible pixels, within the frame.
        class_id: ``(n,)`` int32 index into `SIM_LABELS`.
        track_id: ``(n,)`` int64, positive, the same for one object in all frames and used once per run.
        visibility: ``(n,)`` float32 in 0–1: share of the object that is neither hidden by something
            nearer nor outside the frame.

    Example:
        >>> len(Truth.empty())
        0
    """

    xyxy: NDArray[np.float32]
    class_id: NDArray[np.int32]
    track_id: NDArray[np.int64]
    visibility: NDArray[np.float32]

    @classmethod
    def empty(cls) -> Truth:
        """A frame without objects."""
        return cls.from_rows([])

    @classmethod
    def from_rows(cls, rows: list[tuple[tuple[float, float, float, float], int, int, float]]) -> Truth:
        """Build from rows ``(xyxy, class_id, track_id, visibility)``."""
        return cls(
            np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
            np.array([row[1] for row in rows], np.int32),
            np.array([row[2] for row in rows], np.int64),
            np.array([row[3] for row in rows], np.float32),
        )

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Truth:
        """The objects of the given rows (mask, index array or slice)."""
        return Truth(self.xyxy[rows], self.class_id[rows], self.track_id[rows], self.visibility[rows])
