"""The nouns of tracking: what a tracker is given for a batch, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.frames import Frame
from headrace.meta import Detections


@dataclass(frozen=True, slots=True)
class Sightings:
    """The detections of a batch, all sources in one; row ``i`` of the arrays is one object.

    Attributes:
        sources: Of each frame the source that it belongs to, no two alike.
        frame: ``(n,)`` intp, the frame of each detection, an index into ``sources``.
        xyxy: ``(n, 4)`` float corners in pixels of the frame.
        confidence: ``(n,)`` float in 0-1.
        class_id: ``(n,)`` int from 0.
        looked: ``(frames,)`` bool, false for a frame that nobody looked at (an inference interval); ``None`` if
            all were.
        embeddings: ``(n, d)`` float32 appearance of each object, or ``None``.
        pictures: The frames themselves, for trackers that look at pixels, or ``None``.
        numbers: Of each frame its number in its source, for what is told of past frames; counted if ``None``.

    Example:
        >>> two = Sightings.of({7: Detections([[0, 0, 9, 9]]), 3: Detections([[1, 1, 5, 5], [2, 2, 8, 8]])})
        >>> two.sources, two.frame.tolist()
        ((7, 3), [0, 1, 1])
    """

    sources: tuple[int, ...]
    frame: NDArray[np.intp]
    xyxy: NDArray[np.floating]
    confidence: NDArray[np.floating]
    class_id: NDArray[np.integer]
    looked: NDArray[np.bool_] | None = None
    embeddings: NDArray[np.float32] | None = None
    pictures: Sequence[Frame] | None = None
    numbers: Sequence[int] | None = None

    @classmethod
    def of(cls, frames: dict[int, Detections | None]) -> Sightings:
        """The detections of one frame of each source; ``None`` where nobody looked."""
        sources = tuple(frames)
        if len(sources) == 1 and (only := frames[sources[0]]) is not None:
            first = np.zeros(len(only), np.intp)
            return cls(sources, first, only.xyxy, only.confidence, only.class_id, None, only.embeddings)
        looked = np.array([found is not None for found in frames.values()], bool)
        found = [Detections.empty() if one is None else one for one in frames.values()]
        return cls(
            sources,
            np.repeat(np.arange(len(found)), [len(one) for one in found]),
            np.concatenate([one.xyxy for one in found]) if found else np.empty((0, 4)),
            np.concatenate([one.confidence for one in found]) if found else np.empty(0),
            np.concatenate([one.class_id for one in found]) if found else np.empty(0, np.int32),
            None if looked.all() else looked,
            _joined([one.embeddings for one in found if len(one)]),
        )

    def __len__(self) -> int:
        return len(self.frame)


def _joined(parts: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known and len(known) == len(parts) else None


@dataclass(frozen=True, slots=True)
class Tracks:
    """The tracked objects of a batch; row ``i`` of every array but ``ids`` is one object.

    Attributes:
        ids: ``(n,)`` int64, for each of the ``n`` detections given the id of its track, or -1.
        row: ``(m,)`` int64, the detection of each object, or -1 for one that is only predicted.
        track_id: ``(m,)`` int64, from 1; no two objects of a source ever share one.
        xyxy: ``(m, 4)`` float32, the tracker's own estimate of the box in pixels, not clipped to the frame.
        confidence: ``(m,)`` float32 in 0-1, how sure the tracker is of the object.
        class_id: ``(m,)`` int64.
        frame: ``(m,)`` int64, the frame of each object, an index into the sources given.
        missed: ``(m,)`` int64, frames since the object was seen last, by the detector or in pixels.

    Example:
        >>> len(Tracks.empty(3)), Tracks.empty(3).ids.tolist()
        (0, [-1, -1, -1])
    """

    ids: NDArray[np.int64]
    row: NDArray[np.int64]
    track_id: NDArray[np.int64]
    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
    frame: NDArray[np.int64]
    missed: NDArray[np.int64]

    @classmethod
    def empty(cls, detections: int = 0) -> Tracks:
        """No tracked object in a batch of that many detections."""
        none = np.empty(0, np.int64)
        boxes, sure = np.empty((0, 4), np.float32), np.empty(0, np.float32)
        return cls(np.full(detections, -1, np.int64), none, none, boxes, sure, none, none, none)

    def __len__(self) -> int:
        return len(self.track_id)

    def of(self, which: NDArray[np.bool_]) -> Tracks:
        """Some of the objects, copied; ``ids`` stays that of the whole batch."""
        rows = which.nonzero()[0]  # choosing by number is quicker than by mask
        return Tracks(
            self.ids, self.row[rows], self.track_id[rows], self.xyxy[rows], self.confidence[rows],
            self.class_id[rows], self.frame[rows], self.missed[rows],
        )  # fmt: skip
