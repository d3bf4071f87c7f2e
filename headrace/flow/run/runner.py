"""A run: from a `RunConfig` to a pipeline that does it, and a report of what came of it."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from gi.repository import Gst

from headrace.errors import HeadraceError, PipelineError
from headrace.flow.messages import (
    EOSMessage,
    ErrorMessage,
    Message,
    WarningMessage,
)
from headrace.flow.objects.operators import BatchMetadataOperator, Probe
from headrace.flow.pipeline import Pipeline
from headrace.flow.run.config import RunConfig
from headrace.flow.run.events import Presence, write_sensors
from headrace.flow.run.files import LineFile
from headrace.flow.run.graph import add_model, add_outputs, add_sources, end_inputs
from headrace.flow.run.probes import DetectionWriter, Moments, SourceTally, Tally, Timed
from headrace.flow.run.profile import Profile, chrome_trace
from headrace.flow.run.report import RunReport, dropped_frames, received_frames, stage_times
from headrace.flow.run.times import ThreadTimes
from headrace.message import BrokerWorker
from headrace.profiling import Recorder
from headrace.source.uri import redacted

OnWarning = Callable[[WarningMessage], None]


class Run:
    """One run: build it, `start` it, `wait` for its report; `interrupt` ends it early with whole files.

    Args:
        config: What to do.

    Attributes:
        config: What to do.
        pipeline: The pipeline.
        tally: Counts so far; any thread may read them.
        recorder: Spans of work, where the configuration wants them.

    Raises:
        HeadraceError: A file cannot be written, an input does not exist, or an element is missing.

    Example:
        >>> run = Run(RunConfig(inputs=["sim://plaza?frames=2&width=64&height=48"], model="missing.onnx"))
        >>> run.pipeline["infer"].get("nms") > 0.4
        True
        >>> run.close()
    """

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.pipeline = Pipeline("run")
        self.tally = Tally()
        self._names = tuple(redacted(name) for name in config.inputs)
        self._files: list[LineFile] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._worker: BrokerWorker | None = None
        self._interrupted = False
        self._began, self._times = 0.0, ThreadTimes()
        self._cpu: dict[str, float] = {}
        self._on_warning: OnWarning | None = None
        self._trace: LineFile | None = None
        self.recorder = Recorder()
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        config = self.config
        add_sources(self.pipeline, config)
        self._last = add_model(self.pipeline, config)
        self.pipeline.attach(self._last, Probe("moments", Moments(self._first, config.seconds, self._enough)))
        self.watch("tally", self.tally)
        if config.trace is not None:
            self._trace = self._open(config.trace)
        if config.detections is not None:
            self.watch("detections", DetectionWriter(self._open(config.detections)))
        presence = sensors = None
        if config.events is not None:
            self._open(config.events)  # the broker appends, a run starts anew
            presence = Presence(self._names)
            self.watch("presence", presence)
            self._folder = tempfile.TemporaryDirectory(prefix="headrace-")
            sensors = Path(self._folder.name) / "sensors.txt"
            write_sensors(sensors, self._names)
        add_outputs(self.pipeline, config, self._last, presence, sensors)

    def _open(self, path: Path) -> LineFile:
        file = LineFile(path)
        self._files.append(file)
        return file

    def watch(self, name: str, operator: BatchMetadataOperator) -> None:
        """Show an operator each batch behind model and tracker; before `start`."""
        self.pipeline.attach(self._last, Probe(name, Timed(name, operator)))

    def start(self, on_warning: OnWarning | None = None) -> None:
        """Start; returns at once.

        Args:
            on_warning: Told of each warning, on the pipeline's thread.
        """
        self._on_warning = on_warning
        self._began, self._times = time.monotonic(), ThreadTimes()
        self.pipeline.start(self._handle)
        if self._interrupted:
            self.pipeline.stop()

    def interrupt(self) -> None:
        """End early: what is under way is finished and files are closed, so `wait` returns soon; never blocks."""
        self._interrupted = True
        self.pipeline.stop()

    def _first(self) -> None:
        """The first batch has come: from now on nothing waits for files to open or for a model to get ready."""
        if self.config.profile or self.config.trace is not None:
            self.recorder.start()

    def _enough(self) -> None:
        """The time is up. Not by `interrupt`: what live sources have read ahead would come in real time still."""
        threading.Thread(target=end_inputs, args=(self.pipeline,), name="headrace-stop", daemon=True).start()

    def _handle(self, message: Message) -> None:
        if isinstance(message, WarningMessage) and self._on_warning is not None:
            self._on_warning(message)
        elif isinstance(message, EOSMessage | ErrorMessage):
            self._cpu = self._times.by_part()
            if self.config.events is not None:
                self._worker = getattr(self.pipeline["events"].element, "worker", None)

    def wait(self) -> RunReport:
        """Wait for the end and close everything.

        Returns:
            What was done, up to the error if there was one (`RunReport.error`).
        """
        error: HeadraceError | None = None
        try:
            self.pipeline.wait()
        except PipelineError as failure:
            error = failure
        seconds = time.monotonic() - self._began
        error = error or self._undelivered() or self._nothing()
        if self._trace is not None:
            self._trace.write(msgspec.json.encode(chrome_trace(self.recorder)))
        self.close()
        return self._report(seconds, error)

    def _undelivered(self) -> HeadraceError | None:
        """Events that the broker could not write; it is closed by now."""
        lost = self._worker.counts.dropped if self._worker is not None else {}
        if not lost:
            return None
        reason = next(iter(lost))
        return PipelineError(f"{sum(lost.values())} events were lost: {reason}", "events")

    def _nothing(self) -> HeadraceError | None:
        """A run that saw no frame of a source has not succeeded."""
        if self._interrupted:
            return None
        received = received_frames(self.pipeline)
        for index, name in enumerate(self._names):
            if not received.get(index, 0):
                return PipelineError(f"{name} gave not a single frame", f"source{index}")
        return None

    def _report(self, seconds: float, error: HeadraceError | None) -> RunReport:
        dropped, drops = dropped_frames(self.pipeline, self.tally)
        first = self.tally.first
        return RunReport(
            names=self._names,
            sources=tuple(self.tally.sources.get(i, SourceTally()) for i in range(len(self._names))),
            seconds=seconds,
            startup=None if first is None else first - self._began,
            dropped=dropped,
            drops=drops,
            stages=stage_times(self.pipeline),
            cpu_seconds=self._cpu,
            steady_fps=self.tally.steady_fps,
            profile=Profile.of(self.recorder.spans) if self.config.profile else None,
            shadow=json.loads(self.pipeline["infer"].get("shadow-report") or "{}"),
            interrupted=self._interrupted,
            error=error,
        )

    def close(self) -> None:
        """Free what was taken; harmless when called again."""
        self.recorder.stop()
        self.pipeline.gst.set_state(Gst.State.NULL)
        for file in self._files:
            file.close()
        if self._folder is not None:
            self._folder.cleanup()
