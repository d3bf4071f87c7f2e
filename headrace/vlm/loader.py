"""The model that a configuration names."""

from __future__ import annotations

import inspect
from pathlib import Path

from headrace.errors import ModelError
from headrace.usercode import load_name
from headrace.vlm.client import OpenAiModel
from headrace.vlm.config import VlmConfig
from headrace.vlm.model import VisionLanguageModel


def load_model(config: VlmConfig, base: Path | None = None) -> VisionLanguageModel:
    """A model ready to answer: a server where there is a ``base-url``, otherwise a class of the user's.

    Args:
        config: Names it.
        base: Folder that the file of a class is relative to; ``None``: the working directory.

    Raises:
        ConfigError: The server's key is missing.
        ModelError: There is no such class, it is none, or it cannot be loaded.
    """
    if config.base_url:
        return OpenAiModel(config)
    kind = load_name(config.model, base, "model")
    if not (inspect.isclass(kind) and issubclass(kind, VisionLanguageModel)):
        raise ModelError(
            f"model {config.model} must be a class derived from headrace.vlm.VisionLanguageModel; for a server set "
            "base-url too"
        )
    model = kind()
    model.load()
    return model
