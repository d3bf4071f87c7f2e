"""One source of the muxer: what its caps and segment say, and its frames on their way to a batch."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

from gi.repository import Gst

from headrace.elements.base.caps import framerate_of, layout_of
from headrace.errors import FrameError
from headrace.frames.surface import Surface, SurfaceLayout
from headrace.gst import payload
from headrace.gst.buffer import BufferRef
from headrace.gst.native import CLOCK_TIME_NONE, buffer_struct, gst_quick
from headrace.gst.reference_time import sender_time
from headrace.gst.videometa import planes_of
from headrace.meta.batch import Batch, SourceItems
from headrace.meta.user import UserMetadata

#: Byte offsets and strides of a frame's planes.
Places = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(slots=True)
class QueuedFrame:
    """A frame that waits for its batch: one surface, or several views that a dewarper made of it.

    ``views`` holds the kind (``surface_type``) and number (``surface_index``) of each.
    """

    index: int
    number: int
    surfaces: list[Surface]
    views: list[tuple[int, int]]
    pts: int
    running_time: int
    duration: int
    source_size: tuple[int, int]
    framerate: tuple[int, int]
    items: list[UserMetadata]
    arrival: int
    sender_time: int


class MuxSource:
    """State of one sink pad of the muxer.

    Attributes:
        index: The pad's number.
        next_number: Number of its next frame.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self.reset()

    def reset(self) -> None:
        """Begin a new run: what an earlier one left is forgotten."""
        self._segment: Gst.Segment | None = None
        self.next_number = 0
        self._layout: SurfaceLayout | None = None
        self._framerate = (0, 1)
        self._places: Places | None = None

    def set_caps(self, caps: Gst.Caps) -> None:
        """Take new caps; the size may change in the middle of a stream."""
        self._layout = self._placed = layout_of(caps)
        self._places, self._framerate = None, framerate_of(caps)

    def set_segment(self, segment: Gst.Segment) -> None:
        """Take a new segment, which nobody else may change."""
        # Some application sources send a segment of bytes before frames that have times.
        self._segment = segment if segment.format == Gst.Format.TIME else None

    def take(self, buffer: int, most: int = 1) -> QueuedFrame:
        """Make a frame of a buffer, whose reference is taken over.

        Args:
            buffer: Its address.
            most: How many of its surfaces are taken.

        Raises:
            FrameError: No caps came before the buffer, or it holds no frame.
        """
        reference = BufferRef(buffer)
        if self._layout is None:
            raise FrameError(f"source {self.index}: a buffer came before its caps")
        fields = buffer_struct(buffer)
        rider = payload.find(buffer)
        surface, views = Surface(reference, self._layout), [(0, 0)]
        surfaces = [surface]
        if isinstance(rider, Batch) and rider.surfaces:
            surfaces = [one.share() for one in rider.surfaces[:most]]
            views = [(frame.surface_type, frame.surface_index) for frame in rider.meta.frames[:most]]
        else:
            surface.layout = self._layout_at(planes_of(buffer))
        items = _items(rider)
        number, self.next_number = self.next_number, self.next_number + 1
        return QueuedFrame(
            self.index, number, surfaces, views, fields.pts, self._running_time(fields.pts), fields.duration,
            (self._layout.width, self._layout.height), self._framerate, items, time.monotonic_ns(),
            sender_time(buffer),
        )  # fmt: skip

    def _layout_at(self, places: Places | None) -> SurfaceLayout:
        """The layout with the planes where a buffer says they are, mostly as in the one before."""
        assert self._layout is not None
        if places != self._places:
            placed = self._layout
            if places is not None:
                placed = dataclasses.replace(placed, offsets=places[0], strides=places[1])
            self._places, self._placed = places, placed
        return self._placed

    def _running_time(self, pts: int) -> int:
        if self._segment is None or pts == CLOCK_TIME_NONE:
            return pts
        # Not by the binding, which would let another thread have the interpreter for each frame.
        return int(gst_quick.gst_segment_to_running_time(hash(self._segment), _TIME, pts))


_TIME = int(Gst.Format.TIME)


def _items(rider: object) -> list[UserMetadata]:
    """User metas that a frame brought along: from its source, or from elements before the muxer."""
    if isinstance(rider, SourceItems):
        return rider.items
    if isinstance(rider, Batch) and rider.meta.frames:
        return list(rider.meta.frames[0].user)
    return []
