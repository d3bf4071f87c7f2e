"""Inference as data in, data out: batches are split, results are checked, two batches may be in flight."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from headrace.errors import ModelError
from headrace.frames import Frame
from headrace.infer.batch import FrameBatch
from headrace.infer.model import Classification, Classifier, Detector, Model, Network, Result
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import crop
from headrace.infer.worker import Worker
from headrace.meta import Detections, Label

#: Left, top, right, bottom in pixels of a frame.
Region = tuple[float, float, float, float]
_Result = TypeVar("_Result")


class InferStage:
    """Runs one model on batches of frames; all methods may be called from any thread.

    Calls of the model never overlap, so that a model written in Python needs no locks. The stage does not own
    the model: closing the stage leaves it loaded. The model can be replaced between two batches.

    Args:
        model: A loaded model.
        options: ``batch_size``, ``confidence``, ``classes`` and ``max_detections`` are applied here to
            models of every kind.

    Example:
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

    def infer(self, frames: Sequence[Frame], regions: Sequence[Region] | None = None) -> list[Detections]:
        """Objects of each frame, boxes in frame pixels.

        Args:
            frames: Frames of any formats and sizes.
            regions: Where to look, one region for each entry of ``frames`` (a frame may be there several
                times); ``None`` looks at whole frames.

        Raises:
            ModelError: The model is a classifier, or returned something else than detections.
            FrameError: A region lies outside its frame.
            Exception: What the user's model raises, as it is.
        """
        model = self.model
        if not isinstance(model, Detector):
            raise ModelError(f"{_name(model)} is a classifier and finds no objects; use a detector here")
        pictures, origins = _cut(frames, regions)
        found = self._in_slices(model.infer, pictures)
        for row, detections in enumerate(found):
            _check_detections(detections, model, row)
        return [_shifted(self._wanted(one), origin) for one, origin in zip(found, origins, strict=True)]

    def classify(
        self, frames: Sequence[Frame], regions: Sequence[Region] | None = None
    ) -> list[Classification]:
        """The class of each frame, or of each region; arguments and errors as for `infer`."""
        model = self.model
        if not isinstance(model, Classifier):
            raise ModelError(f"{_name(model)} is a detector and does not classify; use a classifier here")
        results = self._in_slices(model.classify, _cut(frames, regions)[0])
        return [_checked_classification(result, model, row) for row, result in enumerate(results)]

    def run(self, frames: Sequence[Frame], regions: Sequence[Region] | None = None) -> list[Result]:
        """What the model, of whatever kind, says of each frame; arguments and errors as for `infer`."""
        model = self.model
        if isinstance(model, Detector):
            return [Result(detections=one, names=model.labels) for one in self.infer(frames, regions)]
        if isinstance(model, Classifier):
            classes = len(model.labels)
            found = self.classify(frames, regions)
            return [Result(labels=(Label(c.label, c.class_id, c.confidence, 0, classes),)) for c in found]
        if not isinstance(model, Network):
            raise ModelError(
                f"{_name(model)} is no Detector, Classifier or Network; derive it from one of them"
            )
        pictures, origins = _cut(frames, regions)
        results = self._in_slices(model.results, pictures)
        return [
            result
            if result.detections is None
            else replace(result, detections=_shifted(result.detections, origin))
            for result, origin in zip(results, origins, strict=True)
        ]

    def submit(
        self, frames: Sequence[Frame], regions: Sequence[Region] | None = None
    ) -> Future[list[Result]]:
        """Call `run` on the stage's thread, in order of submission.

        The frames must stay valid until the future is done.

        Raises:
            ModelError: The stage is closed.
        """
        return self.call(self.run, frames, regions)

    def replace(self, model: Model) -> Future[Model]:
        """Put another model in the place of the present one, after what was submitted before.

        Returns:
            A future of the model that was replaced; nothing calls it any more.

        Raises:
            ModelError: The stage is closed.
        """
        return self.call(self._exchange, model)

    def _exchange(self, model: Model) -> Model:
        before, self.model = self.model, model
        return before

    def call(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a function on the stage's thread, in order of submission.

        Raises:
            ModelError: The stage is closed.
        """
        try:
            return self._worker.submit(function, *arguments)
        except RuntimeError as error:
            raise ModelError(f"the stage of {_name(self.model)} is closed; make a new one") from error

    def close(self, timeout: float | None = None) -> bool:
        """Finish what was submitted and stop the thread; may be called again.

        Args:
            timeout: Seconds to wait for a call of the model that is under way; ``None`` for ever.

        Returns:
            Whether the model has returned. If not, its thread is left behind.
        """
        return self._worker.close(timeout)

    def _in_slices(
        self, call: Callable[[FrameBatch], Sequence[_Result]], frames: list[Frame]
    ) -> list[_Result]:
        size = self._options.batch_size or len(frames)
        results: list[_Result] = []
        for start in range(0, len(frames), max(size, 1)):
            batch = FrameBatch(frames[start : start + size])
            with self._model_lock:
                part = call(batch)
            _check_count(part, len(batch), self.model)
            results.extend(part)
        return results

    def _wanted(self, found: Detections) -> Detections:
        keep = found.confidence >= self._options.confidence
        if self._options.classes is not None:
            keep &= np.isin(found.class_id, self._options.classes)
        rows = np.flatnonzero(keep)
        if len(rows) > self._options.max_detections:
            strongest = np.argsort(-found.confidence[rows], kind="stable")
            rows = rows[strongest[: self._options.max_detections]]
        return found if len(rows) == len(found) else found[rows]


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
    frames: Sequence[Frame], regions: Sequence[Region] | None
) -> tuple[list[Frame], list[tuple[int, int]]]:
    if regions is None:
        return list(frames), [(0, 0)] * len(frames)
    if len(regions) != len(frames):
        raise ModelError(f"{len(regions)} regions for {len(frames)} frames; give one for each")
    cuts = [crop(frame, region) for frame, region in zip(frames, regions, strict=True)]
    return [picture for picture, _ in cuts], [origin for _, origin in cuts]


def _shifted(found: Detections, origin: tuple[int, int]) -> Detections:
    if origin == (0, 0):
        return found
    return replace(found, xyxy=found.xyxy + np.array(origin * 2, np.float32))


_RETURNS: dict[type[Model], tuple[str, str]] = {
    Detector: ("infer", "Detections"),
    Classifier: ("classify", "classification"),
    Network: ("results", "Result"),
}


def _name(model: object) -> str:
    return type(model).__name__


def _check_count(results: Any, frames: int, model: Model) -> None:
    method, noun = _RETURNS[next(kind for kind in _RETURNS if isinstance(model, kind))]
    if not isinstance(results, list | tuple):
        raise ModelError(
            f"{_name(model)}.{method} returned {_name(results)}; expected a list, one {noun} per frame"
        )
    if len(results) != frames:
        raise ModelError(
            f"{_name(model)}.{method} returned {len(results)} results for {frames} frames; expected one each"
        )


def _check_detections(found: Any, model: Detector, row: int) -> None:
    where = f"{_name(model)}.infer, frame {row} of the batch"
    if not isinstance(found, Detections):
        raise ModelError(f"{where}: returned {_name(found)}; expected headrace.Detections")
    if not (np.isfinite(found.xyxy).all() and np.isfinite(found.confidence).all()):
        raise ModelError(
            f"{where}: boxes or confidences are not finite (NaN or infinite); expected pixels and 0-1"
        )
    classes = found.class_id.tolist()
    if classes and min(classes) < 0:
        raise ModelError(f"{where}: class {min(classes)} is negative; expected numbers from 0")
    if classes and model.labels and max(classes) >= len(model.labels):
        raise ModelError(
            f"{where}: class {max(classes)} has no label, there are {len(model.labels)} labels; "
            f"give {max(classes) + 1} or more"
        )


def _checked_classification(result: Any, model: Classifier, row: int) -> Classification:
    try:
        class_id, confidence, label = result
        return Classification(int(class_id), float(confidence), str(label))
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"{_name(model)}.classify, frame {row} of the batch: returned {result!r}; "
            "expected (class_id, confidence, label)"
        ) from error
