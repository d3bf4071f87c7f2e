"""Rounds of matching: each pairs some of the tracks that are left with some of the detections that are left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headrace.track.association import Blocks, Rows, alike, assign
from headrace.track.motion import XYWH, Array, Space
from headrace.track.overlap import Measure

Mask = NDArray[np.bool_]
Blend = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Round:
    """One round.

    Attributes:
        measure: How alike boxes are.
        minimum: Least score of a match.
        detections: ``strong`` ones, ``weak`` ones (below the tentative confidence) or ``any``.
        tracks: ``any``, those seen in the frame before (``recent``), those with an id (``sure``), those still on
            probation (``new``) or those that were missed before (``lost``).
        where: Compare with the box that is ``predicted``, or with the one that was ``seen`` last.
        margin: By how much boxes are grown at most in ``measure``, to find whom to compare.
        blend: Of the scores and the cosines of the looks of pairs their scores, where looks are known;
            ``None``: looks do not count here.
        direction: Weight of going on in the same direction, added to the score of those who may match.
    """

    measure: Measure
    minimum: float
    detections: Literal["strong", "weak", "any"] = "any"
    tracks: Literal["any", "recent", "sure", "new", "lost"] = "any"
    where: Literal["predicted", "seen"] = "predicted"
    margin: float = 0.0
    blend: Blend | None = None
    direction: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """What a tracker is made of.

    Attributes:
        rounds: How tracks and detections are matched, one round after the other.
        space: State space of the motion model.
        renew: Whether a track that is found again gets the velocity between its last two sightings.
        fading: What is left, each frame, of the growth of a box that is not seen: growing is learnt from few
            pixels, and a box that has swollen while nobody looked matches anything.
    """

    rounds: tuple[Round, ...]
    space: Space = XYWH
    renew: bool = False
    fading: float = 1.0


@dataclass
class Sides:
    """Tracks on one side, detections on the other.

    Attributes:
        predicted: Boxes of the tracks in this frame, centre form.
        seen: Their last sightings.
        block: Of each track the block that it competes in.
        groups: Masks of the tracks by name.
        boxes: Of the detections, centre form.
        box_block: Their blocks.
        strong: Which detections are strong; ``None`` for all.
        looks: Of pairs ``(tracks, detections)`` the cosine of their looks, NaN where one is not known; ``None``
            if none is.
        turn: Of pairs how far a match would turn the track, in radians 0 to pi; ``None`` if nobody asks.
    """

    predicted: Array
    seen: Array
    block: Blocks
    groups: Callable[[str], Mask]
    boxes: Array
    box_block: Blocks
    strong: Mask | None
    looks: Callable[[Rows, Rows], Array] | None = None
    turn: Callable[[Rows, Rows], Array] | None = None


def match(rounds: tuple[Round, ...], sides: Sides) -> tuple[Rows, Rows]:
    """Tracks and the detections that they match, in no order."""
    n, m = sides.predicted.shape[1], sides.boxes.shape[1]
    free, left = np.ones(n, bool), np.ones(m, bool)
    found: list[tuple[Rows, Rows]] = []
    whole = True
    for one in rounds:
        tracks, wanted = _candidates(one, sides, free, left, whole)
        if (tracks is not None and not len(tracks)) or (wanted is not None and not len(wanted)):
            continue
        rows, columns = _play(one, sides, tracks, wanted)
        found.append((rows, columns))
        free[rows] = left[columns] = whole = False
        if not np.count_nonzero(left) or not np.count_nonzero(free):
            break
    if len(found) == 1:
        return found[0]
    if not found:
        return _NOBODY, _NOBODY
    return np.concatenate([rows for rows, _ in found]), np.concatenate([columns for _, columns in found])


def _candidates(
    one: Round, sides: Sides, free: Mask, left: Mask, whole: bool
) -> tuple[Rows | None, Rows | None]:
    """Rows of both sides that take part, ``None`` for all."""
    wanted: Rows | None = None
    if sides.strong is None and one.detections == "weak":
        return None, _NOBODY
    if sides.strong is not None and one.detections != "any":
        wanted = (left & (sides.strong if one.detections == "strong" else ~sides.strong)).nonzero()[0]
    elif not whole:
        wanted = left.nonzero()[0]
    if one.tracks != "any":
        free = free & sides.groups(one.tracks)
    return None if np.count_nonzero(free) == len(free) else free.nonzero()[0], wanted


def _play(one: Round, sides: Sides, tracks: Rows | None, wanted: Rows | None) -> tuple[Rows, Rows]:
    a, block = sides.predicted if one.where == "predicted" else sides.seen, sides.block
    b, box_block = sides.boxes, sides.box_block
    if tracks is not None:
        a, block = a.take(tracks, axis=1), block[tracks]
    if wanted is not None:
        b, box_block = b.take(wanted, axis=1), box_block[wanted]
    first, second, score = alike(a, block, b, box_block, one.margin, one.measure)
    minimum = one.minimum
    if one.blend is not None or one.direction:
        track = first if tracks is None else tracks[first]
        score, minimum = _refined(one, sides, score, track, second if wanted is None else wanted[second])
    rows, columns = assign(first, second, score, minimum, (a.shape[1], b.shape[1]))
    return rows if tracks is None else tracks[rows], columns if wanted is None else wanted[columns]


def _refined(one: Round, sides: Sides, score: Array, tracks: Rows, found: Rows) -> tuple[Array, float]:
    """Scores with looks and direction in them, and the least score then."""
    if one.blend is not None and sides.looks is not None:
        cosine = sides.looks(tracks, found)
        score = np.where(np.isnan(cosine), score, one.blend(score, np.nan_to_num(cosine)))
    if not one.direction or sides.turn is None:
        return score, one.minimum
    bonus = (0.5 - sides.turn(tracks, found) / np.pi) * one.direction
    return np.where(score >= one.minimum, score + bonus, 0), max(one.minimum - one.direction / 2, 0)


_NOBODY: Rows = np.empty(0, np.intp)
