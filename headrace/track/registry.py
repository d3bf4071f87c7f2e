"""Make a tracker by name; each tracker is one file in `headrace.track.trackers`."""

from __future__ import annotations

from headrace import discovery
from headrace.errors import ConfigError
from headrace.track.following import Tracker
from headrace.track.options import TrackerOptions

PACKAGE = "headrace.track.trackers"
DEFAULT = "cascade"


def trackers() -> tuple[str, ...]:
    """Names of the trackers there are."""
    return discovery.available(PACKAGE)


def make_tracker(name: str = DEFAULT, options: TrackerOptions | None = None) -> Tracker:
    """A new tracker, for any number of sources.

    Args:
        name: One of `trackers`.
        options: Settings; the defaults when left out.

    Raises:
        ConfigError: There is no such tracker, or a library that it needs is missing.

    Example:
        >>> from headrace.meta import Detections
        >>> tracker = make_tracker("cascade", TrackerOptions(probation_age=0))
        >>> tracker.update(Detections([[10, 20, 50, 80]], confidence=[0.9])).ids.tolist()
        [1]
    """
    module = discovery.load(PACKAGE, name, "tracker", ConfigError)
    tracker: Tracker = module.build(options or TrackerOptions())
    return tracker
