"""Follows objects in pixels where the detector is silent: correlation filters, in the spirit of NvDCF.

Matching is that of the default. Who has no detection is looked for around the predicted place; while the filter is
sure (``min_tracker_confidence``) the object is reported, with row -1. So identities hold through missed detections, and
the detector may run on every n-th frame only. Without the frames this is the default tracker.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.frames import Frame
from headrace.track.camera import luma
from headrace.track.correlation import Filters, spectra
from headrace.track.following import FRAME, ID, ROW, UID, Tracker
from headrace.track.motion import Array
from headrace.track.options import TrackerOptions
from headrace.track.sieve import Seen
from headrace.track.tracker import Sightings, Tracks
from headrace.track.trackers.cascade import recipe

#: Longest side that is looked at, in pixels.
SIDE = 960
#: A place found in pixels is this much less sure than a detection.
DOUBT = 0.5


class DcfTracker(Tracker):
    """`Tracker` with a correlation filter for each track; see the module."""

    pixels = True

    def reset(self) -> None:
        """Forget every source and count; ids start at 1 again."""
        super().reset()
        self._filters = Filters()

    def _move(self, given: Sightings) -> None:
        self._pictures = [_small(one) for one in given.pictures or ()]

    def _search(self, given: Sightings) -> None:
        info = self._info
        if not self._pictures:
            super()._search(given)
        for number, (picture, shrink) in enumerate(self._pictures):
            lost = (info[FRAME] == number) & (info[ROW] < 0) & (info[ID] > 0)
            tracks = np.array(
                [track for track in lost.nonzero()[0].tolist() if info[UID, track] in self._filters], int
            )
            if len(tracks):
                self._find(tracks, picture, shrink)

    def _find(self, tracks: NDArray[np.int64], picture: NDArray[np.uint8], shrink: float) -> None:
        """Move those who are found to where they are found."""
        boxes = self._kalman.boxes(self._state).take(tracks, axis=1)
        shift, sure = self._filters.find(self._info[UID, tracks].tolist(), spectra(picture, boxes / shrink))
        boxes[:2] += shift.T * boxes[2:]
        edge = np.array(picture.shape[::-1])[:, None] * shrink
        inside = ((boxes[:2] > 0) & (boxes[:2] < edge)).all(0)
        held = (inside & (sure >= self.options.min_tracker_confidence)).nonzero()[0]
        tracks, boxes = tracks[held], boxes[:, held]
        state = self._state[:, tracks]
        self._kalman.correct(state, boxes, np.full(len(held), DOUBT))
        state[self._confidence] = sure[held]
        self._state[:, tracks] = state
        self._hold(tracks)

    def _learn(self, given: Sightings, seen: Seen) -> None:
        info = self._info
        for number, (picture, shrink) in enumerate(self._pictures):
            tracks = ((info[FRAME] == number) & (info[ROW] >= 0)).nonzero()[0]
            if len(tracks):
                boxes: Array = self._state[self._box].take(tracks, axis=1) / shrink
                self._filters.learn(info[UID, tracks].tolist(), spectra(picture, boxes))
        self._pictures = []

    def follow(self, given: Sightings) -> Tracks:
        """See `Tracker.follow`."""
        out = super().follow(given)
        self._filters.keep(set(self._info[UID].tolist()))
        return out


def _small(frame: Frame) -> tuple[NDArray[np.uint8], float]:
    """Brightness of a frame, no larger than `SIDE`, and by how much it was shrunk."""
    picture = luma(frame)
    shrink = max(1.0, max(picture.shape) / SIDE)
    if shrink > 1:
        size = (round(picture.shape[1] / shrink), round(picture.shape[0] / shrink))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(picture), shrink


def build(options: TrackerOptions) -> DcfTracker:
    """A tracker for any number of sources."""
    return DcfTracker(recipe(options), options)
