"""A model that runs in the shadow of another: on the same batches, compared with it, heard by nobody."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from headrace.frames import Frame
from headrace.infer.agreement import Agreement
from headrace.infer.model import Model
from headrace.infer.options import InferOptions
from headrace.infer.result import Result
from headrace.infer.slices import Region
from headrace.infer.stage import InferStage
from headrace.infer.worker import Worker

#: Niceness of the thread that runs it, and of those that its engine starts on Linux.
NICENESS = 10
_MS = 1e3


class Shadow:
    """Runs a candidate on batches that another model is given, and compares.

    The stream never waits: the candidate takes one batch at a time, and what comes while it is busy, or still being
    loaded, is counted as not compared. So frames of one batch at most are held longer than the stream holds them. Its
    threads have a low priority: where processors are short, the model at work goes first.

    Args:
        name: What the user calls it.
        load: Loads it; called on its thread.
        options: Options of its stage.
        interval: Seconds from one report to the next.
        told: Called on its thread: with ``None`` when a report is due, or with what was wrong with the candidate,
            which is then not used any more.

    Example:
        >>> from headrace.infer import Detector
        >>> from headrace.meta import Detections
        >>> class Nothing(Detector):
        ...     def infer(self, frames):
        ...         return [Detections.empty() for _ in frames]
        >>> shadow = Shadow("nothing", Nothing, InferOptions(), 10.0, print)
        >>> shadow.report()["batches"], shadow.close(1.0)
        (0, True)
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], Model],
        options: InferOptions,
        interval: float,
        told: Callable[[BaseException | None], None],
    ) -> None:
        self.name = name
        self.interval = interval
        self._options = options
        self._told = told
        self._lock = threading.Lock()
        self._stage: InferStage | None = None
        self._busy, self._closed = True, False
        self._reported = 0.0
        self._stale = False
        self._reset()
        self._worker = Worker("hr-shadow")
        self._worker.submit(self._load, load)

    def model_changed(self) -> None:
        """Report, and begin anew: call between the last batch of one model and the first of the next."""
        self._told(None)
        with self._lock:
            self._reset()
            self._stale = True  # what is being looked at was the work of the model before

    def _reset(self) -> None:
        self._agreement = Agreement()
        self._batches = self._skipped = 0
        self._seconds = 0.0

    def offer(
        self, frames: Sequence[Frame], regions: Sequence[Region | None] | None, results: Sequence[Result]
    ) -> None:
        """Compare a batch if there is time for it; returns at once.

        Args:
            frames: As for `InferStage.run`. They are held until they have been looked at.
            regions: The same.
            results: What the model at work said of them.
        """
        with self._lock:
            if self._busy:
                self._skipped += 1
                return
            self._busy, self._stale = True, False
            self._worker.submit(self._take, frames, regions, results)  # before `close`, or not at all

    def report(self) -> dict[str, Any]:
        """What has been found so far, as plain data; any thread may ask."""
        with self._lock:
            mean = self._seconds / self._batches * _MS if self._batches else None
            return {
                "shadow": self.name,
                "batches": self._batches,
                "not_compared": self._skipped,
                "shadow_ms": None if mean is None else round(mean, 2),
                **self._agreement.to_dict(),
            }

    def close(self, timeout: float | None = None) -> bool:
        """Let the batch under way be the last, and free the model; may be called again.

        Args:
            timeout: Seconds to wait, ``None`` for as long as it takes.

        Returns:
            Whether that has been done. If not, it is as soon as the model returns.
        """
        with self._lock:
            self._busy = self._closed = True
        with suppress(RuntimeError):  # closed before
            self._worker.submit(self._free)
        return self._worker.close(timeout)

    def _load(self, load: Callable[[], Model]) -> None:
        _be_modest()
        try:
            self._stage = InferStage(load(), self._options)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - told; the user's code may raise anything
            self._told(error)
            return
        self._reported = time.monotonic()
        self._go_on()

    def _take(
        self, frames: Sequence[Frame], regions: Sequence[Region | None] | None, results: Sequence[Result]
    ) -> None:
        """Look at one batch."""
        if self._stage is None:
            return
        try:
            started = time.perf_counter()
            found = self._stage.run(frames, regions)
            self._add(results, found, time.perf_counter() - started)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            self._told(error)
            traceback.clear_frames(error.__traceback__)  # they hold the batch
            self._free()
            return
        if time.monotonic() - self._reported >= self.interval:
            self._reported = time.monotonic()
            self._told(None)
        self._go_on()

    def _add(self, results: Sequence[Result], found: Sequence[Result], seconds: float) -> None:
        with self._lock:
            if self._stale:
                return
            self._batches += 1
            self._seconds += seconds
            for first, second in zip(results, found, strict=True):
                self._agreement.add(first, second)

    def _go_on(self) -> None:
        with self._lock:
            self._busy = self._closed

    def _free(self) -> None:
        stage, self._stage = self._stage, None
        if stage is not None:
            stage.close()
            stage.model.close()


def _be_modest() -> None:
    """Lower the priority of this thread, which the threads that it starts take over."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
