"""A model at work on batches: which frames or objects it sees, and how its results come back to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace import profiling
from headrace.elements.inference.choosing import (
    chosen_objects,
    frame_of,
    frame_targets,
    object_targets,
    sizes_of,
)
from headrace.elements.inference.model_slot import ModelSlot
from headrace.elements.inference.parts import put_together
from headrace.elements.inference.prepared import black_tensors, prepared_for, run_prepared, targets_of
from headrace.elements.inference.results import Target, write_result, write_results
from headrace.elements.inference.settings import InferenceSettings
from headrace.elements.inference.tracked import Key, TrackMemory
from headrace.frames.frame import Frame
from headrace.infer import IntervalCounter, Region
from headrace.infer.result import Result
from headrace.infer.targets.continuation import Continuation
from headrace.infer.targets.listing import Targets
from headrace.infer.targets.motion_gate import MotionGate
from headrace.meta.batch import Batch


@dataclass(frozen=True, slots=True)
class Work:
    """What was submitted for a batch.

    Attributes:
        targets: What the results will speak of, in order.
        future: The results; ``None`` where there is nothing to wait for.
        known: Rows of tracked objects of whom what is known comes from the history.
        parts: Whether several targets are of one frame or object.
        looked: Positions of the frames that a primary model looks at.
        skipped: Positions of the frames that it leaves out, with whether something may have moved in them.
    """

    targets: Sequence[Target] = ()
    future: Future[Sequence[Result]] | None = None
    known: Sequence[int] = ()
    parts: bool = False
    looked: Sequence[int] = ()
    skipped: Sequence[tuple[int, bool]] = ()

    def result(self) -> Sequence[Result]:
        """Wait for the model."""
        return [] if self.future is None else self.future.result()

    def done(self) -> bool:
        """Whether there is a result, or an error."""
        return self.future is None or self.future.done()

    def cancel(self) -> bool:
        """Give up work that has not begun."""
        return self.future is None or self.future.cancel()

    def add_done_callback(self, call: Callable[[Any], Any]) -> None:
        """Call when done; at once if that is so already."""
        if self.future is None:
            call(self)
        else:
            self.future.add_done_callback(call)


class Inference:
    """A model's work on batches; `submit` and `finish` may run on two threads.

    Args:
        slot: The model.
        settings: Where it works.
        release: Lets go of the model, in place of closing the slot, which may serve others.

    Attributes:
        slot: The model.
    """

    def __init__(
        self, slot: ModelSlot, settings: InferenceSettings, release: Callable[[], None] | None = None
    ) -> None:
        self._settings = settings
        self.slot = slot
        self._release = release or slot.close
        self._counter = IntervalCounter(settings.interval)
        self._gate, self._continuation = _gate(settings), _continuation(settings)
        self._memory = _memory(settings)
        self._failure: BaseException | None = None

    @property
    def settings(self) -> InferenceSettings:
        """Where the model works; may be replaced at any time, and holds from the next batch on."""
        return self._settings

    @settings.setter
    def settings(self, settings: InferenceSettings) -> None:
        before, self._settings = self._settings, settings
        self._counter.interval = settings.interval
        if settings.gate != before.gate:
            self._gate = _gate(settings)
        if settings.skipped_frames != before.skipped_frames:
            self._continuation = _continuation(settings)
        if settings.reinfer_interval != before.reinfer_interval:
            self._memory = _memory(settings)

    def close(self) -> None:
        """Finish what was submitted and let go of the model; errors as for `ModelSlot.close`."""
        self._release()

    def forget(self, source: int) -> None:
        """A source has gone."""
        for memory in (self._memory, self._gate, self._continuation):
            if memory is not None:
                memory.forget(source)

    def submit(self, batch: Batch) -> Work | None:
        """Hand a batch to the model; ``None`` when it is skipped or has nothing to look at.

        Raises:
            Exception: What failed since the last call, where batches do not wait for the model.
            ConfigError: A region lies outside of its frame.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if not batch.surfaces:
            return None
        if not self._counter.due():
            return self._skip(batch)
        if self.settings.prepared:
            return self._submit_prepared(batch)
        if self.settings.secondary:
            return self._submit_objects(batch)
        return self._submit_frames(batch)

    def _skip(self, batch: Batch) -> Work | None:
        if self.settings.secondary:
            return None
        for frame in batch.meta.frames:
            frame.infer_skipped = True
        if self._continuation is None:
            return None
        return Work(skipped=[(index, True) for index in range(len(batch.meta.frames))])

    def _submit_frames(self, batch: Batch) -> Work | None:
        metas, gate = batch.meta.frames, self._gate
        frames = {index: frame_of(batch, index) for index in range(len(batch.surfaces))}
        skipped = []
        if gate is not None:
            for index, meta in enumerate(metas):
                if not gate.opens(meta.pad_index, meta.frame_number, frames[index]):
                    del frames[index]
                    meta.infer_skipped = True
                    skipped.append((index, False))
        looked = list(frames)
        if not looked:
            return Work(skipped=skipped) if self._continuation is not None else None
        if self.settings.regions is None and self.settings.tiles is None:  # as below, but quicker
            profiling.follow(frames.values(), [metas[index] for index in looked])
            listed, future = [Target(index) for index in looked], self.slot.submit(list(frames.values()))
            return Work(listed, future, looked=looked, skipped=skipped)
        sizes = sizes_of(batch)
        targets = frame_targets(batch, looked, sizes, self.settings)
        return Work(*self._run(targets, sizes, frames), parts=True, looked=looked, skipped=skipped)

    def _run(
        self, targets: Targets, sizes: NDArray[np.float32], frames: Mapping[int, Frame]
    ) -> tuple[list[Target], Future[Sequence[Result]]]:
        """Pack the pictures of all targets and hand them to the model."""
        indexes, regions = targets.frame.tolist(), targets.regions(sizes)
        boxes: Sequence[Region | None] = regions if targets.parts else [None] * len(regions)
        rows = zip(indexes, targets.row.tolist(), boxes, strict=True)
        listed = [Target(index, row, None, box) for index, row, box in rows]
        return listed, self.slot.submit([frames[index] for index in indexes], regions)

    def _submit_prepared(self, batch: Batch) -> Work | None:
        prepared = prepared_for(batch.meta, self.settings.results.unique_id)
        if not prepared:
            return None
        clip = self.settings.clip
        targets = targets_of(batch.meta, prepared)
        future = self.slot.call(
            lambda model: run_prepared(model, batch.meta, prepared, clip),
            black_tensors(prepared),
            len(targets),
        )
        looked = () if self.settings.secondary else range(len(batch.meta.frames))
        return Work(targets, future, looked=looked)

    def _submit_objects(self, batch: Batch) -> Work | None:
        sizes = sizes_of(batch)
        rows = chosen_objects(batch, sizes, self.settings)
        known: list[int] = []
        settings, memory = self.settings, self._memory  # any thread may set others
        if memory is not None:
            rows, known = memory.due(batch, rows, settings.asynchronous)
        if not len(rows):
            return Work(known=known) if known else None
        targets = object_targets(batch, rows, sizes, settings)
        frames = {index: frame_of(batch, index) for index in np.unique(targets.frame).tolist()}
        listed, future = self._run(targets, sizes, frames)
        if memory is None or not settings.asynchronous:
            return Work(listed, future, known, targets.parts)
        keys = [memory.key(batch, target.row) for target in listed]
        future.add_done_callback(lambda done: self._keep(keys, done))
        return Work(known=[*known, *rows.tolist()])

    def finish(self, batch: Batch, work: Work) -> None:
        """Wait for the model and write what it found."""
        targets, memory, continuation = work.targets, self._memory, self._continuation
        try:
            results = work.result()
            if work.parts:
                targets, results = put_together(targets, results, self.settings.merge)
        except BaseException:
            self._give_up(batch, work)
            raise
        for index in work.looked:
            batch.meta.frames[index].infer_done = True
        if memory is not None:
            results = memory.complete(batch, targets, results)
            self._write(batch, *memory.known(batch, work.known))
        self._write(batch, targets, results)
        if continuation is not None:
            self._go_on(batch, targets, results, work.skipped, continuation)

    def _give_up(self, batch: Batch, work: Work) -> None:
        """What the model could not look at is due again."""
        memory, gate = self._memory, self._gate
        if memory is not None:
            memory.give_up(batch, work.targets)
        if gate is not None:
            for index in work.looked:
                gate.forget(batch.meta.frames[index].pad_index)

    def _write(self, batch: Batch, targets: Sequence[Target], results: Sequence[Result]) -> None:
        write_results(batch, targets, results, self.settings.results)

    def _go_on(
        self,
        batch: Batch,
        targets: Sequence[Target],
        results: Sequence[Result],
        skipped: Sequence[tuple[int, bool]],
        continuation: Continuation,
    ) -> None:
        """Remember what was found, and write it into the frames that nobody looked at."""
        frames = batch.meta.frames
        for target, result in zip(targets, results, strict=True):
            if target.row < 0:
                frame = frames[target.frame]
                continuation.note(frame.pad_index, frame.frame_number, result)
        for index, moving in skipped:
            frame = frames[index]
            size = frame.pipeline_width, frame.pipeline_height
            found = continuation.at(frame.pad_index, frame.frame_number, size, moving)
            if found is not None:
                write_result(batch, Target(index), found, self.settings.results)

    def _keep(self, keys: Sequence[Key], done: Future[Sequence[Result]]) -> None:
        """Asynchronous results are remembered only; runs on the model's thread."""
        memory = self._memory
        if memory is None or done.cancelled():
            return
        self._failure = done.exception() or self._failure
        memory.store(keys, [Result()] * len(keys) if done.exception() else done.result())


def _gate(settings: InferenceSettings) -> MotionGate | None:
    return None if settings.gate is None else MotionGate(*settings.gate)


def _continuation(settings: InferenceSettings) -> Continuation | None:
    kind = settings.skipped_frames
    return None if kind == "empty" else Continuation(predict=kind == "predict")


def _memory(settings: InferenceSettings) -> TrackMemory | None:
    interval = settings.reinfer_interval
    return None if interval is None else TrackMemory(interval)
