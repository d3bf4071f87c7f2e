"""Feeder: puts buffers that user code makes into an appsrc."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from gi.repository import Gst

from headrace.elements.base.caps import is_batch, layout_of
from headrace.flow.objects.operators import BufferProvider
from headrace.flow.objects.probing import Failed
from headrace.flow.objects.signals import SignalHandler
from headrace.gst import payload
from headrace.meta.buffer import Buffer

#: Seconds between looks at whether there is something to do.
_POLL = 0.2


class Feeder(SignalHandler):
    """Answers ``need-data`` and ``enough-data`` of an ``appsrc`` from a thread of its own.

    The thread begins with the first ``need-data`` and ends with the stream or the element. Once the provider has
    ended the stream it is not asked again.

    Args:
        name: Unique on its element.
        provider: The user code; called on the feeder's thread, kept alive.

    Raises:
        TypeError: The provider is of another kind.

    Example:
        >>> Feeder("give", BufferProvider()).name
        'give'
    """

    def __init__(self, name: str, provider: Any) -> None:
        if not isinstance(provider, BufferProvider):
            raise TypeError(f"feeder {name!r} needs a BufferProvider, not {type(provider).__name__}")
        super().__init__(name)
        self.provider = provider
        self._wanted = threading.Event()
        self._size = 0
        self._lock = threading.Lock()
        self._feeding = False  # whether there is a thread that answers what is asked from now on
        self._asked = 0
        self._ended: int | None = None  # the run whose end was told
        self._failed: Failed = lambda element, place, error: False

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        """Answers ``need-data`` and ``enough-data``."""
        return {"need-data": self._need, "enough-data": self._enough}

    def set(self, properties: Mapping[str, Any], name: str = "") -> None:
        """Set properties of the user code."""
        self.provider.set(properties, name or self.name)

    def connect(self, element: Gst.Element, tips: str, failed: Failed) -> None:
        """Connect to an appsrc; see `SignalHandler.connect`."""
        super().connect(element, tips, failed)
        self._failed = failed

    def _need(self, source: Gst.Element, size: int) -> None:
        with self._lock:
            if _run_of(source) == self._ended:
                return  # it may ask once more while the end is on its way
            self._size = size
            self._asked += 1
            self._wanted.set()
            if self._feeding:
                return
            self._feeding = True
        name = f"headrace-feed-{self.name}"
        threading.Thread(target=self._feed, args=(source,), name=name, daemon=True).start()

    def _enough(self, _source: Gst.Element) -> None:
        self._wanted.clear()

    def _feed(self, source: Gst.Element) -> None:
        while self._goes_on(source):
            if self._wanted.wait(_POLL):
                self._push_next(source)

    def _goes_on(self, source: Gst.Element) -> bool:
        """Whether the thread stays; what is asked once it does not begins another one."""
        with self._lock:
            self._feeding = _is_active(source) and _run_of(source) != self._ended
            return self._feeding

    def _push_next(self, source: Gst.Element) -> None:
        """Ask for a buffer and push it, or end the stream."""
        run, asked = _run_of(source), self._asked
        try:
            buffer = self.provider.generate(self._size)
            made = _made(buffer, source.get_property("caps")) if buffer else None
        except Exception as error:  # noqa: BLE001 - any error of user code ends its stream, and is told
            self._failed(source, f"feeder {self.name!r}", error)
            made = None
        if made is None:
            self._end(source, run)
        elif payload.find(hash(made)) is None and made.get_size() == 0:
            time.sleep(_POLL)  # nothing yet
        elif source.emit("push-buffer", made) != Gst.FlowReturn.OK:
            with self._lock:
                if self._asked == asked:  # it takes nothing until it asks again
                    self._wanted.clear()

    def _end(self, source: Gst.Element, run: int) -> None:
        with self._lock:
            self._ended = run
            if run != _run_of(source):
                return  # it has begun anew meanwhile
            self._wanted.clear()
        source.emit("end-of-stream")


def _made(buffer: Buffer, caps: Gst.Caps | None) -> Gst.Buffer:
    """The buffer as an appsrc of these caps pushes it."""
    if caps is None or caps.get_size() == 0 or not is_batch(caps):
        return buffer.to_gst(batch=False)
    return buffer.to_gst(layout=layout_of(caps) if caps.is_fixed() else None)


def _run_of(source: Gst.Element) -> int:
    """A number that is another one whenever the source begins anew."""
    start = source.get_static_pad("src").get_sticky_event(Gst.EventType.STREAM_START, 0)
    return int(start.get_seqnum()) if start is not None else 0


def _is_active(source: Gst.Element) -> bool:
    _, state, pending = source.get_state(0)
    return Gst.State.PAUSED in (state, pending) or Gst.State.PLAYING in (state, pending)
