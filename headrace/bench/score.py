"""How good detections and tracks are, measured against known truth: arrays in, numbers out.

Truth that nobody can be asked to find (mostly hidden, or only a few pixels large) counts neither way: missing
it is no miss, and finding it is no false alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.meta.boxes import areas, pairwise_iou, shared_areas
from headrace.meta.detections import Detections
from headrace.source.sim import Truth

Array = NDArray[np.float64]

#: Truth less visible than this does not count.
MIN_VISIBILITY = 0.35
#: Truth narrower or lower than this many pixels does not count.
MIN_SIZE = 8.0


@dataclass(frozen=True)
class AveragePrecision:
    """Average precision of each class.

    Attributes:
        per_class: Class id to average precision in 0–1, for the classes that occur in the truth.
    """

    per_class: dict[int, float]

    @property
    def mean(self) -> float:
        """Mean over the classes; NaN when the truth is empty."""
        return float(np.mean(list(self.per_class.values()))) if self.per_class else float("nan")


@dataclass(frozen=True)
class DetectionScore:
    """Hits, false alarms and misses of detections at one confidence threshold."""

    hits: int
    false_alarms: int
    misses: int

    @property
    def precision(self) -> float:
        """Share of the detections that are right; 1 when there are none."""
        found = self.hits + self.false_alarms
        return self.hits / found if found else 1.0

    @property
    def recall(self) -> float:
        """Share of the truth that was found; 1 when there is none."""
        wanted = self.hits + self.misses
        return self.hits / wanted if wanted else 1.0


@dataclass(frozen=True)
class TrackingScore(DetectionScore):
    """A detection score and how often an object's track changed its identity."""

    switches: int

    @property
    def mota(self) -> float:
        """Multiple object tracking accuracy (Bernardin and Stiefelhagen, 2008): 1 is perfect."""
        wanted = self.hits + self.misses
        return 1.0 - (self.misses + self.false_alarms + self.switches) / wanted if wanted else 1.0


def average_precision(
    predictions: Sequence[Detections],
    truths: Sequence[Truth],
    iou: float = 0.5,
    min_visibility: float = MIN_VISIBILITY,
    min_size: float = MIN_SIZE,
) -> AveragePrecision:
    """Area under the precision–recall curve of each class, precision made monotonic (PASCAL VOC 2010).

    Args:
        predictions: Detections of each frame, all confidences.
        truths: Truth of the same frames.
        iou: Overlap from which a detection is right.
        min_visibility: Truth less visible does not count.
        min_size: Truth narrower or lower, in pixels, does not count.

    Raises:
        ValueError: Not as many predictions as truths.
    """
    classes = sorted(
        {int(c) for truth in truths for c in truth.class_id[_counts(truth, min_visibility, min_size)]}
    )
    per_class: dict[int, float] = {}
    for class_id in classes:
        scores: list[Array] = []
        right: list[NDArray[np.bool_]] = []
        wanted = 0
        for found, truth in zip(predictions, truths, strict=True):
            mine, theirs = found[found.class_id == class_id], truth[truth.class_id == class_id]
            judged, misses = _judge(mine, theirs, iou, min_visibility, min_size)
            scores.append(mine.confidence[judged >= 0].astype(float))
            right.append(judged[judged >= 0] > 0)
            wanted += misses + int((judged > 0).sum())
        per_class[class_id] = _area_under_curve(np.concatenate(scores), np.concatenate(right), wanted)
    return AveragePrecision(per_class)


def detection_score(
    predictions: Sequence[Detections],
    truths: Sequence[Truth],
    iou: float = 0.5,
    min_visibility: float = MIN_VISIBILITY,
    min_size: float = MIN_SIZE,
) -> DetectionScore:
    """Count hits, false alarms and misses over all classes; the class must be right.

    Raises:
        ValueError: Not as many predictions as truths.
    """
    hits = alarms = misses = 0
    for found, truth in zip(predictions, truths, strict=True):
        for class_id in {*found.class_id.tolist(), *truth.class_id.tolist()}:
            mine, theirs = found[found.class_id == class_id], truth[truth.class_id == class_id]
            judged, missed = _judge(mine, theirs, iou, min_visibility, min_size)
            hits += int((judged > 0).sum())
            alarms += int((judged == 0).sum())
            misses += missed
    return DetectionScore(hits, alarms, misses)


