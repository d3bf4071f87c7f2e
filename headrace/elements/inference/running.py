"""A model at work on batches: which frames or objects it sees, and how its results come back to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.elements.inference.model_slot import ModelSlot
from headrace.elements.inference.prepared import black_tensors, prepared_for, run_prepared, targets_of
from headrace.elements.inference.results import ResultSettings, Target, write_labels, write_result
from headrace.infer import InferOptions, IntervalCounter, Region
from headrace.infer.history import ObjectHistory
from headrace.infer.model import Model
from headrace.infer.result import Result
from headrace.meta.batch import Batch
from headrace.meta.objects import UNTRACKED


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """Where a model works.

    Attributes:
        results: How results are written.
        secondary: On objects instead of frames.
        interval: Batches skipped after each inference.
        operate_on_component: Secondary: component whose objects are looked at, -1 for any.
        operate_on_classes: Secondary: classes that are looked at, ``None`` for all.
        least_size: Secondary: width and height in pixels that an object must have.
        greatest_size: Secondary: width and height that it may have, 0 for any.
        reinfer_interval: Secondary: frames after which a tracked object is looked at again, its labels staying
            with it meanwhile; ``None`` looks at every object in every frame.
        asynchronous: Secondary: only tracked objects, and batches do not wait for them.
        prepared: On tensors of nvdspreprocess instead of frames or objects.
        clip: With those: cut boxes at the region that they were found in.
    """

    results: ResultSettings = field(default_factory=ResultSettings)
    secondary: bool = False
    interval: int = 0
    operate_on_component: int = -1
    operate_on_classes: tuple[int, ...] | None = None
    least_size: tuple[int, int] = (1, 1)
    greatest_size: tuple[int, int] = (0, 0)
    reinfer_interval: int | None = None
    asynchronous: bool = False
    prepared: bool = False
    clip: bool = True


@dataclass(frozen=True, slots=True)
class Work:
    """What was submitted for a batch.

    Attributes:
        targets: What the results will speak of, in order.
        future: The results; ``None`` where there is nothing to wait for.
        known: Rows of tracked objects whose labels come from the history.
    """

    targets: Sequence[Target] = ()
    future: Future[list[Result]] | None = None
    known: Sequence[int] = ()

    def result(self) -> list[Result]:
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
    """Takes ownership of the model; `submit` and `finish` may run on two threads.

    Attributes:
        slot: The model.
    """

    def __init__(self, model: Model, options: InferOptions, settings: InferenceSettings) -> None:
        self._settings = settings
        self.slot = ModelSlot(model, options)
        self._counter = IntervalCounter(settings.interval)
        interval = settings.reinfer_interval
        self._history = None if interval is None else ObjectHistory(interval)
        self._failure: BaseException | None = None

    @property
    def settings(self) -> InferenceSettings:
        """Where the model works; may be replaced at any time, and holds from the next batch on."""
        return self._settings

    @settings.setter
    def settings(self, settings: InferenceSettings) -> None:
        self._settings, self._counter.interval = settings, settings.interval

    def close(self) -> None:
        """Finish what was submitted and free the model; errors as for `ModelSlot.close`."""
        self.slot.close()

    def forget(self, source: int) -> None:
        """A source has gone."""
        if self._history is not None:
            self._history.forget(source)

    def submit(self, batch: Batch) -> Work | None:
        """Hand a batch to the model; ``None`` when it is skipped or has nothing to look at.

        Raises:
            Exception: What failed since the last call, where batches do not wait for the model.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if not batch.surfaces:
            return None
        if not self._counter.due():
            for frame in batch.meta.frames:
                frame.infer_skipped = not self.settings.secondary
            return None
        if self.settings.prepared:
            return self._submit_prepared(batch)
        if self.settings.secondary:
            return self._submit_objects(batch)
        targets = [Target(index) for index in range(len(batch.surfaces))]
        return Work(targets, self.slot.submit([surface.frame() for surface in batch.surfaces]))

    def _submit_prepared(self, batch: Batch) -> Work | None:
        prepared = prepared_for(batch.meta, self.settings.results.unique_id)
        if not prepared:
            return None
        clip = self.settings.clip
        future = self.slot.call(
            lambda model: run_prepared(model, batch.meta, prepared, clip), black_tensors(prepared)
        )
        return Work(targets_of(batch.meta, prepared), future)

    def _submit_objects(self, batch: Batch) -> Work | None:
        rows = self._objects(batch)
        known: list[int] = []
        if self._history is not None:
            rows, known = self._due(batch, rows, self._history)
        if not len(rows):
            return Work(known=known) if known else None
        table = batch.meta.objects
        indexes = table.column("frame")[rows].tolist()
        frames = {index: batch.surfaces[index].frame() for index in set(indexes)}
        future = self.slot.submit([frames[index] for index in indexes], _regions(table.column("rect")[rows]))
        targets = [Target(index, row) for index, row in zip(indexes, rows.tolist(), strict=True)]
        if not self.settings.asynchronous:
            return Work(targets, future, known)
        keys = [self._key(batch, row) for row in rows.tolist()]
        future.add_done_callback(lambda done: self._keep(keys, done))
        return Work(known=[*known, *rows.tolist()])

    def _objects(self, batch: Batch) -> NDArray[np.intp]:
        """Rows of the objects to look at: chosen component, class and size, inside of their frame."""
        table, settings = batch.meta.objects, self.settings
        rows = table.attached()
        if settings.operate_on_component >= 0:
            rows = rows[table.column("component_id")[rows] == settings.operate_on_component]
        if settings.operate_on_classes is not None:
            rows = rows[np.isin(table.column("class_id")[rows], settings.operate_on_classes)]
        ltwh = table.column("rect")[rows]
        sizes = np.array([(s.layout.width, s.layout.height) for s in batch.surfaces], np.float32)
        limit = sizes[table.column("frame")[rows]]
        low, high = np.maximum(ltwh[:, :2], 0), np.minimum(ltwh[:, :2] + ltwh[:, 2:], limit)
        greatest = [side or np.inf for side in settings.greatest_size]
        fits = (ltwh[:, 2:] >= settings.least_size) & (ltwh[:, 2:] <= greatest) & (high - low >= 1)
        chosen: NDArray[np.intp] = rows[fits.all(axis=1)]
        return chosen

    def _due(
        self, batch: Batch, rows: NDArray[np.intp], history: ObjectHistory
    ) -> tuple[NDArray[np.intp], list[int]]:
        """Rows to look at now, and rows of tracked objects whose labels are known or will be."""
        table = batch.meta.objects
        areas = table.column("rect")[rows, 2] * table.column("rect")[rows, 3]
        due, known = [], []
        for row, area in zip(rows.tolist(), areas.tolist(), strict=True):
            source, number = self._key(batch, row)
            if number == UNTRACKED:
                if not self.settings.asynchronous:
                    due.append(row)
            elif history.due(source, number, batch.meta.frames[table.cell("frame", row)].frame_number, area):
                due.append(row)
            else:
                known.append(row)
        for frame in batch.meta.frames:
            history.trim(frame.pad_index, frame.frame_number)
        return np.array(due, np.intp), known

    def _key(self, batch: Batch, row: int) -> tuple[int, int]:
        """Source and track id of an object."""
        table = batch.meta.objects
        return batch.meta.frames[table.cell("frame", row)].pad_index, int(table.cell("object_id", row))

    def finish(self, batch: Batch, work: Work) -> None:
        """Wait for the model and write what it found."""
        settings = self.settings.results
        try:
            results = work.result()
        except BaseException:
            self._store(batch, work.targets, [Result()] * len(work.targets))
            raise
        for frame in () if self.settings.secondary else batch.meta.frames:
            frame.infer_done = True
        results = self._store(batch, work.targets, results)
        for target, result in zip(work.targets, results, strict=True):
            write_result(batch, target, result, settings)
        for row in work.known:
            labels = self._history.labels(*self._key(batch, row)) if self._history is not None else []
            if labels:
                write_labels(batch, row, labels, settings)

    def _store(self, batch: Batch, targets: Sequence[Target], results: list[Result]) -> list[Result]:
        """Remember the labels of tracked objects; results with all that is known of them."""
        history = self._history
        if history is None:
            return results
        complete = []
        for target, result in zip(targets, results, strict=True):
            key = self._key(batch, target.row)
            if key[1] != UNTRACKED:
                history.store(*key, result.labels or ())
                result = replace(result, labels=history.labels(*key))
            complete.append(result)
        return complete

    def _keep(self, keys: Sequence[tuple[int, int]], done: Future[list[Result]]) -> None:
        """Asynchronous results go to the history only; runs on the model's thread."""
        if self._history is None or done.cancelled():
            return
        self._failure = done.exception() or self._failure
        results = [Result()] * len(keys) if done.exception() else done.result()
        for key, result in zip(keys, results, strict=True):
            self._history.store(*key, result.labels or ())


def _regions(ltwh: NDArray[np.float32]) -> list[Region]:
    corners = np.concatenate([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]], axis=1)
    return [(left, top, right, bottom) for left, top, right, bottom in corners.tolist()]
