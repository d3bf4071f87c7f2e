"""What a pipeline tells its user while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class PipelineState(IntEnum):
    """States of a pipeline (contract §1.1); GStreamer's NULL is ``EMPTY``."""

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
class SourceEndedMessage:
    """One source of a muxer has ended."""

    source_id: int


Message = StateTransitionMessage | EOSMessage | ErrorMessage | WarningMessage | SourceEndedMessage
