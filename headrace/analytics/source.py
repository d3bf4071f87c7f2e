"""SourceAnalysis: the rules of one source applied to its frames, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.crossing import Crossing, Crossings
from headrace.analytics.ground import Ground
from headrace.analytics.moment import Moment
from headrace.analytics.tracks import Column, Floats, Rows, Tracks, usable
from headrace.analytics.zones import Zones
from headrace.errors import ConfigError

if TYPE_CHECKING:
    from headrace.analytics.settings import AnalyticsSettings


class SourceAnalysis:
    """Tracks, zones, lines and rules of one source; used by one thread.

    Args:
        settings: What the configuration says of this source, see `AnalyticsSettings.of`.
        size: Width and height of the frames.
        index: The source's number, for names of files.

    Attributes:
        labels: Name of each class that was seen.
        totals: ``(lines, 2)`` crossings so far, forward and backward.
        began: Time of the first frame.

    Raises:
        ConfigError: A rule names what is not there.

    Example:
        >>> from headrace.analytics.settings import AnalyticsSettings
        >>> settings = AnalyticsSettings.model_validate({
        ...     "frame": [100, 100], "zones": {"gate": [[0, 0], [50, 0], [50, 50], [0, 50]]},
        ...     "rules": [{"rule": "zone"}],
        ... })
        >>> source = SourceAnalysis(settings, (100, 100))
        >>> moment = source.update(np.array([3]), np.array([0]), np.array([[10.0, 10, 20, 30]]), 0, 0.0)
        >>> [(event.type, event.object_id, event.data["zone"]) for event in moment.events]
        [('enter', 3, 'gate')]
    """

    def __init__(self, settings: AnalyticsSettings, size: tuple[int, int], index: int = 0) -> None:
        from headrace.analytics.rules import rule_class

        self.settings, self.size, self.index = settings, size, index
        self._factor = np.array(size, float) / settings.frame
        self.tracks = Tracks(lost=settings.lost_after)
        self.zone_names, self.line_names = list(settings.zones), list(settings.lines)
        self.polygons = [self.scaled(np.array(one, float)) for one in settings.zones.values()]
        self.zones = Zones(self.tracks, self.polygons)
        self.ends = self.scaled(np.array(list(settings.lines.values()), float).reshape(-1, 2, 2))
        self.crossings = Crossings(self.tracks, self.ends)
        ground = settings.ground
        self.ground = Ground(self.scaled(np.array(ground.image)), np.array(ground.metres)) if ground else None
        self.labels: dict[int, str] = dict(enumerate(settings.labels))
        self.totals = np.zeros((len(self.line_names), 2), np.int64)
        self.began = 0.0
        self._started, self._shift = False, 0.0
        self._classes: dict[tuple[int | str, ...], Column] = {}
        self.rules = [rule_class(one.rule)(one, self) for one in settings.typed_rules]

    def scaled(self, points: Floats) -> Floats:
        """Points of the configuration ``(..., 2)`` in pixels of the frames."""
        return np.asarray(points * self._factor)

    def classes(self, wanted: Sequence[int | str]) -> Column | None:
        """A column that says which tracks are of some classes, kept up to date; ``None`` for all classes."""
        key = tuple(wanted)
        known = self.settings.labels
        for one in key if known else ():
            there = one in known if isinstance(one, str) else 0 <= one < len(known)
            if not there:
                raise ConfigError(f"there is no class {one!r}; the labels are: {', '.join(known)}")
        if key and key not in self._classes:
            self._classes[key] = self.tracks.column(dtype=bool, fill=False)
        return self._classes.get(key)

    def stayed(self, row: int, zone: int) -> float:
        """Seconds that a track has been, or was, in a zone."""
        return round(float(self.tracks.last.array[row] - self.zones.since.array[row, zone]), 2)

    def update(
        self,
        ids: NDArray[Any],
        class_ids: NDArray[Any],
        xyxy: NDArray[Any],
        frame_number: int,
        time: float,
        labels: Sequence[str] = (),
        source_id: int | None = None,
    ) -> Moment:
        """Apply the rules to the tracked objects of a frame.

        Objects whose boxes are no boxes are left out and counted (``tracks.skipped``).

        Args:
            ids: Track ids ``(n,)``.
            class_ids: Classes ``(n,)``.
            xyxy: Boxes ``(n, 4)`` in pixels of the frame.
            frame_number: Number of the frame in its source.
            time: Seconds of the stream.
            labels: Name of each object's class.
            source_id: What the application calls the source; ``index`` where it is left out.
        """
        boxes = np.asarray(xyxy, np.float64)
        good = usable(boxes)
        if good is not None:
            self.tracks.skipped += int((~good).sum())
            ids, class_ids, boxes = ids[good], class_ids[good], boxes[good]
            labels = [one for one, there in zip(labels, good.tolist(), strict=False) if there]
        if not self._started:
            self.began, self._started = time, True
        time += self._shift
        if time < self.tracks.now:  # a source that begins again goes on where it was, with other objects
            self._shift += self.tracks.now - time
            time = self.tracks.now
            self.tracks.reset()
        rows = self.tracks.update(ids, class_ids, boxes, time)
        if len(self.tracks.fresh):
            self._note(class_ids, labels)
        inside, lost = self.zones.update(rows), self.tracks.sweep()
        crossed = self._cross(rows, lost)
        number = self.index if source_id is None else source_id
        moment = Moment(
            self,
            number,
            frame_number,
            time,
            ids,
            class_ids,
            boxes,
            rows,
            self.tracks.current,
            inside,
            crossed,
            lost,
        )
        for rule in self.rules:
            rule.update(moment)
        return moment

    def _note(self, class_ids: NDArray[Any], labels: Sequence[str]) -> None:
        """Learn the names of classes, and which rules new tracks concern."""
        for class_id, label in zip(class_ids.tolist(), labels, strict=False):
            self.labels.setdefault(class_id, label)
        for row in self.tracks.fresh.tolist():
            class_id = int(self.tracks.class_id.array[row])
            for wanted, column in self._classes.items():
                column.array[row] = class_id in wanted or self.labels.get(class_id) in wanted

    def _cross(self, rows: Rows, lost: Rows) -> list[Crossing]:
        found: list[Crossing] = []
        if self.line_names:
            found = self.crossings.update(rows)
            if len(lost):
                found += self.crossings.settle(lost)
        for one in found:
            self.totals[one.line, 0 if one.sense > 0 else 1] += 1
        if len(lost):
            self.zones.settle(lost)
        return found

    def close(self) -> None:
        """The source has ended: rules write what they were asked to."""
        for rule in self.rules:
            rule.close()
