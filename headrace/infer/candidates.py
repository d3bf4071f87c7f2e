"""What decoders find: boxes of a whole batch as parallel arrays, before overlapping ones are suppressed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np

from headrace.meta import Detections
from headrace.meta.detections import to_numpy as to_numpy

#: A NumPy array, or a tensor of another library that follows the array API (torch), on any device.
Array = Any


@dataclass(slots=True)
class Candidates:
    """Boxes of all frames of a batch; row ``i`` of every array is one box, frames in rising order.

    A decoder makes them in the library of its inputs; `numpy` brings them to the CPU.

    Attributes:
        frame: ``(n,)`` integers, row of the batch.
        xyxy: ``(n, 4)`` left, top, right, bottom in pixels of the network's input; of an oriented box before
            it is turned.
        confidence: ``(n,)`` in 0–1.
        class_id: ``(n,)`` integers from 0.
        rotation: ``(n,)`` degrees clockwise about the box's centre, or ``None``.
        keypoints: ``(n, k, 3)`` x, y in pixels of the network's input and confidence in 0–1, or ``None``.
        factors: ``(n, m)`` what a decoder wants to know of the boxes that are kept, or ``None``.
        masks: ``(n, h, w)`` 0–1 over each box, or ``None``.

    Example:
        >>> found = Candidates(np.array([0, 2]), np.zeros((2, 4)), np.array([0.9, 0.8]), np.array([1, 1]))
        >>> [len(one) for one in found.split(3)]
        [1, 0, 1]
    """

    frame: Array
    xyxy: Array
    confidence: Array
    class_id: Array
    rotation: Array | None = None
    keypoints: Array | None = None
    factors: Array | None = None
    masks: Array | None = None

    def __len__(self) -> int:
        return int(self.frame.shape[0])

    def __getitem__(self, rows: Array) -> Candidates:
        """The candidates of some rows: mask, index array or slice."""
        columns = (getattr(self, field.name) for field in fields(self))
        return Candidates(*(None if column is None else column[rows] for column in columns))

    def numpy(self) -> Candidates:
        """The same in NumPy's arrays; tensors of another device are copied."""
        frame, class_id = (to_numpy(column, np.intp) for column in (self.frame, self.class_id))
        floats = (self.xyxy, self.confidence, self.rotation, self.keypoints, self.factors, self.masks)
        xyxy, confidence, *others = (None if c is None else to_numpy(c, np.float32) for c in floats)
        return Candidates(frame, xyxy, confidence, class_id, *others)

    def parts(self, frames: int) -> list[slice]:
        """Rows of each frame of the batch; needs NumPy's arrays."""
        if frames == 1:
            return [slice(0, len(self))]
        bounds = np.searchsorted(self.frame, np.arange(frames + 1)).tolist()
        return [slice(*pair) for pair in pairwise(bounds)]

    def split(self, frames: int) -> list[Detections]:
        """One `Detections` for each frame of the batch; needs NumPy's arrays."""
        return [self._detections(rows) for rows in self.parts(frames)]

    def _detections(self, rows: slice) -> Detections:
        part = self[rows]
        return Detections(
            part.xyxy, part.confidence, part.class_id, masks=part.masks, rotation=part.rotation,
            keypoints=part.keypoints,
        )  # fmt: skip


def strongest(found: Candidates, limit: int) -> Candidates:
    """At most a number of boxes of each frame, the most confident; NumPy's arrays, order by confidence."""
    weakness, frame = -found.confidence, found.frame
    several = len(frame) > 1 and frame[0] != frame[-1]
    order = np.lexsort((weakness, frame)) if several else weakness.argsort(kind="stable")
    if len(order) > limit:
        frame = frame[order]
        order = order[np.arange(len(order)) - np.searchsorted(frame, frame) < limit]
    return found[order]
