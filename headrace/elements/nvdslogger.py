"""nvdslogger: says now and then how fast each source runs.

gst-launch-1.0 ... ! hrinfer model=yolo.onnx ! nvdslogger fps-measurement-interval-sec=2 ! ...
"""

from __future__ import annotations

import dataclasses
import time
from collections import Counter

from headrace.elements.base.filter import Filter
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.batch import Batch


@dataclasses.dataclass(frozen=True)
class LoggerOptions:
    """Options of nvdslogger."""

    fps_measurement_interval_sec: int = option(5, "seconds between two lines", minimum=1)
    show_fps: bool = option(True, "print frames per second of each source")
    show_latency: bool = option(
        False, "print the age of frames, since the muxer or their cameras, of each source"
    )


class Logger(Filter):
    """Face of the measurement; lines go to the console, which is what the element is for."""

    __gtype_name__ = "HeadraceLogger"
    factory = "nvdslogger"
    options_type = LoggerOptions
    __gproperties__ = properties_of(LoggerOptions)
    __gstmetadata__ = ("Logger", "Filter/Analyzer", "Prints frames per second", "Headrace")

    def start(self) -> None:
        """Begin to measure."""
        self.counts: Counter[int] = Counter()
        self.latency: dict[int, float] = {}
        self.since = time.monotonic()

    def process(self, batch: Batch, buffer: int) -> None:
        """Count the frames."""
        now_ns = time.time_ns()
        for frame in batch.meta.frames:
            self.counts[frame.source_id] += 1
            if frame.ntp_timestamp:
                self.latency[frame.source_id] = (now_ns - frame.ntp_timestamp) / 1e6
        elapsed = time.monotonic() - self.since
        if elapsed >= self.options.fps_measurement_interval_sec:
            self._report(elapsed)

    def _report(self, elapsed: float) -> None:
        if self.options.show_fps:
            rates = {source: count / elapsed for source, count in self.counts.items()}
            _print("**PERF:", "FPS", rates)
        if self.options.show_latency:
            _print("**LATENCY:", "ms", self.latency)
        self.counts.clear()
        self.since = time.monotonic()

    def stop(self) -> None:
        """Report the rest."""
        if self.counts:
            self._report(max(time.monotonic() - self.since, 1e-9))


def _print(title: str, unit: str, values: dict[int, float]) -> None:
    texts = (f"source {source}: {value:.2f} {unit}" for source, value in sorted(values.items()))
    print(title, ", ".join(texts), flush=True)  # noqa: T201 - contract §13
