"""The common part of all trackers: tracks of all sources in arrays, from their first sighting to their end."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from headrace.meta import Detections
from headrace.track.association import Rows, nearby
from headrace.track.matching import Mask, Recipe, Sides, match
from headrace.track.motion import Array, Kalman, to_corners
from headrace.track.options import TrackerOptions
from headrace.track.overlap import iou
from headrace.track.sieve import Seen, Sieve
from headrace.track.tracker import Sightings, Tracks
from headrace.track.trajectories import Glimpse, Misc, Trajectories

#: Sightings after which a track is well known, and what one frame without a detection leaves of its confidence.
WELL_KNOWN, LESS_SURE = 10, 0.9
#: Sightings that a track's direction is taken over.
STEPS = 3
GROWTH = slice(6, 8)

# Rows of the table of whole numbers; ID is 0 on probation, MISSED the frames since the last detection.
# UID is the track's number among all there ever were, HELD whether it was found in this frame without a detection.
SOURCE, FRAME, ID, CLASS, HITS, MISSED, ROW, UID, HELD = range(9)


class Tracker:
    """Follows the objects of any number of sources, all in one call per batch; used by one thread at a time.

    What a source's tracks become depends only on its own frames: same input, same output, whichever other
    sources are in the batch.

    Detections that are not finite, have no area or are less sure than ``min_detector_confidence`` get no
    track and are counted in `dropped`, as are new objects beyond ``max_targets``.

    Attributes:
        options: Its settings.
        appearance: Whether it looks at `Sightings.embeddings`.
        pixels: Whether it looks at `Sightings.pictures`.

    Example:
        >>> from headrace.track import make_tracker
        >>> tracker = make_tracker("iou", TrackerOptions(probation_age=1))
        >>> [tracker.update(Detections([[x, 0, x + 9, 20]], [0.9])).ids.tolist() for x in (0, 2, 4)]
        [[-1], [1], [1]]
    """

    pixels = False

    def __init__(self, recipe: Recipe, options: TrackerOptions) -> None:
        self.options, self._recipe = options, recipe
        self._kalman = Kalman(recipe.space)
        rows = self._kalman.rows
        self._sighting = slice(rows, rows + 5)  # the last detection: box in centre form, confidence
        self._box, self._confidence = slice(rows, rows + 4), rows + 4
        self._path = slice(rows + 5, rows + 5 + 2 * STEPS)  # centres of sightings before, the latest first
        self.appearance = any(one.blend is not None for one in recipe.rounds)
        self._turns = any(one.direction for one in recipe.rounds)
        self.reset()

    @property
    def dropped(self) -> Mapping[str, int]:
        """How many detections were left out since the start, by reason."""
        return self._sieve.dropped

    @property
    def tracks(self) -> int:
        """How many tracks are followed now, over all sources."""
        return self._info.shape[1]

    def reset(self) -> None:
        """Forget every source and count; ids start at 1 again."""
        self._look = slice(self._path.stop, self._path.stop)  # mean look, of length 1 or, if not known, 0
        self._state, self._info = np.empty((self._look.stop, 0)), np.empty((9, 0), np.int64)
        self._last_id: dict[int, int] = {}
        self._sieve = Sieve(self.options, self.appearance)
        self._known: set[int] = set()
        self._placed: tuple[int, ...] | None = None  # the sources of the batch that FRAME is right for
        self._base: dict[int, int] = {}
        self._frames: dict[int, int] = {}
        self._memory = Trajectories(self.options.trajectory_length) if self.options.remembers else None
        #: What there is to tell of other frames with the latest batch, if the options ask for it.
        self.misc = Misc()
        self._begun, self._holding = 0, False

    def forget(self, source: int, restart_ids: bool = False) -> None:
        """End all tracks of a source.

        Args:
            source: Which.
            restart_ids: Number the source's next track 1; otherwise its ids go on, so that none is ever reused.
        """
        self._known.discard(source)
        self._placed = None
        keep = self._info[SOURCE] != source
        self._state, self._info = self._state[:, keep], self._info[:, keep]
        self._frames.pop(source, None)
        if self._memory is not None:
            self._memory.forget(source)
        if restart_ids:
            self._last_id.pop(source, None)

    def update(self, detections: Detections | None, source: int = 0) -> Tracks:
        """Take the detections of one source's next frame: `follow` for a batch of one."""
        return self.follow(Sightings.of({source: detections}))

    def follow(self, given: Sightings) -> Tracks:
        """Take the detections of the next frame of each of some sources; they are not changed.

        Of a frame that nobody looked at, the objects seen last are reported at their predictions, with row -1,
        and no track grows older. Sources that are not in the batch stand still.

        Returns:
            New arrays that belong to the caller.
        """
        seen = self._sieve.usable(given)
        self._make_room(self._sieve.look_size)
        away = self._stand_aside(given.sources)
        self._kalman.predict(self._state)
        self._move(given)
        info = self._info
        info[ROW] = -1
        info[MISSED] += 1 if given.looked is None else given.looked[info[FRAME]]
        tracks, found = self._match(seen)
        self._prolong(tracks, found, seen)
        if len(tracks) < info.shape[1]:
            self._search(given)
            self._end()
        if len(found) < len(seen.row):
            self._begin(found, seen, given.sources)
        self._give_ids()
        self._learn(given, seen)
        if self._memory is not None:
            self._tell(given)
        out = self._report(len(given))
        if self._holding:
            self._info[HELD], self._holding = 0, False
        if away is not None:
            self._state, self._info = (
                np.concatenate(p, 1) for p in zip(away, (self._state, self._info), strict=True)
            )
        return out

    def _make_room(self, looks: int) -> None:
        """Make rows for looks when the first come."""
        missing = looks - (self._look.stop - self._look.start)
        if missing:
            self._look = slice(self._look.start, self._look.start + looks)
            self._state = np.concatenate((self._state, np.zeros((missing, self._state.shape[1]))))

    def _move(self, given: Sightings) -> None:
        """For subclasses: tracks have been moved on, the detections have not been looked at."""

    def _search(self, given: Sightings) -> None:
        """Some tracks have no detection: those well known are held for a while where they are believed."""
        info = self._info
        if self.options.bridge_age:
            lately = (info[MISSED] > 0) & (info[MISSED] <= self.options.bridge_age)
            self._hold((lately & (info[HITS] >= WELL_KNOWN) & (info[ID] > 0)).nonzero()[0])

    def _hold(self, tracks: Rows) -> None:
        """Report these tracks though they have no detection."""
        if len(tracks):
            self._info[HELD, tracks] = 1
            self._state[self._confidence, tracks] *= LESS_SURE
            self._holding = True

    def _learn(self, given: Sightings, seen: Seen) -> None:
        """For subclasses: all tracks of this batch are there, those that have a detection are where it is."""

    def _stand_aside(self, sources: tuple[int, ...]) -> tuple[Array, NDArray[np.int64]] | None:
        """Set the frame of each track; those whose source is not in the batch are taken out and returned."""
        info = self._info
        if sources == self._placed:
            return None
        self._known.update(sources)
        self._placed = sources
        if len(self._known) == 1 or not info.shape[1]:
            info[FRAME] = 0
            return None
        order = np.argsort(sources)
        known = np.array(sources, np.int64)[order]
        at = np.minimum(known.searchsorted(info[SOURCE]), len(known) - 1) if len(known) else info[SOURCE] * 0
        info[FRAME] = order[at] if len(known) else 0
        here = known[at] == info[SOURCE] if len(known) else np.zeros(len(at), bool)
        if here.all():
            return None
        self._placed = None
        away = self._state[:, ~here], info[:, ~here]
        self._state, self._info = self._state[:, here], info[:, here]
        return away

    def _match(self, seen: Seen) -> tuple[Rows, Rows]:
        info = self._info
        if not info.shape[1] or not len(seen.row):
            return np.empty(0, np.intp), np.empty(0, np.intp)
        strong: Mask = seen.confidence >= self.options.tentative_confidence
        sides = Sides(
            self._kalman.boxes(self._state),
            self._state[self._box],
            self._sieve.blocks(info[FRAME], info[CLASS]),
            self._group,
            seen.table[:4],
            seen.block,
            None if np.count_nonzero(strong) == len(strong) else strong,
            None if seen.looks is None else partial(self._cosine, seen.looks),
            partial(self._turn, seen.table) if self._turns else None,
        )
        return match(self._recipe.rounds, sides)

    def _cosine(self, looks: Array, tracks: Rows, found: Rows) -> Array:
        mine, theirs = self._state[self._look].take(tracks, axis=1), looks.take(found, axis=1)
        cosine: Array = np.einsum("ij,ij->j", mine, theirs)
        cosine[(cosine == 0) & ~(mine.any(0) & theirs.any(0))] = np.nan
        return cosine

    def _turn(self, table: Array, tracks: Rows, found: Rows) -> Array:
        """Angles between the way so far and the way to a detection; a right one for who has not moved."""
        last = self._state[self._box][:2].take(tracks, axis=1)
        way = last - self._state[self._path][-2:].take(tracks, axis=1)
        on = table[:2].take(found, axis=1) - last
        length = np.sqrt(np.square(way).sum(0) * np.square(on).sum(0))
        cosine = (way * on).sum(0) / np.where(length > 0, length, 1)
        angle: Array = np.arccos(np.clip(cosine, -1, 1))
        return angle

    def _group(self, name: str) -> Mask:
        info = self._info
        mask: Mask
        if name in ("recent", "lost"):
            mask = info[MISSED] == 1 if name == "recent" else info[MISSED] > 1
        else:
            mask = info[ID] > 0 if name == "sure" else info[ID] == 0
        return mask

    def _prolong(self, tracks: Rows, found: Rows, seen: Seen) -> None:
        state, info, everyone = self._state, self._info, len(tracks) == self._info.shape[1]
        if everyone:
            # By place, not sorted: NumPy lets go of the interpreter to sort, and of few numbers to no use.
            mine, found = found, np.empty_like(found)
            found[tracks] = mine
        else:
            state, info = state.take(tracks, axis=1), info.take(tracks, axis=1)
        sighting = seen.table.take(found, axis=1)
        self._kalman.correct(state, sighting[:4])
        if self._recipe.renew:
            self._renew(state, info[MISSED], sighting)
        if self._turns:
            path = state[self._path]
            path[2:] = path[:-2].copy()
            path[:2] = state[self._box][:2]
        if seen.looks is not None:
            self._remember(state, seen.looks.take(found, axis=1))
        state[self._sighting] = sighting
        info[HITS] += 1
        info[MISSED] = 0
        info[CLASS] = seen.class_id[found]
        info[ROW] = seen.row[found]
        if not everyone:
            self._state[:, tracks], self._info[:, tracks] = state, info

    def _renew(self, state: Array, missed: NDArray[np.int64], sighting: Array) -> None:
        """Those found again move as from their last sighting to this one (re-update of OC-SORT, in one step)."""
        back = (missed > 1).nonzero()[0]
        if len(back):
            way = sighting[:2, back] - state[self._box][:2, back]
            state[4:6, back] = way / missed[back]

    def _remember(self, state: Array, looks: Array) -> None:
        """Mean looks, the latest counting a tenth (BoT-SORT's weight), kept at length 1."""
        mine = state[self._look]
        known, given = mine.any(0), looks.any(0)
        mine *= np.where(given & known, 0.9, np.where(given, 0.0, 1.0))
        mine += looks * np.where(known, 0.1, 1.0)
        length = np.sqrt(np.square(mine).sum(0))
        mine /= np.where(length > 0, length, 1)

    def _end(self) -> None:
        """Drop the tracks that nobody has seen for too long; the others no longer grow."""
        options, info = self.options, self._info
        if self._recipe.fading < 1:
            self._state[GROWTH] *= np.where(info[MISSED] > 0, self._recipe.fading, 1.0)
        limit = np.where(info[ID] == 0, options.early_termination_age, options.max_shadow_age + 1)
        keep = info[MISSED] < limit
        if np.count_nonzero(keep) < len(keep):
            self._state, self._info = self._state.compress(keep, axis=1), info.compress(keep, axis=1)

    def _begin(self, found: Rows, seen: Seen, sources: tuple[int, ...]) -> None:
        """Start tracks for the detections that nobody claimed."""
        fresh = seen.confidence >= self.options.new_target_confidence
        fresh[found] = False
        rows = self._within_limits(np.flatnonzero(fresh), seen)
        if not len(rows):
            return
        sighting = seen.table.take(rows, axis=1)
        state = self._kalman.start(sighting[:4], self._look.stop)
        state[self._sighting] = sighting
        state[self._path] = np.tile(sighting[:2], (STEPS, 1))
        if seen.looks is not None:
            state[self._look] = seen.looks.take(rows, axis=1)
        info = np.zeros((9, len(rows)), np.int64)
        info[FRAME] = seen.frame[rows]
        info[SOURCE] = np.array(sources, np.int64)[info[FRAME]]
        info[CLASS] = seen.class_id[rows]
        info[HITS] = 1
        info[ROW] = seen.row[rows]
        info[UID] = np.arange(self._begun, self._begun + len(rows))
        self._begun += len(rows)
        self._state = np.concatenate((self._state, state), axis=1)
        self._info = np.concatenate((self._info, info), axis=1)

    def _within_limits(self, fresh: Rows, seen: Seen) -> Rows:
        options, info = self.options, self._info
        if options.max_iou_new_target < 1 and len(fresh):
            present = np.flatnonzero(info[MISSED] == 0)
            boxes, new = self._state[self._box].take(present, axis=1), seen.table[:4].take(fresh, axis=1)
            if len(present):
                first, second = nearby(boxes, info[FRAME, present], new, seen.frame[fresh], 0.0)
                close = iou(boxes.take(first, axis=1), new.take(second, axis=1)) > options.max_iou_new_target
                fresh = np.delete(fresh, second[close])
        if info.shape[1] + len(fresh) <= options.max_targets:
            return fresh
        return self._strongest(fresh, seen)

    def _strongest(self, fresh: Rows, seen: Seen) -> Rows:
        """As many of the new objects as each source has room for."""
        kept: list[int] = []
        room = self.options.max_targets - np.bincount(self._info[FRAME], minlength=int(seen.frame.max()) + 1)
        for row in fresh[np.argsort(-seen.confidence[fresh], kind="stable")].tolist():
            if room[seen.frame[row]] > 0:
                room[seen.frame[row]] -= 1
                kept.append(row)
        self._sieve.drop("too many targets", len(fresh) - len(kept))
        return np.sort(np.array(kept, np.intp))

    def _give_ids(self) -> None:
        """Give ids to the tracks that have passed probation."""
        ids = self._info[ID]
        if np.count_nonzero(ids) == len(ids):
            return
        passed = np.flatnonzero((ids == 0) & (self._info[HITS] > self.options.probation_age))
        for track, source in zip(passed.tolist(), self._info[SOURCE, passed].tolist(), strict=True):
            number = self._last_id[source] = self._last_id.get(source, 0) + 1
            ids[track] = number + self._upper(source)

    def _upper(self, source: int) -> int:
        if not self.options.unique_ids:
            return 0
        return self._base.setdefault(source, secrets.randbits(31) << 32)

    def _tell(self, given: Sightings) -> None:
        """Let the memory take this batch."""
        for number, source in enumerate(given.sources):
            self._frames[source] = (
                given.numbers[number] if given.numbers else self._frames.get(source, -1) + 1
            )
        boxes = self._kalman.boxes(self._state).T.copy()
        boxes[:, :2] -= boxes[:, 2:] / 2
        info = self._info
        rows = zip(
            *(info[row].tolist() for row in (UID, SOURCE, ID, CLASS)),
            (info[MISSED] * (1 - info[HELD])).tolist(),
            boxes.tolist(),
            self._state[self._confidence].tolist(),
            strict=True,
        )
        assert self._memory is not None
        glimpses = [
            Glimpse(uid, source, track_id, class_id, missed, (x, y, w, h), sure)
            for uid, source, track_id, class_id, missed, (x, y, w, h), sure in rows
        ]
        self.misc = self._memory.note({source: self._frames[source] for source in given.sources}, glimpses)

    def _report(self, count: int) -> Tracks:
        state, info, options = self._state, self._info, self.options
        shown = info[ID] > 0
        if not options.output_shadow:
            shown &= (info[MISSED] == 0) | (info[HELD] > 0) if self._holding else info[MISSED] == 0
        if np.count_nonzero(shown) < len(shown):
            state, info = state.compress(shown, axis=1), info.compress(shown, axis=1)
        else:
            info = info.copy()
        if self._holding:
            info[MISSED] *= 1 - info[HELD]
        confidence = state[self._confidence]
        if options.output_shadow:
            confidence = confidence * (1 - info[MISSED] / (options.max_shadow_age + 1))
        # One place more than there are detections: row -1, a track without one, writes there.
        ids = np.full(count + 1, -1, np.int64)
        ids[info[ROW]] = info[ID]
        return Tracks(
            ids[:count], info[ROW], info[ID], to_corners(self._kalman.boxes(state)),
            confidence.astype(np.float32), info[CLASS], info[FRAME], info[MISSED],
        )  # fmt: skip
