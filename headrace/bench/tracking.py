"""What the tracker costs: CPU of a frame where boxes move steadily, and where they come and go."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.bench.statistics import Spread
from headrace.elements.tracking import BatchTracking
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.detections import Detections
from headrace.meta.frame import append_detections
from headrace.track import make_tracker

#: Width and height of the frames.
SIZE = (1920, 1080)
#: Objects of each frame, in the middle.
OBJECTS = 29
_FRAMES, _WARM, _LEAST = 300, 20, 60
_NS_PER_US = 1e3
#: Of the boxes that flicker: how many are seen, how many of those jump, and how far they tremble and jump, in sizes.
_SEEN, _JUMPING, _TREMOR, _JUMP = 0.6, 0.4, 0.02, 0.15


@dataclass(frozen=True, slots=True)
class TrackingCost:
    """The cost of tracking, from boxes in a batch's metadata to ids there.

    Attributes:
        boxes: How they behave.
        batch_size: Sources, and frames in a batch.
        per_frame: CPU microseconds of a frame.
    """

    boxes: str
    batch_size: int
    per_frame: Spread


def tracking_costs(batch_sizes: Sequence[int], frames: int = 4000, repeats: int = 5) -> list[TrackingCost]:
    """Measure `nvtracker`'s work on one thread, without the pipeline around it.

    Args:
        batch_sizes: Frames in a batch, one of each source.
        frames: Frames of a run, over all sources; at least 60 batches.
        repeats: Rounds.
    """
    costs = []
    for size in batch_sizes:
        for name, scene in SCENES.items():
            runs = [_run(scene(), size, max(frames // size, _LEAST)) for _ in range(repeats)]
            costs.append(TrackingCost(name, size, Spread.of(runs)))
    return costs


def steady() -> list[Detections]:
    """Frames of boxes that move on straight ways between the edges."""
    random = np.random.default_rng(0)
    place, step = random.uniform(0, 1, (OBJECTS, 2)) * SIZE, random.uniform(-4, 4, (OBJECTS, 2))
    size = random.uniform(30, 120, (OBJECTS, 2))
    frames = []
    for _ in range(_FRAMES):
        place = place + step
        step = np.where((place < 0) | (place > SIZE), -step, step)
        frames.append(_found(place + random.normal(0, 0.5, place.shape), size, np.zeros(OBJECTS, int)))
    return frames


def flickering() -> list[Detections]:
    """Frames of large boxes over each other that come and go, as a detector finds them that is sure of nothing."""
    random = np.random.default_rng(1)
    count = round(OBJECTS / _SEEN)
    place = random.uniform(0.1, 0.9, (count, 2)) * SIZE
    size = random.uniform(300, 700, (count, 2))
    class_id = random.choice(4, count, p=(0.45, 0.4, 0.1, 0.05))
    frames = []
    for _ in range(_FRAMES):
        seen = random.random(count) < _SEEN
        far = np.where(random.random((count, 1)) < _JUMPING, _JUMP, _TREMOR)
        now, large = (at + random.normal(0, 1, at.shape) * far * size for at in (place, size))
        frames.append(_found(now[seen], large[seen], class_id[seen]))
    return frames


#: Scenes by how their boxes behave.
SCENES: dict[str, Callable[[], list[Detections]]] = {"steady": steady, "flickering": flickering}


def _found(
    centre: NDArray[np.float64],
    size: NDArray[np.float64],
    class_id: NDArray[np.integer],
) -> Detections:
    boxes = np.hstack([centre - size / 2, centre + size / 2]).astype(np.float32)
    return Detections(boxes, np.full(len(boxes), 0.5, np.float32), class_id.astype(np.int32))


def _run(scene: Sequence[Detections], size: int, batches: int) -> float:
    """CPU microseconds of a frame; each source is at another frame of the scene."""
    tracking = BatchTracking(make_tracker())
    spent = 0
    for number in range(_WARM + batches):
        batch = _batch([scene[(number + 7 * source) % len(scene)] for source in range(size)], number)
        started = time.thread_time_ns()
        tracking.update(batch)
        if number >= _WARM:
            spent += time.thread_time_ns() - started
    return spent / (size * batches) / _NS_PER_US


def _batch(found: Sequence[Detections], number: int) -> Batch:
    meta = BatchMetadata.new()
    for source in range(len(found)):
        meta.add_frame(
            pad_index=source, source_id=source, frame_number=number, pipeline_width=SIZE[0], pipeline_height=SIZE[1]
        )  # fmt: skip
    frame = np.repeat(np.arange(len(found)), [len(one) for one in found])
    append_detections(meta.objects, frame, Detections.joined(found))
    return Batch(meta)
