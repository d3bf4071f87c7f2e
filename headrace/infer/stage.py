"""Inference as data in, data out: batches go to a model in order, in slices that may overlap."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from headrace.errors import ModelError
from headrace.frames import Frame
from headrace.infer.batch import FrameBatch
from headrace.infer.model import Detector, Model
from headrace.infer.options import InferOptions
from headrace.infer.result import Result
from headrace.infer.slices import Region, SlicedBatch
from headrace.infer.worker import Worker, attempt, fulfil

#: What is told of a batch at its end: frames, regions, and the results, ``None`` if there are none.
Ended = Callable[[Sequence[Frame], Sequence[Region | None] | None, Sequence[Result] | None], object]
#: Threads beside those whose calls overlap on a CPU: they fill and read tensors meanwhile, so that no processor waits
#: for that. With YOLO11n on four cores 3.95 of them were busy instead of 3.7.
_SPARE = 2


class InferStage:
    """Runs one model on batches of frames; all methods may be called from any thread.

    One thread takes the batches in order. A model whose `Model.concurrency` is 1, as that of every model written in
    Python, is called by this thread, and by nobody else: such a model needs no locks. Slices of the batches of other
    models go to as many threads as calls overlap usefully. Whatever else is to be done with the model (`call`,
    `adjust`) waits for the slices that are under way, and the next batch waits for it; it may replace `model`.

    The stage does not own the model: closing the stage leaves it loaded.

    Args:
        model: A loaded model.
        options: ``batch_size`` is applied to models of every kind; ``confidence``, ``classes`` and
            ``max_detections`` to what detectors written in Python find.

    Attributes:
        model: The model at work.
        live: Whether batches come one at a time, at a pace of their own, so that a short time for each is better
            than many in a second; decides the mode of engines that were left the choice, at the first batch.
        watch: Entered around the calls of models whose calls do not overlap.
        ended: Told of each batch that was not cancelled, before its future is done.

    Example:
        >>> from headrace.meta import Detections
        >>> class Nothing(Detector):
        ...     def infer(self, frames):
        ...         return [Detections.empty() for _ in frames]
        >>> stage = InferStage(Nothing(), InferOptions())
        >>> stage.submit([Frame.empty("RGB", 8, 8)]).result()[0].detections.xyxy.shape
        (0, 4)
        >>> stage.close()
        True
    """

    def __init__(self, model: Model, options: InferOptions) -> None:
        self.model = model
        self.live = True
        self.watch: AbstractContextManager[object] = nullcontext()
        self.ended: Ended = _told_nobody
        self._options = options
        self._seconds, self._batches = 0.0, 0
        self._met: Model | None = None
        self._out, self._back = 0, threading.Condition()  # slices with the crew
        self._crew: Worker | None = None
        self._worker = Worker("hr-infer")

    @property
    def threads(self) -> int:
        """How many threads call the model."""
        return 1 if self._crew is None else len(self._crew)

    @property
    def mean_seconds(self) -> float | None:
        """Mean time from the begin of a batch to its end; ``None`` before the first."""
        return self._seconds / self._batches if self._batches else None

    def run(
        self, frames: Sequence[Frame], regions: Sequence[Region | None] | None = None
    ) -> Sequence[Result]:
        """What the model says of each frame, boxes in frame pixels; waits for what was submitted before.

        Args:
            frames: Frames of any formats and sizes.
            regions: Where to look, one region for each entry of ``frames`` (a frame may be there several
                times), ``None`` in it for all of the frame; ``None`` looks at whole frames.

        Raises:
            ModelError: The model returned something else than it should, or the stage is closed.
            FrameError: A region lies outside its frame.
            Exception: What the user's model raises, as it is.
        """
        return self.submit(frames, regions).result()

    def submit(
        self, frames: Sequence[Frame], regions: Sequence[Region | None] | None = None
    ) -> Future[Sequence[Result]]:
        """Begin what `run` does; batches begin in order of submission.

        The frames must stay valid until the future is done. It can be cancelled until the model is called.

        Raises:
            ModelError: The stage is closed.
        """
        batch = SlicedBatch(frames, regions)
        self._put(lambda: self._take(batch))
        return batch.future

    def ask(self, function: Callable[[Model], Sequence[Result]], pictures: int) -> Future[Sequence[Result]]:
        """Call a function with the model, as a batch of a number of pictures, in order of submission.

        Raises:
            ModelError: The stage is closed.
        """
        return self.call(self._asked, function, pictures)

    def adjust(self, options: InferOptions) -> Future[None]:
        """Go on with other options, after what was submitted before; see `Model.adjust`.

        Raises:
            ModelError: The stage is closed.
        """
        return self.call(self._adjust, options)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a function between two batches, in order of submission.

        Raises:
            ModelError: The stage is closed.
        """
        future: Future[Any] = Future()
        self._put(lambda: self._alone(future, function, arguments))
        return future

    def close(self, timeout: float | None = None) -> bool:
        """Finish what was submitted and stop the threads; may be called again.

        Args:
            timeout: Seconds to wait for calls of the model that are under way; ``None`` for ever.

        Returns:
            Whether the model has returned. If not, its thread is left behind.
        """
        end = None if timeout is None else time.monotonic() + timeout
        with suppress(RuntimeError):  # closed before
            self._worker.put(self._dismiss)
        if not self._worker.close(timeout):
            return False
        return self._crew is None or self._crew.close(None if end is None else max(end - time.monotonic(), 0))

    def _dismiss(self) -> None:
        """The crew ends when its slices are done, even if nobody waits for that."""
        if self._crew is not None:
            self._crew.close(0)

    def _put(self, job: Callable[[], object]) -> None:
        try:
            self._worker.put(job)
        except RuntimeError as error:
            raise ModelError(f"the stage of {type(self.model).__name__} is closed; make a new one") from error

    def _alone(self, future: Future[Any], function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._wait()
        if future.set_running_or_notify_cancel():
            fulfil(future, *attempt(function, *arguments))

    def _wait(self) -> None:
        """Wait for the slices that are under way."""
        with self._back:
            self._back.wait_for(lambda: not self._out)

    def _adjust(self, options: InferOptions) -> None:
        self._options = options
        self.model.adjust(options)

    def _asked(self, function: Callable[[Model], Sequence[Result]], pictures: int) -> Sequence[Result]:
        self._meet(pictures, alone=True)
        with self.watch:
            return function(self.model)

    def _take(self, batch: SlicedBatch) -> None:
        """Hand a batch to the crew, or run it here."""
        count, error = attempt(self._prepare, batch)
        if error is not None or not count:
            if error is not None:
                traceback.clear_frames(error.__traceback__)  # they know the batch, and its future the error
            if batch.begin():
                self._end(batch, error)
            return
        crew = self._crew
        if crew is None:
            with self.watch:
                for number in range(count):
                    self._run(batch, number)
            return
        with self._back:
            self._out += count
        for number in range(count):
            crew.put(partial(self._run_in_crew, batch, number))

    def _prepare(self, batch: SlicedBatch) -> int:
        """Get model and crew ready for a batch, and cut it; returns the number of slices."""
        self._meet(len(batch.frames))
        rows = (self._crew and self.model.rows) or len(batch.frames)
        count = batch.cut(min(rows, self._options.batch_size or rows))
        pictures = FrameBatch(batch.pictures, batch.whole)
        if not self.model.fits(pictures):
            self._wait()
            self.model.prepare(pictures)
        return count

    def _meet(self, pictures: int, alone: bool = False) -> None:
        """See whether the model is a new one, and how many of its calls overlap."""
        model = self.model
        if model is self._met:
            return
        self._wait()
        model.settle(self.live or alone, pictures)
        self._met, self._seconds, self._batches = model, 0.0, 0
        threads = model.concurrency
        if threads > 1 and model.rows:
            threads += _SPARE
        if threads != self.threads:
            if self._crew is not None:
                self._crew.close()
            self._crew = Worker("hr-infer-crew", threads) if threads > 1 else None

    def _run_in_crew(self, batch: SlicedBatch, number: int) -> None:
        self._run(batch, number)
        with self._back:
            self._out -= 1
            if not self._out:
                self._back.notify()

    def _run(self, batch: SlicedBatch, number: int) -> None:
        if batch.run(number, self.model) and not batch.future.cancelled():
            with self._back:
                self._seconds += batch.seconds
                self._batches += 1
            self._end(batch, None)

    def _end(self, batch: SlicedBatch, error: BaseException | None) -> None:
        """Let the batch's future be done."""
        results = None
        if error is None:
            results, error = batch.outcome()
        if results is not None and isinstance(self.model, Detector):
            results, error = attempt(list, map(self._wanted, results))
        _, trouble = attempt(self.ended, batch.frames, batch.regions, results)
        fulfil(batch.future, results, error or trouble)

    def _wanted(self, result: Result) -> Result:
        """What the options want of the objects of a user's detector; other models have options of their own."""
        found = result.detections
        if found is None:
            return result
        keep = found.confidence >= self._options.confidence
        if self._options.classes is not None:
            keep &= np.isin(found.class_id, self._options.classes)
        rows = np.flatnonzero(keep)
        if len(rows) > self._options.max_detections:
            strongest = np.argsort(-found.confidence[rows], kind="stable")
            rows = rows[strongest[: self._options.max_detections]]
        return result if len(rows) == len(found) else replace(result, detections=found[rows])


def _told_nobody(
    _frames: Sequence[Frame], _regions: Sequence[Region | None] | None, _results: Sequence[Result] | None
) -> None:
    pass


class IntervalCounter:
    """Tells which batches to infer when ``interval`` batches are skipped after each; used by one thread.

    Example:
        >>> counter = IntervalCounter(2)
        >>> [counter.due() for _ in range(5)]
        [True, False, False, True, False]
    """

    def __init__(self, interval: int) -> None:
        self.interval = interval
        self._skip = 0

    def due(self) -> bool:
        """Whether the next batch is to be inferred; counts it."""
        if self._skip > 0:
            self._skip -= 1
            return False
        self._skip = self.interval
        return True
