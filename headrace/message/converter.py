"""From events or frames to payloads: what the message converter element does, without the element."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any

from headrace.errors import ConfigError
from headrace.message import full, minimal
from headrace.message.config import MsgConvConfig
from headrace.message.records import FrameRecord
from headrace.meta.analytics import AnalyticsEvent
from headrace.meta.event import EventMessage, timestamp


class PayloadType(IntEnum):
    """Schema of the messages (contract: NvDsPayloadType)."""

    DEEPSTREAM = 0
    DEEPSTREAM_MINIMAL = 1


class MessageConverter:
    """Makes the payloads of one schema; holds no state but the configuration, so any thread may use it.

    Args:
        payload_type: 0 for the full schema, 1 for the minimal one.
        config: Sensors, places and modules; the full schema needs it.
        clock: Nanoseconds since 1970, for messages that carry the wall clock.

    Raises:
        ConfigError: The schema is unknown, or the full one has no configuration.

    Example:
        >>> converter = MessageConverter(PayloadType.DEEPSTREAM_MINIMAL, clock=lambda: 0)
        >>> converter.from_frame(FrameRecord(source_id=0, frame_number=7))[0].decode()
        '{"version":"4.0","id":"7","@timestamp":"1970-01-01T00:00:00.000Z","sensorId":"0","objects":[]}'
    """

    def __init__(
        self,
        payload_type: int = PayloadType.DEEPSTREAM,
        config: MsgConvConfig | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        if payload_type not in tuple(PayloadType):
            known = ", ".join(f"{kind.value} ({kind.name})" for kind in PayloadType)
            raise ConfigError(f"payload-type {payload_type} is not available; available: {known}")
        if payload_type == PayloadType.DEEPSTREAM and config is None:
            raise ConfigError("payload-type 0 needs a configuration of sensors and places; set config=FILE")
        self._minimal = payload_type == PayloadType.DEEPSTREAM_MINIMAL
        self._config = config
        self._clock = clock

    def from_events(self, events: Sequence[EventMessage]) -> list[bytes]:
        """Payloads for the events of one frame: one each in the full schema, one for all in the minimal."""
        if not events:
            return []
        if self._minimal or self._config is None:
            return [minimal.events_payload(events, self._config)]
        return [full.event_payload(event, self._config) for event in events]

    def from_frame(self, frame: FrameRecord) -> list[bytes]:
        """Payloads for one frame: one per object in the full schema, one for all in the minimal."""
        ts = timestamp(self._clock())
        if self._minimal or self._config is None:
            return [minimal.frame_payload(frame, self._config, ts)]
        return [full.object_payload(frame, thing, self._config, ts) for thing in frame.objects]

    def from_answer(self, source_id: int, frame_number: int, answer: Mapping[str, Any]) -> bytes:
        """The payload for one answer of a vision-language model, a message of its own in either schema.

        Args:
            source_id: Index of the source.
            frame_number: Frame that was asked about.
            answer: Plain data; the message's member ``answer``.
        """
        ts = timestamp(self._clock())
        if self._minimal or self._config is None:
            return minimal.answer_payload(source_id, frame_number, answer, self._config, ts)
        return full.answer_payload(source_id, answer, self._config, ts)

    def from_analytics(self, event: AnalyticsEvent, clock_ns: int = 0) -> bytes:
        """The payload for one event of analytics, a message of its own in either schema.

        Args:
            event: The event; the message's member ``event``.
            clock_ns: Wall clock of its frame in ns since 1970; 0 for now.
        """
        ts = timestamp(clock_ns or self._clock())
        if self._minimal or self._config is None:
            return minimal.analytics_payload(event, self._config, ts)
        return full.analytics_payload(event, self._config, ts)
