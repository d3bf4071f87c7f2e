"""Inference as data in, data out: batches are split, results are checked, two batches may be in flight."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import numpy as np

from headrace.errors import ModelError
from headrace.frames import Frame
from headrace.infer.batch import FrameBatch
from headrace.infer.model import Detector, Model
from headrace.infer.options import InferOptions
from headrace.infer.outcome import check_count
from headrace.infer.preprocess import crop
from headrace.infer.result import Result
from headrace.infer.worker import Worker
from headrace.profiling import span

#: Left, top, right, bottom in pixels of a frame.
Region = tuple[float, float, float, float]


class InferStage:
    """Runs one model on batches of frames; all methods may be called from any thread.

    Calls of the model never overlap, so that a model written in Python needs no locks. The stage does not own
    the model: closing the stage leaves it loaded. What `call` runs is between two batches, and may replace
    `model`.

    Args:
        model: A loaded model.
        options: ``batch_size`` is applied to models of every kind; ``confidence``, ``classes`` and
            ``max_detections`` to what detectors written in Python find.

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
        self._options = options
        self._model_lock = threading.Lock()
        self._worker = Worker("hr-infer")

    def run(self, frames: Sequence[Frame], regions: Sequence[Region | None] | None = None) -> list[Result]:
        """What the model says of each frame, boxes in frame pixels.

        Args:
            frames: Frames of any formats and sizes.
            regions: Where to look, one region for each entry of ``frames`` (a frame may be there several
                times), ``None`` in it for all of the frame; ``None`` looks at whole frames.

        Raises:
            ModelError: The model returned something else than it should.
            FrameError: A region lies outside its frame.
            Exception: What the user's model raises, as it is.
        """
        pictures, origins = _cut(frames, regions)
        results = self._in_slices(pictures, regions is None)
        return [_shifted(self._wanted(one), origin) for one, origin in zip(results, origins, strict=True)]

    def submit(
        self, frames: Sequence[Frame], regions: Sequence[Region | None] | None = None
    ) -> Future[list[Result]]:
        """Call `run` on the stage's thread, in order of submission.

        The frames must stay valid until the future is done.

        Raises:
            ModelError: The stage is closed.
        """
        return self.call(self.run, frames, regions)

    def adjust(self, options: InferOptions) -> Future[None]:
        """Go on with other options, after what was submitted before; see `Model.adjust`.

        Raises:
            ModelError: The stage is closed.
        """
        return self.call(self._adjust, options)

    def _adjust(self, options: InferOptions) -> None:
        self._options = options
        self.model.adjust(options)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a function on the stage's thread, in order of submission.

        Raises:
            ModelError: The stage is closed.
        """
        try:
            return self._worker.submit(function, *arguments)
        except RuntimeError as error:
            raise ModelError(f"the stage of {type(self.model).__name__} is closed; make a new one") from error

    def close(self, timeout: float | None = None) -> bool:
        """Finish what was submitted and stop the thread; may be called again.

        Args:
            timeout: Seconds to wait for a call of the model that is under way; ``None`` for ever.

        Returns:
            Whether the model has returned. If not, its thread is left behind.
        """
        return self._worker.close(timeout)

    def _in_slices(self, frames: list[Frame], whole: bool) -> list[Result]:
        size = self._options.batch_size or len(frames)
        results: list[Result] = []
        for start in range(0, len(frames), max(size, 1)):
            batch = FrameBatch(frames[start : start + size], whole)
            with self._model_lock:
                if not self.model.fits(batch):
                    self.model.prepare(batch)
                with span("model", batch):
                    part = self.model.results(batch)
            check_count(part, len(batch), f"{type(self.model).__name__}.results", "Result")
            results += part
        return results

    def _wanted(self, result: Result) -> Result:
        """What the options want of a detector's objects; other models have options of their own."""
        found = result.detections
        if found is None or not isinstance(self.model, Detector):
            return result
        keep = found.confidence >= self._options.confidence
        if self._options.classes is not None:
            keep &= np.isin(found.class_id, self._options.classes)
        rows = np.flatnonzero(keep)
        if len(rows) > self._options.max_detections:
            strongest = np.argsort(-found.confidence[rows], kind="stable")
            rows = rows[strongest[: self._options.max_detections]]
        return result if len(rows) == len(found) else replace(result, detections=found[rows])


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


def _cut(
    frames: Sequence[Frame], regions: Sequence[Region | None] | None
) -> tuple[list[Frame], list[tuple[int, int]]]:
    if regions is None:
        return list(frames), [(0, 0)] * len(frames)
    if len(regions) != len(frames):
        raise ModelError(f"{len(regions)} regions for {len(frames)} frames; give one for each")
    pairs = zip(frames, regions, strict=True)
    cuts = [(frame, (0, 0)) if region is None else crop(frame, region) for frame, region in pairs]
    return [picture for picture, _ in cuts], [origin for _, origin in cuts]


def _shifted(result: Result, origin: tuple[int, int]) -> Result:
    found, points = result.detections, result.keypoints
    if origin == (0, 0) or (found is None and points is None):
        return result
    return replace(
        result,
        detections=None if found is None else found.mapped(offset=origin),
        keypoints=None if points is None else points + np.array([*origin, 0], np.float32),
    )
