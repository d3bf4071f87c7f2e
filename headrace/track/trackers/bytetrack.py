"""ByteTrack (Zhang et al., 2022): weak detections are not thrown away, they may prolong what is left."""

from __future__ import annotations

from headrace.track.following import Tracker
from headrace.track.matching import Recipe, Round
from headrace.track.motion import XYAH
from headrace.track.options import TrackerOptions
from headrace.track.overlap import iou

#: Least IoU of weak detections, and with tracks on probation, as in the paper's program.
MIN_WEAK, MIN_NEW = 0.5, 0.3


def build(options: TrackerOptions) -> Tracker:
    """A tracker for any number of sources."""
    rounds = (
        Round(iou, options.min_iou, "strong", "sure"),
        Round(iou, max(MIN_WEAK, options.min_tentative_iou), "weak", "recent"),
        Round(iou, max(MIN_NEW, options.min_iou), "strong", "new"),
    )
    return Tracker(Recipe(rounds, XYAH), options)
