"""Two-stage association with observation-centric recovery: motion only, no appearance, no pixels.

Confident detections are matched first, weak ones may then prolong what is left (ByteTrack, Zhang et al.,
2022), and what is still lost is looked for where it was last seen, not only where it is predicted (OC-SORT,
Cao et al., 2023), which survives a wrong guess of its speed.
"""

from __future__ import annotations

from headrace.track.following import Recipe, Tracker
from headrace.track.matching import Round
from headrace.track.options import TrackerOptions
from headrace.track.overlap import iou, likeness

MARGIN = 0.3


def build(options: TrackerOptions) -> Tracker:
    """A tracker for any number of sources."""
    alike = likeness(MARGIN)
    return Tracker(
        Recipe(
            (
                Round(alike, options.min_iou, "strong", margin=MARGIN),
                Round(alike, options.min_tentative_iou, "weak", "recent", margin=MARGIN),
                Round(iou, 0.3, "strong", where="seen"),
            )
        ),
        options,
    )
