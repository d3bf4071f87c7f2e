"""What a pipeline tells its user while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

NOT_AVAILABLE = "N/A"


class PipelineState(IntEnum):
    """States of a pipeline (contract §1.1); GStreamer's NULL is ``EMPTY``.

    Example:
        >>> PipelineState(4).name
        'PLAYING'
    """

    INVALID = 0
    EMPTY = 1
    READY = 2
    PAUSED = 3
    PLAYING = 4


@dataclass(frozen=True, slots=True)
class StateTransitionMessage:
    """An element changed its state."""

    old_state: PipelineState
    new_state: PipelineState
    origin: str


@dataclass(frozen=True, slots=True)
class EOSMessage:
    """Every stream has ended."""


@dataclass(frozen=True, slots=True)
class DynamicSourceMessage:
    """A source was added to a running pipeline or removed from it.

    Attributes:
        source_added: Whether it came; otherwise it went, or a dynamic source moved on to its next file.
        source_id: Number of the source.
        sensor_id: The user's name for it, ``N/A`` if there is none; so are the others.
        sensor_name: A name for people.
        uri: Its address.
    """

    source_added: bool
    source_id: int
    sensor_id: str = NOT_AVAILABLE
    sensor_name: str = NOT_AVAILABLE
    uri: str = NOT_AVAILABLE


@dataclass(frozen=True, slots=True)
class ErrorMessage:
    """An element failed."""

    origin: str
    text: str
    debug: str


@dataclass(frozen=True, slots=True)
class WarningMessage:
    """An element met something that it can go on after."""

    origin: str
    text: str
    debug: str


@dataclass(frozen=True, slots=True)
class InfoMessage:
    """An element has something to tell."""

    origin: str
    text: str
    debug: str


@dataclass(frozen=True, slots=True)
class SourceEndedMessage:
    """One source of a muxer has ended."""

    source_id: int


Message = (
    StateTransitionMessage
    | EOSMessage
    | DynamicSourceMessage
    | ErrorMessage
    | WarningMessage
    | InfoMessage
    | SourceEndedMessage
)
#: The messages that programs written for pyservicemaker know.
SERVICE_MAKER_MESSAGES = (StateTransitionMessage, EOSMessage, DynamicSourceMessage)
