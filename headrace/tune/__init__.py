"""Finding the best settings for a model and a clip: what can be set, trials, the search, the configuration written."""

from headrace.tune.search import Goal, Search, Trial
from headrace.tune.settings import Axis, Setting, axes_for
from headrace.tune.trials import Outcome, Trials
from headrace.tune.written import measured_lines, tuned_yaml

__all__ = [
    "Axis",
    "Goal",
    "Outcome",
    "Search",
    "Setting",
    "Trial",
    "Trials",
    "axes_for",
    "measured_lines",
    "tuned_yaml",
]
