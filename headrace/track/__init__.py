"""Tracking: who is who from frame to frame."""

from headrace.track.following import Tracker
from headrace.track.lowlevel import read_configuration, tracker_for
from headrace.track.options import TrackerOptions
from headrace.track.registry import make_tracker
from headrace.track.tracker import Sightings, Tracks

__all__ = [
    "Sightings",
    "Tracker",
    "TrackerOptions",
    "Tracks",
    "make_tracker",
    "read_configuration",
    "tracker_for",
]
