"""Delivery off the streaming thread: a bounded queue and one thread that owns the broker."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from headrace.errors import BrokerError
from headrace.message.broker import Broker

log = logging.getLogger(__name__)

WhenFull = Literal["block", "drop-oldest"]


@dataclass(frozen=True, slots=True)
class WorkerCounts:
    """What became of the payloads so far: delivered, still waiting, and lost by reason."""

    sent: int = 0
    waiting: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


class BrokerWorker:
    """Hands payloads to a broker from a thread of its own, which alone calls the broker.

    `submit` may be called from any thread. With ``when_full="block"`` it waits while the queue is full, so
    nothing is lost (right for files, which keep up); with ``"drop-oldest"`` it never waits and the oldest
    payload is counted as dropped (right for live sources and networks).

    Args:
        broker: Not connected yet; the worker connects and closes it.
        capacity: Most payloads that wait.
        when_full: What `submit` does then.
        on_error: Told, on the worker's thread, of each failure to deliver whose text differs from the one
            before it; a run of equal failures is told once and counted in ``dropped``.

    Example:
        >>> from headrace.message.brokers.file import FileBroker
        >>> worker = BrokerWorker(FileBroker("/dev/null"))
        >>> worker.start(); worker.submit("events", b"{}"); worker.close()
        >>> worker.counts.sent
        1
    """

    def __init__(
        self,
        broker: Broker,
        *,
        capacity: int = 1024,
        when_full: WhenFull = "block",
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"a queue for {capacity} payloads cannot hold any; capacity must be 1 or more")
        self._broker = broker
        self._capacity = capacity
        self._when_full = when_full
        self._on_error = on_error
        self._queue: deque[tuple[str, bytes]] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._connected = threading.Event()
        self._connect_error: Exception | None = None
        self._open = False
        self._sent = 0
        self._dropped: dict[str, int] = {}
        self._last_error = ""

    @property
    def counts(self) -> WorkerCounts:
        """A snapshot of the counters; any thread may ask."""
        with self._changed:
            return WorkerCounts(self._sent, len(self._queue), dict(self._dropped))

    def start(self, timeout: float | None = 30.0) -> None:
        """Connect on the worker's thread and wait for it.

        Raises:
            BrokerError: The broker cannot be reached, or not within ``timeout`` seconds.
        """
        if self._thread is not None:
            raise BrokerError("this worker was started before; make a new one")
        self._open = True
        self._thread = threading.Thread(target=self._run, name="headrace-broker", daemon=True)
        self._thread.start()
        if not self._connected.wait(timeout):
            self._stop_taking()
            raise BrokerError(f"the broker did not answer within {timeout:g} s; check its address")
        if self._connect_error is not None:
            raise self._connect_error

    def submit(self, topic: str, payload: bytes) -> None:
        """Queue one payload; the bytes must not change afterwards.

        Raises:
            BrokerError: The worker is not running.
        """
        with self._changed:
            while self._open and len(self._queue) >= self._capacity:
                if self._when_full == "drop-oldest":
                    self._queue.popleft()
                    self._drop("queue full")
                else:
                    self._changed.wait()
            if not self._open:
                self._drop("closed")
                raise BrokerError(
                    "the message worker is not running: start it first, send nothing after close"
                )
            self._queue.append((topic, payload))
            self._changed.notify_all()

    def close(self, timeout: float | None = 10.0) -> None:
        """Deliver what waits, close the broker and end the thread; harmless when called again.

        Raises:
            BrokerError: That took longer than ``timeout`` seconds; names how many payloads were left.
        """
        self._stop_taking()
        if self._thread is None:
            return
        self._thread.join(timeout)
        if self._thread.is_alive():
            with self._changed:
                left = len(self._queue)
                self._queue.clear()
                self._drop("not delivered at close", left)
            raise BrokerError(f"the broker did not take {left} waiting messages within {timeout:g} s: lost")

    def _stop_taking(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def _drop(self, reason: str, count: int = 1) -> None:
        if count:
            self._dropped[reason] = self._dropped.get(reason, 0) + count

    def _run(self) -> None:
        try:
            self._broker.connect()
        except Exception as error:
            log.debug("broker connect failed", exc_info=True)
            self._connect_error = error
            self._stop_taking()
            return
        finally:
            self._connected.set()
        try:
            while (item := self._take()) is not None:
                self._deliver(*item)
        finally:
            self._stop_taking()
            self._close_broker()

    def _take(self) -> tuple[str, bytes] | None:
        with self._changed:
            while not self._queue:
                if not self._open:
                    return None
                self._changed.wait()
            item = self._queue.popleft()
            self._changed.notify_all()
            return item

    def _deliver(self, topic: str, payload: bytes) -> None:
        try:
            self._broker.send(topic, payload)
        except Exception as error:  # noqa: BLE001 - told to the owner and counted; one bad payload ends nothing
            with self._changed:
                self._drop(str(error))
            self._tell(error)
        else:
            with self._changed:
                self._sent += 1
            self._last_error = ""

    def _close_broker(self) -> None:
        try:
            self._broker.close()
        except Exception as error:  # noqa: BLE001 - told to the owner: there is nobody to raise to
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        if str(error) == self._last_error:
            return
        self._last_error = str(error)
        log.error("message delivery: %s", error)
        if self._on_error is not None:
            self._on_error(error)
