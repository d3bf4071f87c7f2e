"""Lines, zones, directions, crowds, queues, speed: what tracked objects do in a picture. Arrays in, results out."""

from headrace.analytics.analyser import Analyser, FrameResult, ObjectResult
from headrace.analytics.analysis import Analysis, Seen
from headrace.analytics.config import AnalyticsConfig, StreamRules
from headrace.analytics.moment import Moment
from headrace.analytics.settings import AnalyticsSettings, is_settings, load_settings
from headrace.analytics.source import SourceAnalysis

__all__ = [
    "Analyser",
    "Analysis",
    "AnalyticsConfig",
    "AnalyticsSettings",
    "FrameResult",
    "Moment",
    "ObjectResult",
    "Seen",
    "SourceAnalysis",
    "StreamRules",
    "is_settings",
    "load_settings",
]
