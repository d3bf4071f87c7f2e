"""smart_recording_action: starts and stops recordings by commands from a message broker."""

from __future__ import annotations

import ctypes
import datetime
import json
import logging
import re
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, ClassVar

from headrace import paths
from headrace.errors import HeadraceError, PipelineError
from headrace.flow.objects.signals import Emitter
from headrace.gst.recording import pointer_to
from headrace.message.config import MsgConvConfig
from headrace.message.subscription import Subscription, subscribe

if TYPE_CHECKING:
    from headrace.flow.node import Node

_log = logging.getLogger("headrace.flow")
_START, _STOP = "start-sr", "stop-sr"
_POLL = 0.5


class RecordingCommands(Emitter):
    """Listens to a broker and lets sources record (contract: configs §9).

    A command is ``{"command": "start-recording", "start": ..., "end": ..., "sensor": {"id": ...}}`` or
    ``"stop-recording"``; times are seconds since 1970 or ISO 8601. The sensor is the name of an attached
    element, which is how Flow names sources of a file; otherwise a source's number, or an id that
    ``msgconv-config-file`` gives to a number, for the element whose name ends in ``_<number>``.

    Listening begins when the first element is attached; without ``proto-lib`` there is none.

    Attributes:
        listening: Set once commands are received.

    Example:
        >>> RecordingCommands("controller").get_property("conn-str")
        '127.0.0.1;9092'
    """

    PROPERTIES: ClassVar = {
        "proto-lib": "", "conn-str": "127.0.0.1;9092", "proto-config-file": "", "msgconv-config-file": "",
        "topic-list": "",
    }  # fmt: skip

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._sessions: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self.listening = threading.Event()

    def attach(self, action: str, node: Node) -> Emitter:
        """Let commands reach a source, for ``start-sr`` or ``stop-sr``.

        Raises:
            PipelineError: The element does not record.
        """
        super().attach(action, node)
        if self._thread is None:
            self._thread = threading.Thread(
                target=_listen, args=(weakref.ref(self),), name=f"headrace-{self.name}", daemon=True
            )
            self._thread.start()
        return self

    def _connect(self) -> Subscription | None:
        lib, config = self.get_property("proto-lib"), self.get_property("proto-config-file")
        if not lib:
            _log.warning("%s gets no commands: its proto-lib is not set", self.name)
            return None
        topics = [topic for topic in re.split(r"[;,]", self.get_property("topic-list")) if topic]
        try:
            place = str(paths.resolve(config)) if config else ""
            subscription = subscribe(lib, self.get_property("conn-str"), place, topics)
        except HeadraceError as error:
            _log.warning("%s gets no commands: %s", self.name, error)
            return None
        self.listening.set()
        return subscription

    def obey(self, payload: bytes) -> None:
        """Carry out one command.

        Raises:
            PipelineError: It is malformed, or for a sensor that is not known.
        """
        try:
            command = json.loads(payload)
            kind, sensor = command["command"], str(command["sensor"]["id"])
            before, duration = _span(command.get("start"), command.get("end"))
        except (ValueError, KeyError, TypeError) as error:
            raise PipelineError(f"not a command for recording: {payload[:200]!r} ({error})") from error
        if kind == "start-recording":
            session = ctypes.c_uint32(0)
            node = self._target(_START, sensor)
            node.element.emit(_START, pointer_to(session), before, duration, None)
            self._sessions[node.name] = session.value
        elif kind == "stop-recording":
            node = self._target(_STOP, sensor)
            node.element.emit(_STOP, self._sessions.pop(node.name, 0))
        else:
            raise PipelineError(f"unknown command {kind!r}; known: start-recording, stop-recording")

    def _target(self, action: str, sensor: str) -> Node:
        nodes = self.targets.get(action, [])
        named = [node for node in nodes if node.name == sensor]
        if named:
            return named[0]
        number = self._source_number(sensor)
        numbered = [node for node in nodes if re.search(rf"_0*{number}$", node.name)]
        if not numbered:
            raise PipelineError(f"no element whose name ends in _{number} is attached for {action}")
        return numbered[0]

    def _source_number(self, sensor: str) -> int:
        if sensor.isdigit():
            return int(sensor)
        config = self.get_property("msgconv-config-file")
        known = MsgConvConfig.load(paths.resolve(config)).sensors if config else {}
        for number, entry in known.items():
            if entry.id == sensor:
                return number
        raise PipelineError(f"no sensor {sensor!r} in msgconv-config-file {config or '(not set)'}")


def _listen(owner: weakref.ref[RecordingCommands]) -> None:
    """The thread's work, as long as its owner lives."""
    emitter = owner()
    subscription = emitter._connect() if emitter is not None else None
    del emitter
    while subscription is not None:
        payload = subscription.receive(_POLL)
        emitter = owner()
        if emitter is None:
            subscription.close()
            return
        if payload is not None:
            try:
                emitter.obey(payload)
            except HeadraceError as error:
                _log.warning("%s: %s", emitter.name, error)
        del emitter


def _span(start: Any, end: Any) -> tuple[int, int]:
    """Seconds before now and from now on, 0 where the command leaves it open."""
    now = time.time()
    before = round(now - _seconds(start)) if start is not None else 0
    return max(0, before), max(0, round(_seconds(end) - now)) if end is not None else 0


def _seconds(moment: Any) -> float:
    try:
        return float(moment)
    except ValueError:
        return datetime.datetime.fromisoformat(str(moment).replace("Z", "+00:00")).timestamp()


def create(name: str) -> RecordingCommands:
    """The emitter; properties as of `RecordingCommands`."""
    return RecordingCommands(name)
