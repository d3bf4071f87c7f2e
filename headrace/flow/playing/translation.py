"""Bus messages in Headrace's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gi.repository import Gst

from headrace.flow.messages import (
    NOT_AVAILABLE,
    DynamicSourceMessage,
    EOSMessage,
    ErrorMessage,
    InfoMessage,
    Message,
    PipelineState,
    SourceEndedMessage,
    StateTransitionMessage,
    WarningMessage,
)
from headrace.gst.structures import structure_of

#: Name of the application message by which a dynamic source tells that it moved on to its next file.
FILE_CHANGE = "dynamic-src-bin-file-change"


def translate(message: Gst.Message) -> Message | None:
    """A bus message in Headrace's words, ``None`` for one that says nothing to users."""
    translator = _TRANSLATORS.get(message.type)
    origin = message.src.get_name() if message.src is not None else ""
    return translator(message, origin) if translator is not None else None


def _error(message: Gst.Message, origin: str) -> Message:
    error, debug = message.parse_error()
    return ErrorMessage(origin, error.message, debug or "")


def _warning(message: Gst.Message, origin: str) -> Message:
    error, debug = message.parse_warning()
    return WarningMessage(origin, error.message, debug or "")


def _info(message: Gst.Message, origin: str) -> Message:
    error, debug = message.parse_info()
    return InfoMessage(origin, error.message, debug or "")


def _state(message: Gst.Message, origin: str) -> Message:
    old, new, _ = message.parse_state_changed()
    return StateTransitionMessage(PipelineState(int(old)), PipelineState(int(new)), origin)


def _element(message: Gst.Message, _origin: str) -> Message | None:
    structure = structure_of(message)
    name = structure.get_name() if structure is not None else ""
    if name == "stream-eos":
        return SourceEndedMessage(structure.get_value("stream-id"))
    if name not in ("stream-add", "stream-remove"):
        return None
    return DynamicSourceMessage(
        name == "stream-add",
        _number(structure),
        _text(structure, "sensor-id"),
        _text(structure, "sensor-name"),
        _text(structure, "uri"),
    )


def _application(message: Gst.Message, _origin: str) -> Message | None:
    structure = structure_of(message)
    if structure is None or structure.get_name() != FILE_CHANGE:
        return None
    return DynamicSourceMessage(False, _number(structure))


def _field(structure: Any, name: str) -> Any:
    for spelling in (name, name.replace("-", "_")):
        if structure.has_field(spelling):
            return structure.get_value(spelling)
    return None


def _number(structure: Any) -> int:
    for name in ("source-id", "stream-id"):
        value = _field(structure, name)
        if value is not None:
            return int(value)
    return 0


def _text(structure: Any, name: str) -> str:
    return str(_field(structure, name) or NOT_AVAILABLE)


_TRANSLATORS: dict[Gst.MessageType, Callable[[Gst.Message, str], Message | None]] = {
    Gst.MessageType.EOS: lambda _message, _origin: EOSMessage(),
    Gst.MessageType.ERROR: _error,
    Gst.MessageType.WARNING: _warning,
    Gst.MessageType.INFO: _info,
    Gst.MessageType.STATE_CHANGED: _state,
    Gst.MessageType.ELEMENT: _element,
    Gst.MessageType.APPLICATION: _application,
}
