"""sample_signal_handler: tells whether a model was updated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace.flow.objects.signals import SignalHandler
from headrace.flow.playing.manners import console


class ModelUpdates(SignalHandler):
    """Answers ``model-updated(error, file)`` of an inference element.

    Example:
        >>> ModelUpdates("updates").updated(None, 0, "model.onnx")
        Model Update Status:ok
    """

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        """Answers ``model-updated``."""
        return {"model-updated": self.updated}

    def updated(self, _element: Any, error: int, _file: str) -> None:
        """The signal: an error code, 0 for success, and the model's file."""
        console(f"Model Update Status:{'failed' if error else 'ok'}")


def create(name: str) -> SignalHandler:
    """The handler; it has no properties."""
    return ModelUpdates(name)
