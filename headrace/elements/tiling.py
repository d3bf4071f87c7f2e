"""Batches of many frames into batches of one tiled frame, metadata included."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.draw.tiler import Tiler
from headrace.elements.conversion import later
from headrace.frames.frame import PixelFormat
from headrace.frames.surface import Surface
from headrace.gst import payload
from headrace.gst.buffer import BufferRef, new_buffer_like
from headrace.gst.native import CLOCK_TIME_NONE, buffer_struct
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.display import DisplayMetadata
from headrace.meta.objects import ATTACHED, ObjectTable
from headrace.meta.osd import Arrow, Line
from headrace.meta.turning import stretched


class Tiling:
    """Composes pictures and moves boxes to their tiles; one thread at a time."""

    def __init__(
        self, width: int, height: int, rows: int, columns: int, show_source: int, format: PixelFormat
    ) -> None:
        self._tiler = Tiler(width, height, rows, columns, show_source, format)
        self._format, self._size = format, (width, height)

    def show(self, source: int) -> None:
        """Show one source, or all with -1."""
        self._tiler.show(source)

    def forget(self, source: int) -> None:
        """Blacken the tile of a source that went away."""
        self._tiler.forget(source)

    def outputs(self, batch: Batch, buffer: int) -> list[BufferRef]:
        """One tiled batch for each round of frames: a source that is in the batch twice gives two pictures.

        Args:
            batch: Metadata and pixels.
            buffer: Address of its buffer, whose flags and times are taken.
        """
        rounds: list[dict[int, int]] = []
        for position, frame in enumerate(batch.meta.frames):
            for members in rounds:
                if frame.pad_index not in members:
                    members[frame.pad_index] = position
                    break
            else:
                rounds.append({frame.pad_index: position})
        return [self._tiled(batch, buffer, members) for members in rounds]

    def _tiled(self, batch: Batch, like: int, members: dict[int, int]) -> BufferRef:
        pictures = {pad: batch.surfaces[position].frame() for pad, position in members.items()}
        color = next(iter(pictures.values())).color
        surface = Surface.allocate(self._format, *self._size, color)
        self._tiler.compose(pictures, surface.frame(writable=True))
        meta = self._moved(batch, members)
        output = new_buffer_like(like)
        fields = buffer_struct(output)
        if fields.pts != CLOCK_TIME_NONE:
            fields.pts += later(batch.meta, next(iter(members.values())))
        return BufferRef(payload.attach(output, Batch(meta, [surface])))

    def _moved(self, batch: Batch, members: dict[int, int]) -> BatchMetadata:
        """The metadata of these frames as one frame, boxes, texts and shapes in the picture's pixels."""
        first = batch.meta.frames[next(iter(members.values()))]
        members = {pad: position for pad, position in members.items() if self._tiler.layout.cell(pad)[2]}
        positions = list(members.values())
        meta = BatchMetadata.new()
        chosen = _rows(batch.meta, positions)
        meta.objects = table = batch.meta.objects.select(chosen)
        frame = first.fork(table)
        frame._row = frame.batch_id = 0
        frame.pipeline_width, frame.pipeline_height = self._size
        frame.user = [item for position in positions for item in batch.meta.frames[position].user]
        meta.frames = [frame]
        meta.user = [item.onto(meta, positions, chosen) for item in batch.meta.user]
        frames = table.column("frame").copy()
        for pad, position in members.items():
            layout = batch.surfaces[position].layout
            rows = np.flatnonzero(frames == position)
            change = self._tiler.layout.transform(pad, (layout.width, layout.height))
            _move(table, rows, change)
            meta.displays += [_display(one, change) for one in batch.meta.displays if one.frame == position]
        meta.displays += [display.fork() for display in batch.meta.displays if display.frame < 0]
        table.column("frame")[:] = 0
        return meta


def _rows(meta: BatchMetadata, positions: list[int]) -> NDArray[np.intp]:
    table = meta.objects
    return np.flatnonzero(np.isin(table.column("frame"), positions) & (table.column("state") == ATTACHED))


_Change = tuple[float, float, float, float]


def _move(table: ObjectTable, rows: NDArray[np.intp], change: _Change) -> None:
    """Move objects to their tile: boxes, turned ones too, keypoints and texts."""
    scale, offset = change[:2], change[2:]
    boxes = table.column("rect")[rows]
    boxes[:, 2:] += boxes[:, :2]
    boxes, table.column("rotation")[rows] = stretched(boxes, table.column("rotation")[rows], scale, offset)
    boxes[:, 2:] -= boxes[:, :2]
    table.column("rect")[rows] = boxes
    for row in rows.tolist():
        if (text := table.texts.get(row)) is not None:
            text.x_offset, text.y_offset = _point(change, text.x_offset, text.y_offset)
        if (skeleton := table.skeletons.get(row)) is not None:
            skeleton.points = (skeleton.points * (*scale, 1) + (*offset, 0)).astype(np.float32)


def _point(change: _Change, x: float, y: float) -> tuple[int, int]:
    return int(x * change[0] + change[2]), int(y * change[1] + change[3])


def _display(display: DisplayMetadata, change: _Change) -> DisplayMetadata:
    """A copy of the display meta, moved to its tile; texts and line widths keep their size."""
    moved = display.fork()
    moved.frame = 0
    for text in moved.texts:
        text.x_offset, text.y_offset = _point(change, text.x_offset, text.y_offset)
    for rect in moved.rects:
        rect.left, rect.top = rect.left * change[0] + change[2], rect.top * change[1] + change[3]
        rect.width, rect.height = rect.width * change[0], rect.height * change[1]
    lines: list[Line | Arrow] = [*moved.lines, *moved.arrows]
    for line in lines:
        line.x1, line.y1 = _point(change, line.x1, line.y1)
        line.x2, line.y2 = _point(change, line.x2, line.y2)
    for circle in moved.circles:
        circle.xc, circle.yc = _point(change, circle.xc, circle.yc)
        circle.radius = int(circle.radius * min(change[0], change[1]))
    return moved
