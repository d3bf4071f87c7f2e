"""A tracker reading and writing the metadata of batches, all sources at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.frames import Frame
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.columns import detections_of, upright_boxes
from headrace.meta.detections import Detections
from headrace.meta.frame import FrameMetadata, append_detections
from headrace.meta.objects import ObjectTable
from headrace.meta.tracking import TargetBatch
from headrace.meta.user import MetaType, UserMetadata
from headrace.track import Sightings, Tracker, Tracks
from headrace.track.turned import TurnedShapes

#: `confidence` of an object that the tracker predicted without a detection (contract: nvtracker).
PREDICTED = -0.1

Rows = NDArray[np.intp]


class BatchTracking:
    """Gives the objects of batches to a tracker and writes what it says.

    Args:
        tracker: Who follows the objects; it belongs to this object from now on.
        classes: Classes to track, ``None`` for all; objects of others pass untouched.
        show_id: Whether the overlay shows the id behind the label.
        keep_untracked: Whether objects that no track claims stay in the frame.
    """

    def __init__(
        self,
        tracker: Tracker,
        classes: tuple[int, ...] | None = None,
        show_id: bool = True,
        keep_untracked: bool = False,
    ) -> None:
        self.tracker, self._classes, self._show_id = tracker, classes, show_id
        # With a choice of classes the others pass, and so do those of the chosen ones (contract: nvtracker).
        self._keep_untracked = keep_untracked or classes is not None
        self._shapes: dict[int, TurnedShapes] = {}
        #: Class to label and component of the latest object, for objects that no detector gave any.
        self._names: dict[int, tuple[str, int]] = {}

    def forget(self, source: int, restart_ids: bool = False) -> None:
        """A source has gone: its tracks go too; ``restart_ids`` numbers its next track 1 again."""
        self.tracker.forget(source, restart_ids)
        self._shapes.pop(source, None)

    def update(self, batch: Batch) -> None:
        """Track the objects of a batch; frames of one source are taken one after the other.

        A tracked object keeps the detector's box and gets id, tracker confidence and the tracker's own
        estimate (`nv_bbox_info`). Objects without a track are removed, or kept untracked when so asked.
        """
        surfaces = dict(zip(batch.meta.frames, batch.surfaces, strict=False)) if self.tracker.pixels else {}
        for frames in _one_of_each_source(batch.meta.frames):
            pictures = [surfaces[frame].frame() for frame in frames if frame in surfaces]
            whole = len(frames) == len(batch.meta.frames)
            self._follow(frames, pictures if len(pictures) == len(frames) else None, whole)
            self._tell(batch.meta)

    def _follow(self, frames: Sequence[FrameMetadata], pictures: Sequence[Frame] | None, whole: bool) -> None:
        table = frames[0].table
        rows, frame = self._rows(table, frames, whole)
        tracks = self.tracker.follow(self._sightings(table, rows, frame, frames, pictures))
        seen = tracks.row >= 0
        found = tracks if np.count_nonzero(seen) == len(seen) else tracks.of(seen)
        there = rows[found.row]
        self._remember(table, there, found, frames)
        if len(found) < len(tracks):
            self._add_predicted(frames, tracks.of(~seen & (tracks.missed == 0)))
        self._write(table, there, found)
        if len(found) < len(rows) and not self._keep_untracked:
            table.remove(rows[tracks.ids < 0])

    def _rows(self, table: ObjectTable, frames: Sequence[FrameMetadata], whole: bool) -> tuple[Rows, Rows]:
        """The objects to track, and of each the frame that it is in, counted among these frames."""
        rows = table.attached()
        if whole and self._classes is None:
            return rows, table.column("frame")[rows]
        numbers = [frame.batch_id for frame in frames]
        place = np.full(max(int(table.column("frame")[rows].max(initial=-1)), *numbers) + 1, -1)
        place[numbers] = np.arange(len(frames))
        frame = place[table.column("frame")[rows]]
        wanted = frame >= 0
        if self._classes is not None:
            wanted &= np.isin(table.column("class_id")[rows], self._classes)
        return rows[wanted], frame[wanted]

    def _tell(self, meta: BatchMetadata) -> None:
        """What the tracker has to tell of other frames goes to the batch as user metas."""
        misc, options = self.tracker.misc, self.tracker.options
        for wanted, kind, told in (
            (options.past_frames, MetaType.TRACKER_PAST_FRAME, misc.past),
            (options.output_terminated, MetaType.TRACKER_TERMINATED_LIST, misc.terminated),
            (options.output_shadow, MetaType.TRACKER_SHADOW_LIST, misc.shadow),
        ):
            if wanted and told.streams:
                self._name(told)
                meta.append(UserMetadata(kind, told))

    def _name(self, told: TargetBatch) -> None:
        for stream in told.streams:
            for target in stream.objects:
                target.label = self._names.get(target.class_id, ("", 0))[0]

    def _sightings(
        self,
        table: ObjectTable,
        rows: Rows,
        frame: Rows,
        frames: Sequence[FrameMetadata],
        pictures: Sequence[Frame] | None,
    ) -> Sightings:
        """What the tracker sees: of turned boxes the upright ones around them."""
        # As in _write: a copy of all, not a choice of rows.
        boxes = upright_boxes(table, rows if len(rows) < len(table) else slice(None))
        boxes[:, 2:] += boxes[:, :2]
        looked: NDArray[np.bool_] | None = None
        if any(one.infer_skipped for one in frames):
            looked = np.array([not one.infer_skipped for one in frames], bool)
            looked[frame] = True
        return Sightings(
            tuple(one.pad_index for one in frames),
            frame,
            boxes,
            table.column("confidence")[rows],
            table.column("class_id")[rows],
            looked,
            detections_of(table, rows).embeddings if self.tracker.appearance and table.user else None,
            pictures,
            [one.frame_number for one in frames],
        )

    def _remember(
        self, table: ObjectTable, rows: Rows, tracks: Tracks, frames: Sequence[FrameMetadata]
    ) -> None:
        """What classes are called and, while there are turned objects, how they are turned."""
        named = (table.column(name)[rows].tolist() for name in ("label", "component_id"))
        self._names.update(zip(tracks.class_id.tolist(), zip(*named, strict=True), strict=True))
        rotation = table.column("rotation")[rows]
        if not self._shapes and not np.count_nonzero(rotation):
            return
        boxes = _corners(table, rows)
        for number in np.unique(tracks.frame).tolist():
            mine = tracks.frame == number
            shapes = self._shapes.setdefault(frames[number].pad_index, TurnedShapes())
            shapes.note(tracks.track_id[mine], boxes[mine], rotation[mine])

    def _write(self, table: ObjectTable, rows: Rows, tracks: Tracks) -> None:
        # NumPy lets go of the interpreter for all but an axis of one type, which costs more than the few numbers.
        table.column("object_id")[rows] = tracks.track_id.view(np.uint64)
        table.column("tracker_confidence")[rows] = tracks.confidence
        table.column("show_id")[rows] = self._show_id
        left, top, right, bottom = tracks.xyxy.T
        sides = table.column("tracker_box").T
        for side, values in zip(sides, (left, top, right - left, bottom - top), strict=True):
            side[rows] = values

    def _add_predicted(self, frames: Sequence[FrameMetadata], tracks: Tracks) -> None:
        """Add objects that nobody detected: all at once, those of sources with turned objects by themselves."""
        for number, frame in enumerate(frames if self._shapes else ()):
            shapes, mine = self._shapes.get(frame.pad_index), tracks.frame == number
            if shapes is not None and np.count_nonzero(mine):
                self._append(frames, tracks.of(mine), shapes)
                tracks = tracks.of(~mine)
        if len(tracks):
            self._append(frames, tracks)

    def _append(
        self, frames: Sequence[FrameMetadata], tracks: Tracks, shapes: TurnedShapes | None = None
    ) -> None:
        table = frames[0].table
        found = Detections(
            tracks.xyxy, np.full(len(tracks), PREDICTED, np.float32), tracks.class_id.astype(np.int32)
        )
        if shapes is not None:
            found = shapes.inside(tracks.track_id, found)
        if found.rotation is None:
            edges = np.array([(one.pipeline_width, one.pipeline_height) * 2 for one in frames], np.float32)
            found.xyxy = np.clip(found.xyxy, 0, edges[tracks.frame])
        number = np.array([one.batch_id for one in frames], np.int32)
        added = append_detections(table, number[tracks.frame], found)
        rows = np.arange(added.start, added.stop)
        table.column("detector_box")[rows] = 0
        names = [self._names.get(one) or (str(one), 0) for one in tracks.class_id.tolist()]
        for column, values in zip(("label", "component_id"), zip(*names, strict=True), strict=True):
            table.column(column)[rows] = values
        self._write(table, rows, tracks)


def _one_of_each_source(frames: Sequence[FrameMetadata]) -> Iterator[list[FrameMetadata]]:
    """The frames in order, parted so that no part holds two of a source."""
    part: list[FrameMetadata] = []
    sources: set[int] = set()
    for frame in frames:
        if frame.pad_index in sources:
            yield part
            part, sources = [], set()
        part.append(frame)
        sources.add(frame.pad_index)
    if part:
        yield part


def _corners(table: ObjectTable, rows: Rows) -> NDArray[np.float32]:
    boxes: NDArray[np.float32] = table.column("rect")[rows]
    boxes[:, 2:] += boxes[:, :2]
    return boxes
