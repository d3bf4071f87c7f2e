"""A model at work on batches: which frames or objects it sees, and how its results become metadata."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer import Classification, Classifier, Detector, InferOptions, InferStage, IntervalCounter
from headrace.meta.batch import Batch
from headrace.meta.detections import Detections
from headrace.meta.user import ClassifierMetadata, Label


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """Where a model works.

    Attributes:
        unique_id: Component id written into the metadata.
        secondary: On objects instead of frames.
        interval: Batches skipped after each inference.
        operate_on_component: Secondary: component whose objects are looked at, -1 for any.
        operate_on_classes: Secondary: classes that are looked at, ``None`` for all.
        filter_out_classes: Classes of detections that are left out.
    """

    unique_id: int = 1
    secondary: bool = False
    interval: int = 0
    operate_on_component: int = -1
    operate_on_classes: tuple[int, ...] | None = None
    filter_out_classes: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What was submitted: the future and, in secondary mode, the rows of the objects."""

    future: Future[Any]
    rows: NDArray[np.intp] | None = None

    def result(self) -> Any:
        """Wait for the model."""
        return self.future.result()

    def done(self) -> bool:
        """Whether there is a result, or an error."""
        return self.future.done()

    def cancel(self) -> bool:
        """Give up work that has not begun."""
        return self.future.cancel()

    def add_done_callback(self, call: Callable[[Any], Any]) -> None:
        """Call when done; at once if that is so already."""
        self.future.add_done_callback(call)


class Inference:
    """Takes ownership of the model; `submit` and `finish` may run on two threads."""

    def __init__(
        self, model: Detector | Classifier, options: InferOptions, settings: InferenceSettings
    ) -> None:
        self.model, self.settings = model, settings
        self._stage = InferStage(model, options)
        self._counter = IntervalCounter(settings.interval)

    def close(self) -> None:
        """Finish what was submitted and free the model.

        Raises:
            ModelError: The model does not return. Its thread is left behind; the process can end all the same.
        """
        if not self._stage.close(PATIENCE):
            name = type(self.model).__name__
            raise ModelError(f"model {name} has not returned for {PATIENCE:g} s: its thread is left behind")
        self.model.close()

    def submit(self, batch: Batch) -> Work | None:
        """Hand a batch to the model; ``None`` when it is skipped or has nothing to look at."""
        if not batch.surfaces:
            return None
        if not self._counter.due():
            for frame in batch.meta.frames:
                frame.infer_skipped = not self.settings.secondary
            return None
        if not self.settings.secondary:
            return Work(self._stage.submit([surface.frame() for surface in batch.surfaces]))
        rows = self._objects(batch)
        if not len(rows):
            return None
        table = batch.meta.objects
        frames = {index: batch.surfaces[index].frame() for index in set(table.column("frame")[rows].tolist())}
        ltwh = table.column("rect")[rows]
        regions = np.concatenate([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]], axis=1).tolist()
        pictures = [frames[index] for index in table.column("frame")[rows].tolist()]
        return Work(self._stage.submit(pictures, [tuple(region) for region in regions]), rows)

    def _objects(self, batch: Batch) -> NDArray[np.intp]:
        """Rows of the objects to look at: chosen component and class, inside of their frame, not empty."""
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
        chosen: NDArray[np.intp] = rows[((high - low) >= 1).all(axis=1)]
        return chosen

    def finish(self, batch: Batch, work: Work) -> None:
        """Wait for the model and write what it found."""
        results = work.result()
        classes = isinstance(self.model, Classifier)
        if work.rows is None:
            for frame in batch.meta.frames:
                frame.infer_done = True
            if classes:
                self._label_frames(batch, results)
            else:
                self._add_objects(batch, results)
        elif classes:
            for row, result in zip(work.rows.tolist(), results, strict=True):
                batch.meta.objects.classifiers.setdefault(row, []).append(self._labelled(result))
        else:
            self._add_parts(batch, work.rows, results)

    def _add_objects(self, batch: Batch, results: Sequence[Detections]) -> None:
        for frame, found in zip(batch.meta.frames, results, strict=True):
            frame.add_detections(self._wanted(found), self.model.labels, self.settings.unique_id)

    def _add_parts(self, batch: Batch, rows: NDArray[np.intp], results: Sequence[Detections]) -> None:
        frames = batch.meta.objects.column("frame")[rows].tolist()
        for row, index, found in zip(rows.tolist(), frames, results, strict=True):
            frame = batch.meta.frames[index]
            frame.add_detections(self._wanted(found), self.model.labels, self.settings.unique_id, parent=row)

    def _label_frames(self, batch: Batch, results: Sequence[Classification]) -> None:
        """A classifier of whole frames makes one object of class -1 over each (contract: configs §1.3)."""
        for frame, surface, result in zip(batch.meta.frames, batch.surfaces, results, strict=True):
            box = np.array([0, 0, surface.layout.width, surface.layout.height], np.float32)
            rows = batch.meta.objects.add(
                1, frame=frame.batch_id, class_id=-1, component_id=self.settings.unique_id, rect=box,
                detector_box=box, confidence=result.confidence, border_width=_FRAME_BORDER,
                border_color=(1.0, 0.0, 0.0, 1.0),
            )  # fmt: skip
            batch.meta.objects.classifiers[rows.start] = [self._labelled(result)]

    def _labelled(self, result: Classification) -> ClassifierMetadata:
        label = Label(result.label, result.class_id, result.confidence, 0, len(self.model.labels))
        return ClassifierMetadata(self.settings.unique_id, "", [label])

    def _wanted(self, found: Detections) -> Detections:
        unwanted = self.settings.filter_out_classes
        return found if unwanted is None else found[~np.isin(found.class_id, unwanted)]


_FRAME_BORDER = 6

#: Seconds that a model's call under way may take when the pipeline ends.
PATIENCE = 1.0