def identity_switches(
    predictions: Sequence[Detections],
    truths: Sequence[Truth],
    iou: float = 0.5,
    min_visibility: float = MIN_VISIBILITY,
    min_size: float = MIN_SIZE,
) -> TrackingScore:
    """Follow every true object through its frames and count how often its track id changes.

    An object keeps last frame's track while the two still overlap; the rest is matched greedily, the largest
    overlap first, whatever the class. Detections without a track (id -1) are left out.

    Raises:
        ValueError: Not as many predictions as truths.
    """
    hits = alarms = misses = switches = 0
    last: dict[int, int] = {}
    for found, truth in zip(predictions, truths, strict=True):
        tracked = found[found.track_id >= 0]
        counts = _counts(truth, min_visibility, min_size)
        wanted, ignored = truth[counts], truth[~counts]
        overlaps = pairwise_iou(tracked.xyxy, wanted.xyxy)
        kept = overlaps + (tracked.track_id[:, None] == [last.get(int(i), -2) for i in wanted.track_id])
        pairs = greedy_pairs(np.where(overlaps >= iou, kept, 0.0), iou)
        for row, column in pairs:
            track, identity = int(tracked.track_id[row]), int(wanted.track_id[column])
            switches += last.get(identity, track) != track
            last[identity] = track
        free = np.setdiff1d(np.arange(len(tracked)), [row for row, _ in pairs])
        hits += len(pairs)
        misses += len(wanted) - len(pairs)
        alarms += int((~_covered(tracked.xyxy[free], ignored.xyxy)).sum())
    return TrackingScore(hits, alarms, misses, switches)


def greedy_pairs(overlaps: Array, least: float) -> list[tuple[int, int]]:
    """Pair rows with columns, the largest value first, while it is at least ``least``."""
    pairs: list[tuple[int, int]] = []
    rows, columns = np.nonzero(overlaps >= least)
    order = np.argsort(-overlaps[rows, columns], kind="stable")
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in used_rows and column not in used_columns:
            used_rows.add(row)
            used_columns.add(column)
            pairs.append((row, column))
    return pairs


def _judge(
    found: Detections, truth: Truth, iou: float, min_visibility: float, min_size: float
) -> tuple[NDArray[np.int8], int]:
    """For detections of one class: 1 right, 0 wrong, -1 does not count; and how many were missed."""
    counts = _counts(truth, min_visibility, min_size)
    wanted, ignored = truth[counts], truth[~counts]
    overlaps = pairwise_iou(found.xyxy, wanted.xyxy)
    judged = np.where(_covered(found.xyxy, ignored.xyxy), -1, 0).astype(np.int8)
    free = np.ones(len(wanted), bool)
    for row in np.argsort(-found.confidence, kind="stable").tolist():
        if free.any():
            column = int(np.argmax(np.where(free, overlaps[row], -1.0)))
            if overlaps[row, column] >= iou:
                judged[row], free[column] = 1, False
    return judged, int(free.sum())


def _counts(truth: Truth, min_visibility: float, min_size: float) -> NDArray[np.bool_]:
    """Which objects somebody can be asked to find."""
    sides = truth.xyxy[:, 2:] - truth.xyxy[:, :2]
    return np.asarray((truth.visibility >= min_visibility) & (sides.min(axis=1, initial=np.inf) >= min_size))


def _covered(found: NDArray[np.float32], ignored: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which detections lie at least half on something that does not count."""
    shared, area = shared_areas(found, ignored), areas(found)
    return np.asarray((shared / np.maximum(area[:, None], 1e-9)).max(axis=1, initial=0.0) >= 0.5)


def _area_under_curve(scores: Array, right: NDArray[np.bool_], wanted: int) -> float:
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    precision = hits / np.arange(1, len(order) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(hits / wanted, prepend=0.0)
    return float((envelope * steps).sum())
