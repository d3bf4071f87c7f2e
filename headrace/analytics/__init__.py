"""Lines, regions, directions and crowds: what tracked objects do in a picture. Arrays in, results out."""

from headrace.analytics.analyser import Analyser, FrameResult, ObjectResult
from headrace.analytics.config import AnalyticsConfig, StreamRules

__all__ = ["Analyser", "AnalyticsConfig", "FrameResult", "ObjectResult", "StreamRules"]
