"""What a secondary model knows of the tracked objects of batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headrace.elements.inference.results import Target
from headrace.infer.result import Result
from headrace.infer.targets.history import ObjectHistory
from headrace.meta.batch import Batch
from headrace.meta.objects import UNTRACKED

#: Source and track id.
Key = tuple[int, int]


class TrackMemory:
    """The history of a model's objects, by rows of batches; may be used by several threads.

    Args:
        interval: Frames after which a tracked object is looked at again.
    """

    def __init__(self, interval: int) -> None:
        self._history = ObjectHistory(interval)

    def forget(self, source: int) -> None:
        """A source has gone."""
        self._history.forget(source)

    def key(self, batch: Batch, row: int) -> Key:
        """Source and track id of an object."""
        table = batch.meta.objects
        return batch.meta.frames[table.cell("frame", row)].pad_index, int(table.cell("object_id", row))

    def due(
        self, batch: Batch, rows: NDArray[np.intp], tracked_only: bool
    ) -> tuple[NDArray[np.intp], list[int]]:
        """Rows to look at now, and rows of tracked objects of which enough is known, or will be.

        Args:
            batch: The batch.
            rows: Objects that may be looked at.
            tracked_only: Whether those without a track are left out.
        """
        table, frames = batch.meta.objects, batch.meta.frames
        areas = table.column("rect")[rows, 2] * table.column("rect")[rows, 3]
        places, ids = table.column("frame")[rows].tolist(), table.column("object_id")[rows].tolist()
        due, known = [], []
        for row, place, number, area in zip(rows.tolist(), places, ids, areas.tolist(), strict=True):
            if number == UNTRACKED:
                if not tracked_only:
                    due.append(row)
            elif self._history.due(frames[place].pad_index, number, frames[place].frame_number, area):
                due.append(row)
            else:
                known.append(row)
        for frame in frames:
            self._history.trim(frame.pad_index, frame.frame_number)
        return np.array(due, np.intp), known

    def store(self, keys: Sequence[Key], results: Sequence[Result]) -> None:
        """Remember what was said of objects."""
        for key, result in zip(keys, results, strict=True):
            self._history.store(*key, result)

    def give_up(self, batch: Batch, targets: Sequence[Target]) -> None:
        """Looking at objects has failed; they are due again."""
        self.store([self.key(batch, target.row) for target in targets], [Result()] * len(targets))

    def complete(self, batch: Batch, targets: Sequence[Target], results: Sequence[Result]) -> list[Result]:
        """Remember what was said of objects; the results with all that is known of each, once."""
        complete, rows = [], set()
        for target, result in zip(targets, results, strict=True):
            key = self.key(batch, target.row)
            if key[1] != UNTRACKED and target.row not in rows:
                rows.add(target.row)
                self._history.store(*key, result)
                known = self._history.known(*key)
                result = replace(result, labels=known.labels, embedding=known.embedding)
            complete.append(result)
        return complete

    def known(self, batch: Batch, rows: Sequence[int]) -> tuple[list[Target], list[Result]]:
        """What is known of objects that were not looked at."""
        frames = batch.meta.objects.column("frame")
        targets = [Target(int(frames[row]), row) for row in rows]
        return targets, [self._history.known(*self.key(batch, row)) for row in rows]
