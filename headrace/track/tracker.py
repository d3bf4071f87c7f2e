"""The noun and the interface of tracking: what a tracker takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headrace.meta import Detections


@dataclass(frozen=True, slots=True)
class Tracks:
    """The tracked objects of one frame; row ``i`` of every array but ``ids`` is one object.

    Attributes:
        ids: ``(n,)`` int64, for each of the ``n`` detections given the id of its track, or -1.
        row: ``(m,)`` int64, the detection of each object, or -1 for one that is only predicted.
        track_id: ``(m,)`` int64, from 1; no two objects of a frame share one.
        xyxy: ``(m, 4)`` float32, the tracker's own estimate of the box in pixels, not clipped to the frame.
        confidence: ``(m,)`` float32 in 0-1, how sure the tracker is of the object.
        class_id: ``(m,)`` int32.

    Example:
        >>> len(Tracks.empty(3)), Tracks.empty(3).ids.tolist()
        (0, [-1, -1, -1])
    """

    ids: NDArray[np.int64]
    row: NDArray[np.int64]
    track_id: NDArray[np.int64]
    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int32]

    @classmethod
    def empty(cls, detections: int = 0) -> Tracks:
        """No tracked object in a frame of that many detections."""
        return cls(
            np.full(detections, -1, np.int64),
            np.empty(0, np.int64),
            np.empty(0, np.int64),
            np.empty((0, 4), np.float32),
            np.empty(0, np.float32),
            np.empty(0, np.int32),
        )

    def __len__(self) -> int:
        return len(self.track_id)

    def of(self, which: NDArray[np.bool_]) -> Tracks:
        """Some of the objects, copied; ``ids`` stays that of the whole frame."""
        return Tracks(
            self.ids,
            self.row[which],
            self.track_id[which],
            self.xyxy[which],
            self.confidence[which],
            self.class_id[which],
        )


class Tracker(Protocol):
    """Follows the objects of one source; one instance per source, used by one thread at a time.

    The result of a frame depends only on the frames before it since the start or the last ``reset``: same
    input, same output.
    """

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many detections were left out since the start, by reason."""
        ...

    def update(self, detections: Detections | None) -> Tracks:
        """Take the detections of the source's next frame; they are not changed.

        Args:
            detections: Boxes in pixels, possibly none; ``track_id`` and ``masks`` are not read. ``None`` when
                nobody looked at the frame (an inference interval): the objects seen last are then reported at
                their predictions, with row -1, and no track grows older.

        Returns:
            New arrays that belong to the caller.
        """
        ...

    def reset(self) -> None:
        """Forget every track; ids start at 1 again and the counts of ``dropped`` at 0."""
        ...
