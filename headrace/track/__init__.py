"""Tracking: who is who from frame to frame."""

from headrace.track.following import Tracker
from headrace.track.lowlevel import options_from_yaml
from headrace.track.options import TrackerOptions
from headrace.track.registry import make_tracker
from headrace.track.tracker import Sightings, Tracks

__all__ = ["Sightings", "Tracker", "TrackerOptions", "Tracks", "make_tracker", "options_from_yaml"]
