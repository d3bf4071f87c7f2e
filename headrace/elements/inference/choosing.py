"""Which frames, regions or objects of a batch a model looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.elements.inference.settings import InferenceSettings
from headrace.frames.frame import Frame
from headrace.gst.native import CLOCK_TIME_NONE
from headrace.infer.targets.listing import Targets, frame_regions, objects, tiled, whole_frames
from headrace.infer.targets.regions import Regions, inside
from headrace.meta.batch import Batch
from headrace.meta.columns import upright_boxes
from headrace.meta.regions import regions_of_interest


def sizes_of(batch: Batch) -> NDArray[np.float32]:
    """``(frames, 2)`` width and height."""
    return np.array([(one.layout.width, one.layout.height) for one in batch.surfaces], np.float32)


def frame_of(batch: Batch, index: int) -> Frame:
    """A frame's pixels, on the device where they lie there.

    They know where they come from: models may remember something of each camera.
    """
    meta = batch.meta.frames[index]
    pts = None if meta.buffer_pts == CLOCK_TIME_NONE else meta.buffer_pts
    return batch.surfaces[index].frame(source_id=meta.source_id, pts=pts, on_device=True)


def frame_targets(
    batch: Batch, frames: Sequence[int], sizes: NDArray[np.float32], settings: InferenceSettings
) -> Targets:
    """The frames, or their regions, as a whole or in tiles.

    Args:
        batch: The batch.
        frames: Positions of the frames that are looked at.
        sizes: See `sizes_of`.
        settings: Regions and tiles.

    Raises:
        ConfigError: A region lies outside of its frame.
    """
    chosen = np.asarray(frames, np.intp)
    if settings.regions is None:
        targets = whole_frames(sizes, chosen)
    else:
        boxes = [_regions(batch, index, settings.regions) for index in frames]
        of = np.repeat(chosen, [len(one) for one in boxes])
        targets = frame_regions(of, np.concatenate([np.empty((0, 4), np.float32), *boxes]))
    return targets if settings.tiles is None else tiled(targets, settings.tiles)


def _regions(batch: Batch, index: int, regions: Regions) -> NDArray[np.float32]:
    frame, layout = batch.meta.frames[index], batch.surfaces[index].layout
    if regions.from_meta:
        found = regions_of_interest(frame.user)
        if found is not None:
            return inside(found, layout.width, layout.height)
    return regions.of(frame.source_id, layout.width, layout.height)


def object_targets(
    batch: Batch, rows: NDArray[np.intp], sizes: NDArray[np.float32], settings: InferenceSettings
) -> Targets:
    """Objects, as a whole or in tiles."""
    table = batch.meta.objects
    frame = table.column("frame")[rows].astype(np.intp)
    targets = objects(frame, rows, upright_boxes(table, rows))
    if settings.tiles is None:
        return targets
    limit = np.hstack([sizes, sizes])[frame]
    cut = Targets(targets.frame, rows, np.clip(targets.xyxy, 0, limit))
    return tiled(cut, settings.tiles)


def chosen_objects(batch: Batch, sizes: NDArray[np.float32], settings: InferenceSettings) -> NDArray[np.intp]:
    """Rows of the objects to look at: chosen component, class and size, inside of their frame."""
    table = batch.meta.objects
    rows = table.attached()
    if settings.operate_on_component >= 0:
        rows = rows[table.column("component_id")[rows] == settings.operate_on_component]
    if settings.operate_on_classes is not None:
        rows = rows[np.isin(table.column("class_id")[rows], settings.operate_on_classes)]
    ltwh = upright_boxes(table, rows)
    limit = sizes[table.column("frame")[rows]]
    low, high = np.maximum(ltwh[:, :2], 0), np.minimum(ltwh[:, :2] + ltwh[:, 2:], limit)
    greatest = [side or np.inf for side in settings.greatest_size]
    fits = (ltwh[:, 2:] >= settings.least_size) & (ltwh[:, 2:] <= greatest) & (high - low >= 1)
    chosen: NDArray[np.intp] = rows[fits.all(axis=1)]
    return chosen
