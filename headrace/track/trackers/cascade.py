"""Two-stage association with observation-centric recovery: motion only, no appearance, no pixels.

Confident detections are matched first, weak ones may then prolong what is left (ByteTrack, Zhang et al.,
2022), and what is still lost is looked for where it was last seen, not only where it is predicted (OC-SORT,
Cao et al., 2023), which survives a wrong guess of its speed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.meta import Detections
from headrace.track import motion
from headrace.track.association import Array, Rows, assign, iou, likeness
from headrace.track.options import TrackerOptions
from headrace.track.tracker import Tracks

MARGIN = 0.3  # by which boxes are grown before they are compared, as a share of their size
MIN_RECOVERY_IOU = 0.3

# Columns of the two tables that hold every track, one row each.
SEEN = slice(motion.COLUMNS, motion.COLUMNS + 4)  # the last detection, centre form
CONFIDENCE = motion.COLUMNS + 4
COLUMNS = motion.COLUMNS + 5
ID, CLASS, HITS, MISSED, ROW = range(5)  # ID is 0 on probation, MISSED the frames since the last detection


class _Seen(NamedTuple):
    """The usable detections of a frame; ``row`` is where each was in the input."""

    row: Rows
    xyxy: Array
    confidence: Array
    class_id: NDArray[np.int32]


class CascadeTracker:
    """Tracks by motion and overlap; see the module for the method and `Tracker` for the contract.

    Detections that are not finite, have no area or are less sure than ``min_detector_confidence`` get no
    track and are counted in `dropped`, as are new objects beyond ``max_targets``.

    Example:
        >>> tracker = CascadeTracker(TrackerOptions(probation_age=1))
        >>> [tracker.update(Detections([[x, 0, x + 9, 20]], [0.9])).ids.tolist() for x in (0, 2, 4)]
        [[-1], [1], [1]]
    """

    def __init__(self, options: TrackerOptions) -> None:
        self._options = options
        self.reset()

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many detections were left out since the start, by reason."""
        return self._dropped

    def reset(self) -> None:
        """Forget every track and count; ids start at 1 again."""
        self._state = np.empty((0, COLUMNS))
        self._info = np.empty((0, 5), np.int64)
        self._last_id = 0
        self._dropped: dict[str, int] = {}

    def update(self, detections: Detections | None) -> Tracks:
        """Take the next frame's detections (``None``: nobody looked) and tell the track of each."""
        motion.predict(self._state)
        self._info[:, ROW] = -1
        if detections is None:
            return self._report(0)
        seen = self._usable(detections)
        self._info[:, MISSED] += 1
        tracks, found = self._match(seen)
        self._prolong(tracks, found, seen)
        free = np.ones(len(seen.row), bool)
        free[found] = False
        self._end()
        self._begin(free, seen)
        return self._report(len(detections))

    def _usable(self, detections: Detections) -> _Seen:
        xyxy = detections.xyxy.astype(np.float64)
        confidence = detections.confidence.astype(np.float64)
        finite = np.isfinite(xyxy).all(1) & np.isfinite(confidence)
        area = (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
        sure = confidence >= self._options.min_detector_confidence
        good = finite & area & sure
        row = np.flatnonzero(good)
        if len(row) < len(good):
            self._drop("not finite", int((~finite).sum()))
            self._drop("no area", int((finite & ~area).sum()))
            self._drop("low confidence", int((finite & area & ~sure).sum()))
        return _Seen(row, xyxy[row], confidence[row], detections.class_id[row])

    def _drop(self, reason: str, count: int) -> None:
        if count:
            self._dropped[reason] = self._dropped.get(reason, 0) + count

    def _match(self, seen: _Seen) -> tuple[Rows, Rows]:
        """Tracks and the detections they match, three rounds of who is left."""
        options, info = self._options, self._info
        if not len(info) or not len(seen.row):
            return np.empty(0, np.intp), np.empty(0, np.intp)
        score = likeness(motion.to_corners(self._state[:, motion.POSITION]), seen.xyxy, MARGIN)
        self._forbid(score, info[:, CLASS], seen.class_id)
        strong = seen.confidence >= options.tentative_confidence
        pairs = _Pairs(len(info), len(seen.row))
        everyone, confident = np.arange(len(info)), np.flatnonzero(strong)
        pairs.add(everyone, confident, score[:, confident], options.min_iou)

        recent, weak = np.flatnonzero(pairs.free_tracks & (info[:, MISSED] == 1)), np.flatnonzero(~strong)
        if len(recent) and len(weak):
            pairs.add(recent, weak, score[recent[:, None], weak], options.min_tentative_iou)

        lost, left = np.flatnonzero(pairs.free_tracks), np.flatnonzero(pairs.free_detections & strong)
        if len(lost) and len(left):
            score = iou(motion.to_corners(self._state[lost, SEEN]), seen.xyxy[left])
            self._forbid(score, info[lost, CLASS], seen.class_id[left])
            pairs.add(lost, left, score, MIN_RECOVERY_IOU)
        return np.concatenate(pairs.tracks), np.concatenate(pairs.detections)

    def _forbid(self, score: Array, tracks: NDArray[np.int64], detections: NDArray[np.int32]) -> None:
        if self._options.check_class:
            score[tracks[:, None] != detections] = 0

    def _prolong(self, tracks: Rows, found: Rows, seen: _Seen) -> None:
        if not len(tracks):
            return
        boxes = motion.to_centre(seen.xyxy[found])
        state, info = self._state[tracks], self._info[tracks]
        motion.correct(state, boxes)
        state[:, SEEN] = boxes
        state[:, CONFIDENCE] = seen.confidence[found]
        info[:, CLASS] = seen.class_id[found]
        info[:, HITS] += 1
        info[:, MISSED] = 0
        info[:, ROW] = seen.row[found]
        self._state[tracks], self._info[tracks] = state, info

    def _end(self) -> None:
        missed = self._info[:, MISSED]
        trial = self._info[:, ID] == 0
        options = self._options
        limit = np.where(trial, options.early_termination_age, options.max_shadow_age + 1)
        keep = missed < limit
        if not keep.all():
            self._state, self._info = self._state[keep], self._info[keep]

    def _begin(self, free: NDArray[np.bool_], seen: _Seen) -> None:
        """Start tracks for detections that nobody claimed, and give ids to those that passed probation."""
        fresh = np.flatnonzero(free & (seen.confidence >= self._options.new_target_confidence))
        if len(fresh):
            fresh = self._within_limits(fresh, seen)
            boxes = motion.to_centre(seen.xyxy[fresh])
            state = motion.start(boxes, COLUMNS)
            state[:, SEEN] = boxes
            state[:, CONFIDENCE] = seen.confidence[fresh]
            info = np.zeros((len(fresh), 5), np.int64)
            info[:, CLASS] = seen.class_id[fresh]
            info[:, HITS] = 1
            info[:, ROW] = seen.row[fresh]
            self._state = np.concatenate((self._state, state))
            self._info = np.concatenate((self._info, info))
        passed = np.flatnonzero(
            (self._info[:, ID] == 0) & (self._info[:, HITS] > self._options.probation_age)
        )
        self._info[passed, ID] = np.arange(1, len(passed) + 1) + self._last_id
        self._last_id += len(passed)

    def _within_limits(self, fresh: Rows, seen: _Seen) -> Rows:
        options = self._options
        present = self._state[self._info[:, MISSED] == 0]
        if options.max_iou_new_target < 1 and len(present):
            overlap = iou(seen.xyxy[fresh], motion.to_corners(present[:, motion.POSITION])).max(1)
            fresh = fresh[overlap <= options.max_iou_new_target]
        room = max(options.max_targets - len(self._info), 0)
        if len(fresh) > room:
            self._drop("too many targets", len(fresh) - room)
            fresh = np.sort(fresh[np.argsort(-seen.confidence[fresh], kind="stable")[:room]])
        return fresh

    def _report(self, count: int) -> Tracks:
        known, missed = self._info[:, ID] > 0, self._info[:, MISSED]
        shown = np.flatnonzero(known if self._options.output_shadow else known & (missed == 0))
        state, info = self._state[shown], self._info[shown]
        ids = np.full(count, -1, np.int64)
        matched = info[:, ROW] >= 0
        ids[info[matched, ROW]] = info[matched, ID]
        trust = state[:, CONFIDENCE] * (1 - info[:, MISSED] / (self._options.max_shadow_age + 1))
        return Tracks(
            ids=ids,
            row=info[:, ROW].copy(),
            track_id=info[:, ID].copy(),
            xyxy=motion.to_corners(state[:, motion.POSITION]).astype(np.float32),
            confidence=trust.astype(np.float32),
            class_id=info[:, CLASS].astype(np.int32),
        )


class _Pairs:
    """Matches found so far, and who is left."""

    def __init__(self, tracks: int, detections: int) -> None:
        self.free_tracks = np.ones(tracks, bool)
        self.free_detections = np.ones(detections, bool)
        self.tracks: list[Rows] = []
        self.detections: list[Rows] = []

    def add(self, tracks: Rows, detections: Rows, score: Array, minimum: float) -> None:
        """Match the given tracks with the given detections by ``score`` (one row per track)."""
        rows, columns = assign(score, minimum)
        self.tracks.append(tracks[rows])
        self.detections.append(detections[columns])
        self.free_tracks[self.tracks[-1]] = False
        self.free_detections[self.detections[-1]] = False


def build(options: TrackerOptions) -> CascadeTracker:
    """A tracker for one source."""
    return CascadeTracker(options)
