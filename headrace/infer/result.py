"""What a model says of one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
