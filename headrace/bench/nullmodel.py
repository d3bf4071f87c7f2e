"""A model that costs nothing: what is left is the cost of the elements around it."""

from __future__ import annotations

import math

import numpy as np

from headrace.infer import Detector, FrameBatch, InferOptions
from headrace.meta.detections import Detections

#: Objects in each frame.
OBJECTS = 20
#: Batches after which the boxes are back where they began.
PERIOD = 120
#: Width and height within which the boxes move, in pixels.
SIZE = (640, 360)


class NullModel(Detector):
    """Returns prepared boxes that wander about, meet and part, so that a tracker has its usual work.

    Example:
        >>> first, second = prepared(seed=1)[:2]
        >>> len(first), bool((first.xyxy != second.xyxy).any())
        (20, True)
    """

    labels = ("car", "person", "bicycle", "bus")

    def load(self, options: InferOptions) -> None:
        """Prepare a round of detections."""
        self._prepared = prepared(seed=1)
        self._batch = 0

    def infer(self, frames: FrameBatch) -> list[Detections]:
        """The same prepared objects for each frame of the batch, the next ones for the next batch."""
        found = self._prepared[self._batch % PERIOD]
        self._batch += 1
        return [found] * len(frames)


def prepared(seed: int, objects: int = OBJECTS) -> list[Detections]:
    """A round of detections: ``objects`` boxes, each on an ellipse of its own within `SIZE`."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(20, 80, (objects, 2))
    middle = np.array(SIZE) / 2
    reach = (middle - size) * rng.uniform(0.3, 1.0, (objects, 2))
    phase = rng.uniform(0, 2 * math.pi, (objects, 2))
    confidence = rng.uniform(0.5, 1.0, objects).astype(np.float32)
    class_id = (np.arange(objects) % len(NullModel.labels)).astype(np.int32)
    round_ = []
    for step in range(PERIOD):
        centre = middle + reach * np.sin(phase + 2 * math.pi * step / PERIOD)
        corners = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
        round_.append(Detections(corners.astype(np.float32), confidence, class_id))
    return round_
