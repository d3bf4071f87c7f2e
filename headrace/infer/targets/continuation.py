"""Objects of frames that no model looked at, from those of the frames before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headrace.infer.result import Result
from headrace.meta.boxes import pairwise_iou
from headrace.meta.detections import Detections

SkippedFrames = Literal["empty", "hold", "predict"]
SKIPPED_FRAMES: tuple[SkippedFrames, ...] = ("empty", "hold", "predict")
#: Overlap (intersection over union) from which on two boxes of one class are taken for the same object.
_SAME = 0.3


@dataclass(slots=True)
class _Last:
    number: int
    objects: Result
    found: Detections
    velocity: NDArray[np.float32]  # pixels per frame of each box's sides


class Continuation:
    """Remembers the last objects of each source and says where they are in frames that were skipped.

    Frames come in order; used by one thread.

    Args:
        predict: Move boxes on as between the last two frames that were looked at; otherwise they stay. The same object
            has the same track id in both, or, where the model gives none, the box of its class that overlaps it most.

    Example:
        >>> last = Continuation(predict=True)
        >>> for number, left in ((0, 10), (2, 14)):
        ...     last.note(0, number, Result(Detections([[left, 0, left + 20, 20]]), ("car",)))
        >>> last.at(0, 3, (64, 48)).detections.xyxy.tolist()
        [[16.0, 0.0, 36.0, 20.0]]
    """

    def __init__(self, predict: bool = False) -> None:
        self._predict = predict
        self._sources: dict[int, _Last] = {}

    def note(self, source: int, number: int, result: Result) -> None:
        """What a model found in frame ``number`` of a source; what it says beside objects is not kept."""
        found = result.detections
        if found is None:
            return
        last = self._sources.get(source)
        velocity = np.zeros_like(found.xyxy)
        if self._predict and last is not None and number > last.number:
            now, before = _matches(found, last.found)
            velocity[now] = (found.xyxy[now] - last.found.xyxy[before]) / (number - last.number)
        self._sources[source] = _Last(number, result.objects, found, velocity)

    def at(self, source: int, number: int, size: tuple[int, int], moving: bool = True) -> Result | None:
        """The objects in a later frame; ``None`` where nothing is known of the source before it.

        Args:
            source: Number of the source.
            number: Number of the frame.
            size: Width and height of the frame; objects that move are cut at its edges, and go with the last pixel.
            moving: Whether the picture may have changed since.
        """
        last = self._sources.get(source)
        if last is None or number < last.number:  # after a seek
            return None
        if not moving or not self._predict:
            return last.objects
        found, shift = last.found, last.velocity * (number - last.number)
        moved = replace(found, xyxy=found.xyxy + shift)
        if found.keypoints is not None:
            moved.keypoints = found.keypoints.copy()
            moved.keypoints[..., :2] += ((shift[:, :2] + shift[:, 2:]) / 2)[:, None]
        return replace(last.objects, detections=_cut(moved, size))

    def forget(self, source: int) -> None:
        """A source has gone."""
        self._sources.pop(source, None)


def _cut(found: Detections, size: tuple[int, int]) -> Detections:
    """Upright boxes cut at the edges of a frame of ``(width, height)``; what has left the frame is left out."""
    limit = np.array(size * 2, np.float32)
    cut = np.clip(found.xyxy, 0, limit)
    rows = np.flatnonzero((cut[:, 2:] > cut[:, :2]).all(axis=1))
    return found[rows] if found.rotation is not None else replace(found, xyxy=cut)[rows]


def _matches(now: Detections, before: Detections) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the same objects in both: each is the other's best."""
    if not len(now) or not len(before):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    likeness = np.where(now.class_id[:, None] == before.class_id, pairwise_iou(now.xyxy, before.xyxy), 0.0)
    likeness[likeness < _SAME] = 0.0
    tracked = (now.track_id[:, None] >= 0) | (before.track_id >= 0)
    likeness = np.where(tracked, now.track_id[:, None] == before.track_id, likeness)
    best, rows = likeness.argmax(axis=1), np.arange(len(now))
    same = (likeness.argmax(axis=0)[best] == rows) & (likeness[rows, best] > 0)
    return rows[same], best[same]
