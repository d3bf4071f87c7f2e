"""Overlap with the last sighting, no motion at all (IOU tracker, Bochinski et al., 2017): the cheapest.

For high frame rates and good detectors; who moves further than its own size between frames gets a new id.
"""

from __future__ import annotations

from headrace.track.following import Tracker
from headrace.track.matching import Recipe, Round
from headrace.track.options import TrackerOptions
from headrace.track.overlap import iou


def build(options: TrackerOptions) -> Tracker:
    """A tracker for any number of sources."""
    return Tracker(Recipe((Round(iou, options.min_iou, "strong", where="seen"),)), options)
