"""Trackers of all sources, reading and writing the metadata of frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.meta.detections import Detections
from headrace.meta.frame import FrameMetadata
from headrace.meta.objects import ObjectTable
from headrace.meta.turning import enclosing
from headrace.track import Tracker, TrackerOptions, Tracks, make_tracker
from headrace.track.turned import TurnedShapes

#: `confidence` of an object that the tracker predicted without a detection (contract: nvtracker).
PREDICTED = -0.1


class SourceTrackers:
    """One tracker for each source, made when its first frame comes.

    Args:
        name: Which tracker.
        options: Its settings.
        classes: Classes to track, ``None`` for all; objects of others pass untouched.
        show_id: Whether the overlay shows the id behind the label.
        keep_untracked: Whether objects that no track claims stay in the frame.
    """

    def __init__(
        self,
        name: str,
        options: TrackerOptions,
        classes: tuple[int, ...] | None = None,
        show_id: bool = True,
        keep_untracked: bool = False,
    ) -> None:
        self._name, self._options, self._classes, self._show_id = name, options, classes, show_id
        # With a choice of classes the others pass, and so do those of the chosen ones (contract: nvtracker).
        self._keep_untracked = keep_untracked or classes is not None
        self._trackers: dict[int, Tracker] = {}
        self._shapes: dict[int, TurnedShapes] = {}
        make_tracker(name, options)  # a wrong name or setting shows now, not with the first frame

    def forget(self, source: int) -> None:
        """A source has gone: its tracks go too."""
        self._trackers.pop(source, None)
        self._shapes.pop(source, None)

    def update(self, frame: FrameMetadata) -> None:
        """Track the objects of one frame.

        A tracked object keeps the detector's box and gets id, tracker confidence and the tracker's own
        estimate (`nv_bbox_info`). Objects without a track are removed, or kept untracked when so asked.
        """
        tracker = self._trackers.get(frame.pad_index)
        if tracker is None:
            tracker = self._trackers[frame.pad_index] = make_tracker(self._name, self._options)
            self._shapes[frame.pad_index] = TurnedShapes()
        table = frame.table
        rows = table.rows_of(frame.batch_id)
        if self._classes is not None:
            rows = rows[np.isin(table.column("class_id")[rows], self._classes)]
        if frame.infer_skipped and not len(rows):
            tracks = tracker.update(None)  # nobody looked, so nobody is gone
        else:
            tracks = tracker.update(_detections(table, rows))
        seen = tracks.row >= 0
        shapes = self._shapes[frame.pad_index]
        if not seen.all():
            self._add_predicted(frame, tracks.of(~seen), shapes)
            tracks = tracks.of(seen)
        there = rows[tracks.row]
        if len(rows):
            shapes.note(tracks.track_id, _corners(table, there), table.column("rotation")[there])
        self._write(table, there, tracks)
        if len(tracks) < len(rows) and not self._keep_untracked:
            table.remove(rows[tracks.ids < 0])

    def _write(self, table: ObjectTable, rows: NDArray[np.intp], tracks: Tracks) -> None:
        table.column("object_id")[rows] = tracks.track_id
        table.column("tracker_confidence")[rows] = tracks.confidence
        table.column("show_id")[rows] = self._show_id
        ltwh = tracks.xyxy.copy()
        ltwh[:, 2:] -= ltwh[:, :2]
        table.column("tracker_box")[rows] = ltwh

    def _add_predicted(self, frame: FrameMetadata, tracks: Tracks, shapes: TurnedShapes) -> None:
        confidence = np.full(len(tracks), PREDICTED, np.float32)
        found = shapes.inside(tracks.track_id, Detections(tracks.xyxy, confidence, tracks.class_id))
        if found.rotation is None:
            found.xyxy = np.clip(found.xyxy, 0, (frame.pipeline_width, frame.pipeline_height) * 2)
        added = frame.add_detections(found)
        rows = np.arange(added.start, added.stop)
        frame.table.column("detector_box")[rows] = 0
        self._write(frame.table, rows, tracks)


def _detections(table: ObjectTable, rows: NDArray[np.intp]) -> Detections:
    """What the tracker sees: of turned boxes the upright ones around them."""
    boxes = _corners(table, rows)
    rotation = table.column("rotation")[rows]
    if rotation.any():
        boxes = enclosing(boxes, rotation)
    return Detections(boxes, table.column("confidence")[rows], table.column("class_id")[rows])


def _corners(table: ObjectTable, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    boxes: NDArray[np.float32] = table.column("rect")[rows]
    boxes[:, 2:] += boxes[:, :2]
    return boxes
