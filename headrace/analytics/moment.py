"""Moment: one frame of one source, as rules see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.crossing import Crossing
from headrace.analytics.tracks import Column, Floats, Rows
from headrace.meta.analytics import AnalyticsEvent, Trajectories

if TYPE_CHECKING:
    from headrace.analytics.source import SourceAnalysis


@dataclass
class Moment:
    """The objects of one frame, what they did to zones and lines, and the events that rules make of it.

    Row ``i`` of every array is one object.

    Attributes:
        source: Everything that is remembered of the source.
        source_id, frame_number, time: Which frame; seconds of the stream.
        ids, class_ids, xyxy: Tracks, classes, boxes ``(n, 4)`` in pixels of the frame.
        rows: Row of each object in the columns of ``source.tracks``.
        state: ``(9, n)``, see `Tracks.current`.
        inside: ``(n, zones)`` bool, who is in which zone.
        crossed: The crossings of this frame.
        lost: Rows of tracks that count as gone from this frame on.
        events: What rules have seen.
        trajectories: Ways of the objects, where a rule was asked for them.
    """

    source: SourceAnalysis
    source_id: int
    frame_number: int
    time: float
    ids: NDArray[np.uint64]
    class_ids: NDArray[np.int32]
    xyxy: Floats
    rows: Rows
    state: Floats
    inside: NDArray[np.bool_]
    crossed: list[Crossing]
    lost: Rows
    events: list[AnalyticsEvent] = field(default_factory=list)
    trajectories: Trajectories | None = None

    @property
    def feet(self) -> Floats:
        """Where objects stand, smoothed, ``(n, 2)`` pixels."""
        return self.state[:2].T

    @cached_property
    def places(self) -> Floats:
        """The same in metres on the ground, or in pixels where it is not calibrated."""
        ground = self.source.ground
        return self.feet if ground is None else ground.metres(self.feet)

    @property
    def velocity(self) -> Floats:
        """``(n, 2)`` pixels a second, smoothed."""
        return self.state[2:4].T

    @property
    def sizes(self) -> Floats:
        """``(n,)`` longer side of each box, pixels."""
        return np.asarray(self.state[6])

    def of(self, who: Column | None) -> NDArray[np.bool_]:
        """Which objects a rule is about; see `SourceAnalysis.classes`."""
        return np.ones(len(self.rows), bool) if who is None else np.asarray(who.array.take(self.rows))

    def within(self, zone: int, who: Column | None) -> NDArray[np.bool_]:
        """Which objects of some classes are in a zone."""
        inside = self.inside[:, zone]
        return inside if who is None else inside & who.array.take(self.rows)

    def emit(self, rule: str, type: str, row: int = -1, index: int = -1, **data: Any) -> None:
        """Say that something happened.

        Args:
            rule: Name of the rule.
            type: What happened.
            row: Row of the object's track; -1 for what concerns no object alone.
            index: The object in this frame; -1 if it is not there.
            **data: What else is known, plain data.
        """
        thing: dict[str, Any] = {}
        if row >= 0:
            tracks = self.source.tracks
            class_id = int(tracks.class_id.array[row])
            thing = {"object_id": int(tracks.id.array[row]), "class_id": class_id}
            thing["label"] = self.source.labels.get(class_id, "")
        if index >= 0:
            thing["bbox"] = tuple(self.xyxy[index].round(1).tolist())
        site = self.source.settings.site
        self.events.append(
            AnalyticsEvent(type, rule, site, self.source_id, self.frame_number, self.time, **thing, data=data)
        )
