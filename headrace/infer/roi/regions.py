"""Which regions of a batch are worked on: whole frames, regions of frames, or objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.infer.roi.config import Box, PreprocessConfig, RegionGroup
from headrace.infer.stage import IntervalCounter
from headrace.meta.batch import BatchMetadata
from headrace.meta.columns import upright_boxes
from headrace.meta.frame import FrameMetadata


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a frame that becomes a row of a tensor.

    Attributes:
        frame: Position of the frame in the batch.
        box: Left, top, width, height in pixels of the frame.
        key: The same for the same region, or object, of later frames: muxer's pad, group, number.
        row: Row of the object in the batch's table, -1 for a part of the frame.

    Example:
        >>> Region(0, (0, 0, 640, 360), (0, 0, 0)).ltrb
        (0, 0, 640, 360)
    """

    frame: int
    box: Box
    key: tuple[int, int, int]
    row: int = -1

    @property
    def ltrb(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom."""
        left, top, width, height = self.box
        return left, top, left + width, top + height


class RegionFinder:
    """Finds the regions of each batch; counts skipped batches, so one thread, one batch after the other.

    Example:
        >>> group = RegionGroup(process_on_roi=True, src_ids=(0,), rois={0: ((8, 8, 32, 16),)})
        >>> finder = RegionFinder(PreprocessConfig(groups=(group,), network_input_shape=(1, 3, 8, 8)))
        >>> batch = BatchMetadata.new()
        >>> frame = batch.add_frame(source_id=0, pipeline_width=64, pipeline_height=48)
        >>> [(region.frame, region.box) for region in finder.find(batch)]
        [(0, (8, 8, 32, 16))]
    """

    def __init__(self, config: PreprocessConfig) -> None:
        self._config = config
        self._counters = [IntervalCounter(group.interval) for group in config.groups]

    def find(self, batch: BatchMetadata) -> list[Region]:
        """The regions of a batch, group by group, in it frame by frame; the order of the tensor's rows.

        Regions of a configuration that reach over the frame are cut at its edges.
        """
        found: list[Region] = []
        for number, (group, counter) in enumerate(zip(self._config.groups, self._counters, strict=True)):
            if not counter.due():
                continue
            for frame in batch.frames:
                if group.has(frame.source_id):
                    if self._config.process_on_frame:
                        found += _frame_regions(group, number, frame)
                    else:
                        found += self._objects(group, number, batch, frame)
        return found

    def _objects(
        self, group: RegionGroup, number: int, batch: BatchMetadata, frame: FrameMetadata
    ) -> Iterator[Region]:
        table = batch.objects
        rows = table.rows_of(frame.batch_id)
        rows = rows[self._wanted(group, batch, frame, rows)]
        ids, boxes = table.column("object_id")[rows].tolist(), upright_boxes(table, rows).tolist()
        for row, object_id, box in zip(rows.tolist(), ids, boxes, strict=True):
            yield Region(frame.batch_id, tuple(box), (frame.pad_index, number, object_id), row)

    def _wanted(
        self, group: RegionGroup, batch: BatchMetadata, frame: FrameMetadata, rows: NDArray[np.intp]
    ) -> NDArray[np.bool_]:
        """Objects of the right maker, class and size, in the right place, with a pixel inside the frame."""
        table, maker = batch.objects, self._config.operate_on_gie_id
        boxes, classes = upright_boxes(table, rows), group.operate_on_class_ids
        limit = np.array((frame.pipeline_width, frame.pipeline_height), np.float32)
        low, high = np.maximum(boxes[:, :2], 0), np.minimum(boxes[:, :2] + boxes[:, 2:], limit)
        least = (group.input_object_min_width, group.input_object_min_height)
        most = (group.input_object_max_width or np.inf, group.input_object_max_height or np.inf)
        keep: NDArray[np.bool_] = ((high - low >= 1) & (boxes[:, 2:] >= least) & (boxes[:, 2:] <= most)).all(
            axis=1
        )
        if maker >= 0:
            keep &= table.column("component_id")[rows] == maker
        if classes and -1 not in classes:
            keep &= np.isin(table.column("class_id")[rows], classes)
        if group.process_on_roi and not group.process_on_all_objects:
            keep &= _inside(boxes, group.regions_of(frame.source_id))
        return keep


def _frame_regions(group: RegionGroup, number: int, frame: FrameMetadata) -> Iterator[Region]:
    width, height = frame.pipeline_width, frame.pipeline_height
    whole: tuple[Box, ...] = ((0, 0, width, height),)
    boxes = group.regions_of(frame.source_id) if group.process_on_roi else whole
    for index, (left, top, w, h) in enumerate(boxes):
        box = (left, top, min(w, width - left), min(h, height - top))
        yield Region(frame.batch_id, box, (frame.pad_index, number, index))


def _inside(boxes: NDArray[np.float32], rois: tuple[Box, ...]) -> NDArray[np.bool_]:
    """Whether each box lies in one of the regions, all of it."""
    inside = np.zeros(len(boxes), np.bool_)
    for left, top, width, height in rois:
        low = (boxes[:, :2] >= (left, top)).all(axis=1)
        inside |= low & (boxes[:, :2] + boxes[:, 2:] <= (left + width, top + height)).all(axis=1)
    return inside
