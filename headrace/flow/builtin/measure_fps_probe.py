"""measure_fps_probe: prints frames per second of each source."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar

from headrace.flow.objects.operators import BatchMetadataOperator, Probe
from headrace.flow.playing.manners import console
from headrace.meta.batch import BatchMetadata


class FpsMeter(BatchMetadataOperator):
    """Prints, every ``interval`` seconds, the rate of each source now and on average.

    A source that has ended shows ``--.--`` for now; one that was never seen is left out. Text goes to `out`.

    Example:
        >>> meter = FpsMeter()
        >>> meter.line(now=1.0)
        '**FPS:'
    """

    PROPERTIES: ClassVar = {"interval": 5}

    def __init__(
        self, out: Callable[[str], Any] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out = out or console
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[int, list[float]] = {}
        self._printed: float | None = None

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Count one batch; print when it is time."""
        now = self._clock()
        with self._lock:
            for frame in batch_meta.frame_items:
                count = self._counts.setdefault(frame.pad_index, [0, 0, now])
                count[0] += 1
                count[1] += 1
            if self._printed is None:
                self._printed = now
            elif now - self._printed >= self.get_property("interval"):
                self._out(self.line(now))
                self._printed = now

    def line(self, now: float) -> str:
        """The line for this moment; begins a new interval."""
        texts = []
        for _source, count in sorted(self._counts.items()):
            recent, total, since = count
            span = now - (self._printed if self._printed is not None else since)
            current = f"{recent / span:.2f}" if recent and span > 0 else "--.--"
            average = total / (now - since) if now > since else 0.0
            texts.append(f"{current} ({average:.2f})")
            count[0] = 0
        return "\t".join(["**FPS:  " + texts[0], *texts[1:]]) if texts else "**FPS:"


def create(name: str) -> Probe:
    """The probe; property ``interval`` in seconds."""
    return Probe(name, FpsMeter())
