"""Questions to vision-language models: when to ask, with which pictures, whom, and what came back."""

from headrace.vlm.asker import Asker, AskerCounts
from headrace.vlm.config import Question, SegmentConfig, VlmConfig, load_config
from headrace.vlm.model import ServerError, VisionLanguageModel, VlmRequest
from headrace.vlm.result import VlmResult
from headrace.vlm.rules import Rule
from headrace.vlm.watcher import SourceWatcher

__all__ = [
    "Asker",
    "AskerCounts",
    "Question",
    "Rule",
    "SegmentConfig",
    "ServerError",
    "SourceWatcher",
    "VisionLanguageModel",
    "VlmConfig",
    "VlmRequest",
    "VlmResult",
    "load_config",
]
