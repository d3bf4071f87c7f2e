"""The default: motion and overlap alone, no appearance, no pixels.

Known objects choose first; weak detections may then prolong tracks (ByteTrack, Zhang et al., 2022); only what is
left goes to tracks on probation, so that a false alarm does not take a detection away from somebody known. What
is still lost is looked for where it was last seen, not only where it is predicted (OC-SORT, Cao et al., 2023),
which survives a wrong guess of its speed.

The figures were chosen for five MOT15 sequences and twenty synthetic scenes together; twenty others were held back.
"""

from __future__ import annotations

from headrace.track.following import Tracker
from headrace.track.matching import Recipe, Round
from headrace.track.options import TrackerOptions
from headrace.track.overlap import iou, likeness

#: By which boxes are grown before they are compared, as a share of their size.
MARGIN = 0.3
#: Least IoU with the place where a lost object was seen last.
MIN_RECOVERY = 0.6
FADING = 0.83


def recipe(options: TrackerOptions) -> Recipe:
    """What it is made of."""
    alike = likeness(MARGIN)
    rounds = (
        Round(alike, options.min_iou, "strong", "sure", margin=MARGIN),
        Round(alike, options.min_tentative_iou, "weak", "recent", margin=MARGIN),
        Round(alike, options.min_iou, "strong", "new", margin=MARGIN),
        Round(iou, MIN_RECOVERY, "strong", "sure", where="seen"),
    )
    return Recipe(rounds, fading=FADING)


def build(options: TrackerOptions) -> Tracker:
    """A tracker for any number of sources."""
    return Tracker(recipe(options), options)
