"""What rules and prompts can know of a frame and its objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headrace.meta.frame import FrameMetadata
from headrace.meta.objects import UNTRACKED, ObjectTable
from headrace.meta.user import MetaType


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """One object of a frame.

    Attributes:
        label: Name of its class.
        class_id: Number of its class.
        confidence: The detector's, 0–1.
        object_id: Track of the object, ``None`` if no tracker has seen it.
        dwell: Seconds since its track was first seen; 0 without a track.
        box: Left, top, width, height in pixels of the frame.
        zones: Regions of nvdsanalytics that it is in.
    """

    label: str
    class_id: int = 0
    confidence: float = 1.0
    object_id: int | None = None
    dwell: float = 0.0
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """One frame of a source with its objects.

    Attributes:
        source: Id of the source.
        objects: Its objects.
        pad_index: Index of the muxer's pad.
        number: Number of the frame in its source.
        pts: Time in the stream, in ns.
        clock: Wall clock in ns since 1970; 0 where the source has none.

    Example:
        >>> FrameFacts(0, (ObjectFacts("car"), ObjectFacts("person"))).count("Person")
        1
    """

    source: int
    objects: tuple[ObjectFacts, ...] = ()
    pad_index: int = 0
    number: int = 0
    pts: int = 0
    clock: int = 0

    def count(self, label: str = "", zone: str = "") -> int:
        """Number of objects; of one class, in one zone, where those are named. Case does not matter."""
        label, zone = label.casefold(), zone.casefold()
        return sum(
            (not label or one.label.casefold() == label)
            and (not zone or zone in (name.casefold() for name in one.zones))
            for one in self.objects
        )


def facts_of(frame: FrameMetadata, first_seen: Mapping[int, int], now: int) -> FrameFacts:
    """Read a frame's metadata.

    Args:
        frame: The frame.
        first_seen: When each track was first seen, in ns.
        now: Time of the frame, in ns.
    """
    table = frame.table
    rows = table.rows_of(frame.batch_id)
    boxes = np.nan_to_num(table.column("rect")[rows].astype(np.float64)).tolist()
    names = ("label", "class_id", "confidence", "object_id")
    columns = (table.column(name)[rows].tolist() for name in names)
    objects = []
    for row, box, label, class_id, confidence, number in zip(rows.tolist(), boxes, *columns, strict=True):
        track = None if number == UNTRACKED else number
        dwell = 0.0 if track is None else (now - first_seen.get(track, now)) / 1e9
        name, zones = label or str(class_id), _zones(table, row)
        objects.append(ObjectFacts(name, class_id, confidence, track, dwell, tuple(box), zones))
    return FrameFacts(
        frame.source_id, tuple(objects), frame.pad_index, frame.frame_number, now, frame.ntp_timestamp
    )


def _zones(table: ObjectTable, row: int) -> tuple[str, ...]:
    """The regions that nvdsanalytics found the object in."""
    found = (meta.data for meta in table.user.get(row, ()) if meta.meta_type == MetaType.OBJ_ANALYTICS)
    return tuple(zone for info in found for zone in info.roi_status)
