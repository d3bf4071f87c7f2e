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
SOME = np.nextafter(0.0, 1.0)  # the least that is more than nothing

# Rows of the two tables that hold every track, one column each.
SIGHTING = slice(motion.ROWS, motion.ROWS + 5)  # the last detection: box in centre form, confidence
SEEN = slice(motion.ROWS, motion.ROWS + 4)
CONFIDENCE = motion.ROWS + 4
ROWS = motion.ROWS + 5
ID, CLASS, HITS, MISSED, ROW = range(5)  # ID is 0 on probation, MISSED the frames since the last detection


class _Seen(NamedTuple):
    """The usable detections of a frame.

    ``row`` is where each was in the input; ``table`` has their boxes in centre form and, last, their confidence.
    """

    row: Rows
    table: Array
    class_id: NDArray[np.int32]

    @property
    def confidence(self) -> Array:
        confidence: Array = self.table[4]
        return confidence


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
        # Least width, height and confidence of a usable detection.
        self._least = np.array([[SOME], [SOME], [options.min_detector_confidence]])
        self.reset()

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many detections were left out since the start, by reason."""
        return self._dropped

    def reset(self) -> None:
        """Forget every track and count; ids start at 1 again."""
        self._state = np.empty((ROWS, 0))
        self._info = np.empty((5, 0), np.int64)
        self._last_id = 0
        self._dropped: dict[str, int] = {}

    def update(self, detections: Detections | None) -> Tracks:
        """Take the next frame's detections (``None``: nobody looked) and tell the track of each."""
        motion.predict(self._state)
        self._info[ROW] = -1
        if detections is None:
            return self._report(0)
        seen = self._usable(detections)
        self._info[MISSED] += 1
        tracks, found = self._match(seen)
        self._prolong(tracks, found, seen)
        if len(tracks) < self._info.shape[1]:
            self._end()
        if len(found) < len(seen.row):
            self._begin(found, seen)
        self._give_ids()
        return self._report(len(detections))

    def _usable(self, detections: Detections) -> _Seen:
        with np.errstate(invalid="ignore"):
            table = motion.to_centre(detections.xyxy, rows=5)
        table[4] = detections.confidence
        sizes = table[2:]
        # Corners that are not finite make a size that is not.
        good = (sizes >= self._least) & (sizes < np.inf)
        if good.all():
            return _Seen(np.arange(len(detections)), table, detections.class_id)
        return self._sort_out(detections, table)

    def _sort_out(self, detections: Detections, table: Array) -> _Seen:
        """Count the detections that are of no use and leave them out."""
        finite = np.isfinite(detections.xyxy).all(1) & np.isfinite(table[4])
        area = (table[motion.SIZE] > 0).all(0)
        sure = table[4] >= self._options.min_detector_confidence
        row = np.flatnonzero(finite & area & sure)
        self._drop("not finite", int((~finite).sum()))
        self._drop("no area", int((finite & ~area).sum()))
        self._drop("low confidence", int((finite & area & ~sure).sum()))
        return _Seen(row, table[:, row], detections.class_id[row])

    def _drop(self, reason: str, count: int) -> None:
        if count:
            self._dropped[reason] = self._dropped.get(reason, 0) + count

    def _match(self, seen: _Seen) -> tuple[Rows, Rows]:
        """Tracks, ascending, and the detections they match: three rounds of who is left."""
        score = likeness(self._state[motion.POSITION], seen.table, MARGIN)
        self._forbid(score, self._info[CLASS], seen.class_id)
        strong = seen.confidence >= self._options.tentative_confidence
        if strong.all():
            tracks, found = assign(score, self._options.min_iou)
        else:
            confident = strong.nonzero()[0]
            tracks, found = assign(score[:, confident], self._options.min_iou)
            found = confident[found]
        if len(tracks) == score.shape[0] or len(found) == score.shape[1]:
            return tracks, found
        return self._match_rest(seen, score, strong, tracks, found)

    def _match_rest(
        self, seen: _Seen, score: Array, strong: NDArray[np.bool_], tracks: Rows, found: Rows
    ) -> tuple[Rows, Rows]:
        """The second round, for weak detections, and the third, for tracks that went elsewhere."""
        info, pairs = self._info, _Pairs(*score.shape)
        pairs.add(tracks, found)
        recent, weak = np.flatnonzero(pairs.free_tracks & (info[MISSED] == 1)), np.flatnonzero(~strong)
        if len(recent) and len(weak):
            rows, columns = assign(score[recent[:, None], weak], self._options.min_tentative_iou)
            pairs.add(recent[rows], weak[columns])
        lost, left = np.flatnonzero(pairs.free_tracks), np.flatnonzero(pairs.free_detections & strong)
        if len(lost) and len(left):
            score = iou(self._state[SEEN].take(lost, axis=1), seen.table.take(left, axis=1))
            self._forbid(score, info[CLASS, lost], seen.class_id[left])
            rows, columns = assign(score, MIN_RECOVERY_IOU)
            pairs.add(lost[rows], left[columns])
        return pairs.in_order()

    def _forbid(self, score: Array, tracks: NDArray[np.int64], detections: NDArray[np.int32]) -> None:
        if self._options.check_class:
            score *= tracks[:, None] == detections

    def _prolong(self, tracks: Rows, found: Rows, seen: _Seen) -> None:
        everyone = len(tracks) == self._info.shape[1]
        state = self._state if everyone else self._state.take(tracks, axis=1)
        info = self._info if everyone else self._info.take(tracks, axis=1)
        sighting = seen.table.take(found, axis=1)
        motion.correct(state, sighting[:4])
        state[SIGHTING] = sighting
        info[CLASS] = seen.class_id[found]
        info[HITS] += 1
        info[MISSED] = 0
        info[ROW] = seen.row[found]
        if not everyone:
            self._state[:, tracks], self._info[:, tracks] = state, info

    def _end(self) -> None:
        """Drop the tracks that nobody has seen for too long."""
        options = self._options
        on_trial = self._info[ID] == 0
        limit = np.where(on_trial, options.early_termination_age, options.max_shadow_age + 1)
        keep = self._info[MISSED] < limit
        if not keep.all():
            self._state, self._info = self._state[:, keep], self._info[:, keep]

    def _begin(self, found: Rows, seen: _Seen) -> None:
        """Start tracks for the detections that nobody claimed."""
        fresh = seen.confidence >= self._options.new_target_confidence
        fresh[found] = False
        rows = self._within_limits(np.flatnonzero(fresh), seen)
        if not len(rows):
            return
        sighting = seen.table.take(rows, axis=1)
        state = motion.start(sighting[:4], ROWS)
        state[SIGHTING] = sighting
        info = np.zeros((5, len(rows)), np.int64)
        info[CLASS] = seen.class_id[rows]
        info[HITS] = 1
        info[ROW] = seen.row[rows]
        self._state = np.concatenate((self._state, state), axis=1)
        self._info = np.concatenate((self._info, info), axis=1)

    def _give_ids(self) -> None:
        """Give ids to the tracks that have passed probation."""
        ids = self._info[ID]
        if ids.all():
            return
        passed = np.flatnonzero((ids == 0) & (self._info[HITS] > self._options.probation_age))
        ids[passed] = np.arange(1, len(passed) + 1) + self._last_id
        self._last_id += len(passed)

    def _within_limits(self, fresh: Rows, seen: _Seen) -> Rows:
        options = self._options
        present = self._state[motion.POSITION, self._info[MISSED] == 0]
        if options.max_iou_new_target < 1 and present.size and len(fresh):
            overlap = iou(seen.table[:, fresh], present).max(1)
            fresh = fresh[overlap <= options.max_iou_new_target]
        room = max(options.max_targets - self._info.shape[1], 0)
        if len(fresh) > room:
            self._drop("too many targets", len(fresh) - room)
            fresh = np.sort(fresh[np.argsort(-seen.confidence[fresh], kind="stable")[:room]])
        return fresh

    def _report(self, count: int) -> Tracks:
        state, info, options = self._state, self._info, self._options
        shown = info[ID] > 0
        if not options.output_shadow:
            shown &= info[MISSED] == 0
        if not shown.all():
            state, info = state[:, shown], info[:, shown]
        confidence = state[CONFIDENCE]
        if options.output_shadow:
            confidence = confidence * (1 - info[MISSED] / (options.max_shadow_age + 1))
        row, track_id = info[ROW].copy(), info[ID].copy()
        # One place more than there are detections: row -1, a track without one, writes there.
        ids = np.full(count + 1, -1, np.int64)
        ids[row] = track_id
        return Tracks(
            ids=ids[:count],
            row=row,
            track_id=track_id,
            xyxy=motion.to_corners(state[motion.POSITION]),
            confidence=confidence.astype(np.float32),
            class_id=info[CLASS].astype(np.int32),
        )


class _Pairs:
    """Matches found so far, and who is left."""

    def __init__(self, tracks: int, detections: int) -> None:
        self.free_tracks = np.ones(tracks, bool)
        self.free_detections = np.ones(detections, bool)
        self._tracks: list[Rows] = []
        self._detections: list[Rows] = []

    def add(self, tracks: Rows, detections: Rows) -> None:
        """Note matches."""
        self._tracks.append(tracks)
        self._detections.append(detections)
        self.free_tracks[tracks] = False
        self.free_detections[detections] = False

    def in_order(self) -> tuple[Rows, Rows]:
        """All matches, tracks ascending."""
        tracks, detections = np.concatenate(self._tracks), np.concatenate(self._detections)
        order = tracks.argsort()
        return tracks[order], detections[order]


def build(options: TrackerOptions) -> CascadeTracker:
    """A tracker for one source."""
    return CascadeTracker(options)
