"""PerfMonitor: frames per second of each source, printed at intervals (contract §7)."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from headrace.flow.node import Node
from headrace.flow.objects.operators import BatchMetadataOperator, Probe
from headrace.meta.batch import BatchMetadata

#: Prints from one header to the next.
_HEADER_EVERY = 20


@dataclass
class _Source:
    """Counts of one source, and the name it was given."""

    since: float
    recent: int = 0
    total: int = 0
    name: str = ""


class PerfMonitor:
    r"""Counts the frames that pass an element and prints their rates, now and on average.

    Args:
        batch_size: Sources there are from the start.
        interval: Seconds from one print to the next.
        source_type: Element that the sources come from, such as ``nvurisrcbin``.
        show_name: Whether sources that were given names have a line each.
        out: Where text goes; the console by default.
        clock: Seconds.

    Printing begins with the first batch, on a thread of its own, and ends when this object is dropped.

    Example:
        >>> monitor = PerfMonitor(2, 5, "nvurisrcbin", False)
        >>> monitor.report().splitlines()[:2]
        ['Active sources : 0', '**PERF:  FPS 0 (Avg)\tFPS 1 (Avg)\t']
    """

    def __init__(
        self,
        batch_size: int,
        interval: float,
        source_type: str,
        show_name: bool,
        out: Callable[[str], Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.batch_size = batch_size
        self.interval = max(float(interval), 0.01)
        self.source_type = source_type
        self.show_name = show_name
        self._out = out or (lambda text: print(text, flush=True))  # noqa: T201 - contract §7
        self._clock = clock
        self._lock = threading.Lock()
        self._sources: dict[int, _Source] = {}
        self._removed: set[int] = set()
        self._printed: float | None = None
        self._prints = 0
        self._paused = False
        self._thread: threading.Thread | None = None

    def apply(self, node: Node, tips: str = "") -> None:
        """Count what passes an element.

        Args:
            node: The element.
            tips: Name of a pad, also of a sink pad.
        """
        node.attach(Probe("perf-monitor", _Count(self)), tips)

    def pause(self) -> None:
        """Neither count nor print."""
        self._paused = True

    def resume(self) -> None:
        """Go on after `pause`."""
        with self._lock:
            self._printed = self._clock()
            for source in self._sources.values():
                source.recent = 0
        self._paused = False

    def add_stream(self, source_id: int, uri: str = "", sensor_id: str = "", sensor_name: str = "") -> None:
        """A source was added; its name is shown from now on."""
        with self._lock:
            self._removed.discard(source_id)
            self._sources[source_id] = _Source(self._clock(), name=sensor_name or sensor_id or uri)

    def remove_stream(self, source_id: int) -> None:
        """A source was removed; frames of it that are still under way do not bring it back, `add_stream` does."""
        with self._lock:
            self._removed.add(source_id)
            self._sources.pop(source_id, None)

    def count(self, sources: list[int]) -> None:
        """One frame of each of these sources has passed."""
        if self._paused:
            return
        now = self._clock()
        with self._lock:
            for index in sources:
                if index in self._removed:
                    continue
                source = self._sources.setdefault(index, _Source(now))
                source.recent += 1
                source.total += 1
            if self._printed is None:
                self._printed = now
                self._thread = threading.Thread(
                    target=_print_for,
                    args=(weakref.ref(self), self.interval),
                    name="headrace-perf",
                    daemon=True,
                )
                self._thread.start()

    def tick(self) -> None:
        """Print, unless paused."""
        if not self._paused:
            self._out(self.report())

    def report(self) -> str:
        """The text for this moment; begins a new interval."""
        with self._lock:
            now = self._clock()
            span = now - (self._printed if self._printed is not None else now)
            self._printed = now if self._printed is not None else None
            lines = [f"Active sources : {len(self._sources)}"]
            if self._prints % _HEADER_EVERY == 0:
                lines.append("**PERF:  " + "".join(f"FPS {i} (Avg)\t" for i in range(self._columns())))
            self._prints += 1
            lines.append(time.asctime())
            return "\n".join([*lines, *self._rates(now, span)])

    def _columns(self) -> int:
        return max([self.batch_size, *(index + 1 for index in self._sources)])

    def _rates(self, now: float, span: float) -> list[str]:
        texts = {index: _rate(source, now, span) for index, source in sorted(self._sources.items())}
        names = {index: source.name for index, source in self._sources.items() if source.name}
        if self.show_name and names:
            return ["**PERF:  ", *(_line(index, text, names.get(index, "")) for index, text in texts.items())]
        columns = (texts.get(index, "0.00 (0.00)") for index in range(self._columns()))
        return ["**PERF:  " + "".join(f"{text}\t" for text in columns)]


class _Count(BatchMetadataOperator):
    def __init__(self, monitor: PerfMonitor) -> None:
        self._monitor = weakref.ref(monitor)

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        monitor = self._monitor()
        if monitor is not None:
            monitor.count([frame.pad_index for frame in batch_meta.frame_items])


def _rate(source: _Source, now: float, span: float) -> str:
    current = source.recent / span if span > 0 else 0.0
    average = source.total / (now - source.since) if now > source.since else 0.0
    source.recent = 0
    return f"{current:.2f} ({average:.2f})"


def _line(index: int, text: str, name: str) -> str:
    return f"{text}\tsource_id : {index} stream_name {name}"


def _print_for(monitor: weakref.ref[PerfMonitor], interval: float) -> None:
    while True:
        time.sleep(interval)
        target = monitor()
        if target is None:
            return
        target.tick()
        del target  # between prints the program alone decides how long it lives
