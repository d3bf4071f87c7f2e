"""OC-SORT (Cao et al., 2023): what was observed counts more than what was estimated.

Matches that keep a track's direction are preferred; who is lost is looked for where it was last seen; and who is
found again gets the velocity that leads from the one sighting to the other, not the one that the filter drifted to.
"""

from __future__ import annotations

from headrace.track.following import Tracker
from headrace.track.matching import Recipe, Round
from headrace.track.motion import XYSR
from headrace.track.options import TrackerOptions
from headrace.track.overlap import iou

#: Weight of the direction: enough to decide between equals.
DIRECTION = 0.05


def build(options: TrackerOptions) -> Tracker:
    """A tracker for any number of sources."""
    rounds = (
        Round(iou, options.min_iou, "strong", direction=DIRECTION),
        Round(iou, options.min_tentative_iou, "weak", "recent"),
        Round(iou, options.min_iou, "strong", where="seen"),
    )
    return Tracker(Recipe(rounds, XYSR, renew=True), options)
