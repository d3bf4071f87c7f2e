"""SORT (Bewley et al., 2016): a Kalman filter on place, area and aspect, and one assignment by IoU."""

from __future__ import annotations

from headrace.track.following import Tracker
from headrace.track.matching import Recipe, Round
from headrace.track.motion import XYSR
from headrace.track.options import TrackerOptions
from headrace.track.overlap import iou


def build(options: TrackerOptions) -> Tracker:
    """A tracker for any number of sources."""
    return Tracker(Recipe((Round(iou, options.min_iou, "strong"),), XYSR), options)
