"""What a run does with the metadata of each batch: count, write detections, note who comes and goes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from headrace.flow.objects.operators import BatchMetadataOperator
from headrace.flow.run.files import LineFile
from headrace.gst.native import CLOCK_TIME_NONE
from headrace.meta.batch import BatchMetadata
from headrace.meta.columns import more_of
from headrace.meta.frame import FrameMetadata
from headrace.meta.objects import UNTRACKED
from headrace.profiling import span


@dataclass
class SourceTally:
    """Counts of one source.

    Attributes:
        frames: Frames that came through model and tracker.
        objects: Detections in them.
        tracks: Label to ids of its tracks.
        last_pts: Time of the latest frame in ns, -1 before the first.
    """

    frames: int = 0
    objects: int = 0
    tracks: dict[str, set[int]] = field(default_factory=dict)
    last_pts: int = -1


class Tally(BatchMetadataOperator):
    """Counts frames and objects of each source.

    Attributes:
        sources: Counts by source id.
        first: When the first batch came, `time.monotonic`; ``None`` before that.
        last: When the latest batch came.
        first_frames: Frames of the first batch.
    """

    def __init__(self) -> None:
        self.sources: dict[int, SourceTally] = {}
        self.first: float | None = None
        self.last = 0.0
        self.first_frames = 0

    @property
    def frames(self) -> int:
        """Frames of all sources so far; any thread may ask."""
        return sum(tally.frames for tally in list(self.sources.values()))

    @property
    def steady_fps(self) -> float:
        """Frames for each second between the first batch and the latest; 0 before the second."""
        elapsed = self.last - (self.first or 0.0)
        return (self.frames - self.first_frames) / elapsed if self.first is not None and elapsed > 0 else 0.0

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Count one batch."""
        self.last = time.monotonic()
        if self.first is None:
            self.first, self.first_frames = self.last, batch_meta.n_frames
        for frame in batch_meta.frame_items:
            tally = self.sources.get(frame.source_id)
            if tally is None:
                tally = self.sources[frame.source_id] = SourceTally()
            tally.frames += 1
            if frame.buffer_pts != CLOCK_TIME_NONE:
                tally.last_pts = max(tally.last_pts, frame.buffer_pts)
            self._count_objects(tally, frame)

    def _count_objects(self, tally: SourceTally, frame: FrameMetadata) -> None:
        table = frame.table
        rows = table.rows_of(frame.batch_id)
        tally.objects += len(rows)
        ids = table.column("object_id")[rows].tolist()
        for label, object_id in zip(table.column("label")[rows].tolist(), ids, strict=True):
            if object_id != UNTRACKED:
                tally.tracks.setdefault(label, set()).add(object_id)


class Timed(BatchMetadataOperator):
    """An operator whose time is noted, while somebody records.

    Args:
        name: What it does.
        operator: The operator.
    """

    def __init__(self, name: str, operator: BatchMetadataOperator) -> None:
        self.name = name
        self.operator = operator

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Show it one batch."""
        with span(self.name, batch_meta.frames):
            self.operator.handle_metadata(batch_meta)


class Moments(BatchMetadataOperator):
    """Calls back at the first batch, and at the first that comes some time after it.

    Args:
        begin: Called at the first batch; must not block.
        seconds: How long after it `end` is called; ``None`` for never.
        end: Called then; must not block.
    """

    def __init__(self, begin: Callable[[], None], seconds: float | None, end: Callable[[], None]) -> None:
        self._begin, self._end = begin, end
        self._seconds = math.inf if seconds is None else seconds
        self._last: float | None = None

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Look at the clock."""
        now = time.monotonic()
        if self._last is None:
            self._last = now + self._seconds
            self._begin()
        elif now >= self._last:
            self._last = math.inf
            self._end()


class DetectionWriter(BatchMetadataOperator):
    """Writes a JSON object for each frame, in each source's order.

    Args:
        file: Where to; one write for a batch.
    """

    def __init__(self, file: LineFile) -> None:
        self.file = file

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Write the frames of one batch."""
        lines = [msgspec.json.encode(frame_record(frame)) for frame in batch_meta.frame_items]
        if lines:
            self.file.write(b"\n".join(lines) + b"\n")


def frame_record(frame: FrameMetadata) -> dict[str, Any]:
    """A frame and its objects as plain data; boxes are left, top, right, bottom in source pixels.

    Example:
        >>> from headrace.meta import Detections
        >>> frame = next(BatchMetadata.new(1).frame_items)
        >>> _ = frame.add_detections(Detections([[1, 2, 5, 8]], [0.5], [0]), labels=("cat",))
        >>> frame_record(frame)["objects"]
        [{'class_id': 0, 'label': 'cat', 'confidence': 0.5, 'id': None, 'box': [1.0, 2.0, 5.0, 8.0]}]
    """
    table = frame.table
    rows = table.rows_of(frame.batch_id)
    boxes = table.column("rect")[rows].astype(np.float64)
    boxes[:, 2:] += boxes[:, :2]
    columns = zip(
        table.column("class_id")[rows].tolist(),
        table.column("label")[rows].tolist(),
        np.round(table.column("confidence")[rows].astype(np.float64), 5).tolist(),
        table.column("object_id")[rows].tolist(),
        np.round(boxes, 3).tolist(),
        strict=True,
    )
    objects = [
        {
            "class_id": class_id, "label": label, "confidence": confidence,
            "id": None if object_id == UNTRACKED else object_id, "box": box,
        }
        for class_id, label, confidence, object_id, box in columns
    ]  # fmt: skip
    for item, row in zip(objects, rows.tolist(), strict=True):
        item.update(more_of(table, row))
        if row in table.classifiers:
            item["labels"] = [label.label for meta in table.classifiers[row] for label in meta.labels]
    return {
        "source": frame.source_id,
        "frame": frame.frame_number,
        "pts": None if frame.buffer_pts == CLOCK_TIME_NONE else frame.buffer_pts,
        "width": frame.pipeline_width,
        "height": frame.pipeline_height,
        "objects": objects,
    }
