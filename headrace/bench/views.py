"""What it costs to walk a batch's frames and objects in a probe and to read five fields of each object."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gi.repository import Gst

from headrace.bench.nullmodel import NullModel, prepared
from headrace.bench.statistics import Spread
from headrace.compat import PATH
from headrace.gst import payload
from headrace.meta import Batch, BatchMetadata

_FRAMES = 30
_ROUNDS = 20  # walks in one measurement
_NS_PER_US = 1e3


@dataclass(frozen=True, slots=True)
class ViewCost:
    """The cost of one API's views.

    Attributes:
        api: ``pyservicemaker`` or ``pyds``.
        per_object: CPU microseconds for an object, the iteration included.
        objects: Objects in the batch.
    """

    api: str
    per_object: Spread
    objects: int


def view_costs(repeats: int = 5) -> list[ViewCost]:
    """Measure a walk over 30 frames of 20 objects that reads class, id, confidence, label and left edge.

    Batch metadata is looked up anew for each walk, as a probe does. ``pyds`` is left out where it cannot be imported.

    Args:
        repeats: Measurements; one more before them warms up and is not counted.
    """
    meta = _filled()
    buffer = Gst.Buffer.new()
    payload.attach(hash(buffer), Batch(meta))
    costs = [_cost("pyservicemaker", lambda: _walk(meta), repeats)]
    pyds = _pyds()
    if pyds is not None:
        costs.append(_cost("pyds", lambda: _walk_pyds(pyds, hash(buffer)), repeats))
    return costs


def _filled() -> BatchMetadata:
    meta = BatchMetadata.new(_FRAMES)
    for frame, found in zip(meta.frames, prepared(seed=1), strict=False):
        frame.add_detections(found, NullModel.labels, component_id=1)
    return meta


def _cost(api: str, walk: Callable[[], int], repeats: int) -> ViewCost:
    times = []
    objects = 0
    for _ in range(repeats + 1):
        started = time.thread_time_ns()
        for _ in range(_ROUNDS):
            objects = walk()
        times.append((time.thread_time_ns() - started) / _ROUNDS / objects / _NS_PER_US)
    return ViewCost(api, Spread.of(times[1:]), objects)


def _walk(meta: BatchMetadata) -> int:
    count = 0
    for frame in meta.frame_items:
        for item in frame.object_items:
            _ = item.class_id, item.object_id, item.confidence, item.label, item.rect_params.left
            count += 1
    return count


def _walk_pyds(pyds: Any, buffer: int) -> int:
    count = 0
    frames = pyds.gst_buffer_get_nvds_batch_meta(buffer).frame_meta_list
    while frames is not None:
        objects = pyds.NvDsFrameMeta.cast(frames.data).obj_meta_list
        while objects is not None:
            item = pyds.NvDsObjectMeta.cast(objects.data)
            _ = item.class_id, item.object_id, item.confidence, item.obj_label, item.rect_params.left
            count += 1
            objects = objects.next
        frames = frames.next
    return count


def _pyds() -> Any:
    """The module ``pyds`` of this package, ``None`` where it is not there."""
    if str(PATH) not in sys.path:
        sys.path.append(str(PATH))
    try:
        module = importlib.import_module("pyds")
    except ImportError:
        return None
    return module if hasattr(module, "gst_buffer_get_nvds_batch_meta") else None
