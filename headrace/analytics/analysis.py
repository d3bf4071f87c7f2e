"""Analysis: all sources of a pipeline, and the rules that are Python code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.moment import Moment
from headrace.analytics.settings import AnalyticsSettings
from headrace.analytics.source import SourceAnalysis
from headrace.usercode import load_name


class Seen:
    """One frame, as rules in Python see it: ``def on_batch(batch)`` gets a list of these.

    Row ``i`` of every array is one object.

    Attributes:
        source_id, frame_number, time: Which frame; seconds of the stream.
        ids, class_ids, labels, xyxy: The tracked objects.
        feet: Where they stand, smoothed, ``(n, 2)`` pixels.
        places: The same in metres, where the ground is given.
        velocity: ``(n, 2)`` pixels a second.
    """

    def __init__(self, moment: Moment, rule: str) -> None:
        self._moment, self._rule = moment, rule
        self.source_id, self.frame_number, self.time = moment.source_id, moment.frame_number, moment.time
        self.ids, self.class_ids, self.xyxy = moment.ids, moment.class_ids, moment.xyxy
        self.feet, self.places, self.velocity = moment.feet, moment.places, moment.velocity

    @property
    def labels(self) -> list[str]:
        """Name of each object's class."""
        return [self._moment.source.labels.get(one, "") for one in self.class_ids.tolist()]

    def inside(self, zone: str) -> NDArray[np.bool_]:
        """Which objects are in a zone.

        Raises:
            KeyError: There is no such zone.
        """
        names = self._moment.source.zone_names
        if zone not in names:
            raise KeyError(f"there is no zone {zone!r}; there are: {', '.join(names)}")
        return np.asarray(self._moment.inside[:, names.index(zone)])

    def seconds(self, zone: str) -> NDArray[np.float64]:
        """How long each object has been in a zone; NaN for those that are not."""
        inside, names = self.inside(zone), self._moment.source.zone_names
        since = self._moment.source.zones.since.array[self._moment.rows, names.index(zone)]
        return np.where(inside, self.time - since, np.nan)

    def emit(self, type: str, index: int = -1, **data: Any) -> None:
        """Say that something happened to the object ``index``, or in the frame; ``data`` is plain data."""
        row = int(self._moment.rows[index]) if index >= 0 else -1
        self._moment.emit(self._rule, type, row, index, **data)


class Analysis:
    """The rules of a configuration for as many sources as come.

    Args:
        settings: What the file says.

    Raises:
        ModelError: A rule names Python code that is not there, or that fails.
    """

    def __init__(self, settings: AnalyticsSettings) -> None:
        self.settings = settings
        self.sources: dict[int, SourceAnalysis] = {}
        self._code: list[tuple[str, Callable[[list[Seen]], object]]] = [
            (one.name or one.rule.rpartition(":")[2], load_name(one.rule, settings.base, "rule"))
            for one in settings.code
        ]

    def source(self, index: int, size: tuple[int, int]) -> SourceAnalysis:
        """The rules of a source, made when it is first asked for; ``size`` is that of its frames."""
        found = self.sources.get(index)
        if found is None:
            found = self.sources[index] = SourceAnalysis(self.settings.of(index), size, index)
        return found

    def finish(self, moments: Sequence[Moment]) -> None:
        """Let the rules in Python look at all frames of a batch."""
        for name, call in self._code:
            call([Seen(moment, name) for moment in moments])

    def forget(self, index: int) -> None:
        """A source has ended."""
        found = self.sources.pop(index, None)
        if found is not None:
            found.close()

    def close(self) -> None:
        """All sources have ended."""
        for index in list(self.sources):
            self.forget(index)
