"""nvdslogger: says now and then how fast each source runs.

gst-launch-1.0 ... ! hrinfer model=yolo.onnx ! nvdslogger fps-measurement-interval-sec=2 ! ...
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections import Counter

from headrace.elements.base.filter import Filter
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.batch import Batch

_log = logging.getLogger("headrace.nvdslogger")


@dataclasses.dataclass(frozen=True)
class LoggerOptions:
    """Options of nvdslogger."""

    fps_measurement_interval_sec: int = option(5, "seconds between two lines", minimum=1)
    show_fps: bool = option(True, "log frames per second of each source")
    show_latency: bool = option(False, "log the age of frames since the muxer, of each source")


class Logger(Filter):
    """Face of the measurement; lines go to the logger ``headrace.nvdslogger`` at level INFO."""

    __gtype_name__ = "HeadraceLogger"
    factory = "nvdslogger"
    options_type = LoggerOptions
    __gproperties__ = properties_of(LoggerOptions)
    __gstmetadata__ = ("Logger", "Filter/Analyzer", "Logs frames per second", "Headrace")

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
            rates = " ".join(
                f"source {source}: {n / elapsed:.1f}" for source, n in sorted(self.counts.items())
            )
            _log.info("%s: frames per second: %s", self.get_name(), rates)
        if self.options.show_latency:
            ages = " ".join(f"source {source}: {ms:.1f}" for source, ms in sorted(self.latency.items()))
            _log.info("%s: latency in ms: %s", self.get_name(), ages)
        self.counts.clear()
        self.since = time.monotonic()

    def stop(self) -> None:
        """Report the rest."""
        if self.counts:
            self._report(max(time.monotonic() - self.since, 1e-9))
