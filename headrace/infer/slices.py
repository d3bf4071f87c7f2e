"""A batch cut into slices, which several threads may run, and put together again."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

import numpy as np

from headrace.errors import ModelError
from headrace.frames import Frame
from headrace.infer.batch import FrameBatch
from headrace.infer.model import Model
from headrace.infer.outcome import check_count
from headrace.infer.preprocess import crop
from headrace.infer.result import Result
from headrace.infer.worker import attempt
from headrace.profiling import span

#: Left, top, right, bottom in pixels of a frame.
Region = tuple[float, float, float, float]


class SlicedBatch:
    """A batch on its way through a model; its slices may be run by several threads, each once.

    Args:
        frames: Frames of any formats and sizes.
        regions: Where to look, one region for each frame, ``None`` in it for all of the frame; ``None`` looks at
            whole frames.

    Attributes:
        frames: The same.
        regions: The same.
        whole: Whether the model looks at whole frames.
        future: The results. It can be cancelled until a slice has begun.
        pictures: What the model looks at, once it is cut.
        seconds: From the begin of the first slice to the end of the last.

    Example:
        >>> batch = SlicedBatch([Frame.empty("RGB", 8, 8)] * 5)
        >>> batch.cut(2)
        3
    """

    def __init__(self, frames: Sequence[Frame], regions: Sequence[Region | None] | None = None) -> None:
        self.frames, self.regions, self.whole = frames, regions, regions is None
        self.future: Future[Sequence[Result]] = Future()
        self.seconds = 0.0
        self.pictures: list[Frame] = []
        self._origins: list[tuple[int, int]] = []
        self._parts: list[Sequence[Result]] = []
        self._size = self._left = 0
        self._since = 0.0
        self._lock = threading.Lock()
        self._begun: bool | None = None  # False when it was cancelled
        self._failed: tuple[int, BaseException] | None = None

    def cut(self, size: int) -> int:
        """Cut out the regions, and divide the pictures into slices of this size.

        Returns:
            The number of slices.

        Raises:
            ModelError: Not one region for each frame.
            FrameError: A region lies outside of its frame.
        """
        self.pictures, self._origins = _cut(self.frames, self.regions)
        self._size = max(size, 1)
        self._left = -(-len(self.pictures) // self._size)
        self._parts = [[]] * self._left
        return self._left

    def begin(self) -> bool:
        """Whether a slice is to be run: not when the batch was cancelled, or a slice has failed."""
        with self._lock:
            if self._begun is None:
                self._begun = self.future.set_running_or_notify_cancel()
                self._since = time.perf_counter()
            return self._begun and self._failed is None

    def run(self, number: int, model: Model) -> bool:
        """Run a slice, if it is to be run; what the model raises is kept.

        Returns:
            Whether it was the last one to be back.
        """
        start = number * self._size
        part, error = None, None
        if self.begin():
            pictures = FrameBatch(self.pictures[start : start + self._size], self.whole)
            part, error = attempt(_results, model, pictures)
        with self._lock:
            if error is not None and (self._failed is None or number < self._failed[0]):
                self._failed = number, error
            elif part is not None:
                self._parts[number] = part
            self._left -= 1
            self.seconds = time.perf_counter() - self._since
            return self._left == 0

    def outcome(self) -> tuple[Sequence[Result] | None, BaseException | None]:
        """Results in pixels of the frames, or the error of the first slice that failed; ask once, at the end."""
        failed, self._failed = (
            self._failed,
            None,
        )  # its traceback may know this batch: a cycle would keep frames
        if failed is not None:
            return None, failed[1]
        if self.regions is None and len(self._parts) == 1:
            return self._parts[0], None
        return attempt(_joined, self._parts, self._origins)


def _joined(parts: Sequence[Sequence[Result]], origins: Sequence[tuple[int, int]]) -> Sequence[Result]:
    results = (one for part in parts for one in part)
    return [_shifted(*pair) for pair in zip(results, origins, strict=True)]


def _results(model: Model, pictures: FrameBatch) -> Sequence[Result]:
    with span("model", pictures):
        results = model.results(pictures)
    check_count(results, len(pictures), f"{type(model).__name__}.results", "Result")
    return results


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
