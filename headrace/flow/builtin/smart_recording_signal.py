"""smart_recording_signal: tells of finished recordings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace.flow.objects.signals import SignalHandler
from headrace.flow.playing.manners import console
from headrace.flow.playing.recording import RecordingInfo


class RecordingPrinter(SignalHandler):
    """Answers ``sr-done`` of a source by printing what was recorded."""

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        """Answers ``sr-done``."""
        return {"sr-done": self._done}

    def _done(self, _element: Any, info: Any, _user: Any) -> None:
        told = RecordingInfo.of(info)
        console(
            f"Recording {told.session_id} done: {told.file_directory}/{told.file_name}, {told.container_type}, "
            f"{told.width}x{told.height}, {told.duration / 1000:g} s"
        )


def create(name: str) -> SignalHandler:
    """The handler; it has no properties."""
    return RecordingPrinter(name)
