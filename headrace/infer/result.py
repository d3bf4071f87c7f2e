"""What a model says of one picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload

import numpy as np
from numpy.typing import NDArray

from headrace.meta import Detections, Label, Segmentation, TensorOutput
from headrace.meta.skeleton import Edges


@dataclass(frozen=True, slots=True)
class Result:
    """What a model says of one picture; what it does not speak of is ``None``.

    Attributes:
        detections: Objects, boxes in pixels of the frame.
        names: Names of the classes of ``detections``.
        labels: What a classifier recognised, one entry for each of its outputs that say something.
        segmentation: The class of each pixel of the network's picture.
        tensors: Raw outputs.
        keypoints: ``(k, 3)`` float32 x, y in pixels of the picture and confidence in 0–1: the pose of the one object
            that it shows. Of the region of an object they are in pixels of the frame once `InferStage` has run.
        embedding: ``(d,)`` float32, what the picture looks like or means, for comparisons.
        skeleton: Pairs of keypoints that a line joins, for these and for those of ``detections``; ``None`` for what
            `Skeleton` knows.

    Example:
        >>> Result(labels=(Label("red", 3, 0.9),)).detections is None
        True
    """

    detections: Detections | None = None
    names: Sequence[str] = ()
    labels: Sequence[Label] | None = None
    segmentation: Segmentation | None = None
    tensors: TensorOutput | None = None
    keypoints: NDArray[np.float32] | None = None
    embedding: NDArray[np.float32] | None = None
    skeleton: Edges | None = None

    @property
    def only_boxes(self) -> bool:
        """Whether it speaks of upright boxes and of nothing else."""
        found = self.detections
        return found is not None and not any(
            value is not None
            for value in (
                found.masks, found.rotation, found.keypoints, found.embeddings,
                self.labels, self.segmentation, self.tensors, self.keypoints, self.embedding,
            )
        )  # fmt: skip

    @property
    def objects(self) -> Result:
        """The detections alone, with what belongs to them."""
        return Result(self.detections, self.names, skeleton=self.skeleton)


class BoxResults(Sequence[Result]):
    """What a model of upright boxes says of several pictures, as one table: whoever wants only that needs no loop.

    The `Result` of a picture is made when somebody asks for it; its arrays are views. Not to be changed.

    Args:
        boxes: Those of all pictures, one picture after the other, in pixels of each.
        counts: How many of them each picture has.
        names: Names of the classes.

    Attributes:
        boxes: As given.
        counts: As given.
        names: As given.

    Example:
        >>> results = BoxResults(Detections([[0, 0, 9, 9], [1, 1, 5, 5]]), [0, 2], ("car",))
        >>> [len(result.detections) for result in results]
        [0, 2]
    """

    __slots__ = ("_ends", "boxes", "counts", "names")

    def __init__(self, boxes: Detections, counts: Sequence[int], names: Sequence[str]) -> None:
        self.boxes, self.counts, self.names = boxes, counts, names
        self._ends: list[int] | None = None

    def only(self, rows: NDArray[np.bool_]) -> BoxResults:
        """The same without the boxes that a mask leaves out."""
        of = np.repeat(np.arange(len(self)), self.counts)
        counts = np.bincount(of[rows], minlength=len(self)).tolist()
        return BoxResults(self.boxes[rows], counts, self.names)

    def __len__(self) -> int:
        return len(self.counts)

    @overload
    def __getitem__(self, index: int) -> Result: ...
    @overload
    def __getitem__(self, index: slice) -> list[Result]: ...
    def __getitem__(self, index: int | slice) -> Result | list[Result]:
        if isinstance(index, slice):
            return [self[place] for place in range(len(self))[index]]
        place = range(len(self))[index]
        if self._ends is None:
            self._ends = list(accumulate(self.counts))
        end = self._ends[place]
        return Result(self.boxes[end - self.counts[place] : end], self.names)

    def __iter__(self) -> Iterator[Result]:
        return (self[place] for place in range(len(self)))
