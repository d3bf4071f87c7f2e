"""Who crosses a line, and in which direction: events ``cross``."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings
from headrace.analytics.source import SourceAnalysis


class LineSettings(RuleSettings):
    """What the rule is told."""

    lines: tuple[str, ...] = Field((), description="Names of the lines; all where they are left out.")
    forward: str = Field(
        "in",
        min_length=1,
        description="What crossing to the right hand is called, for who looks from the first end to the second.",
    )
    backward: str = Field("out", min_length=1, description="What crossing to the left hand is called.")
    once: bool = Field(False, description="Count each object once in each direction.")


class LineRule(Rule):
    """Crossings, with the number so far in that direction.

    Attributes:
        counts: ``(lines, 2)`` crossings so far, forward and backward.
    """

    settings_type = LineSettings
    settings: LineSettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        self._lines = set(self.lines_of(self.settings.lines))
        count = len(source.line_names)
        self._counted = source.tracks.column(count, 2, dtype=bool, fill=False)
        self.counts = np.zeros((count, 2), np.int64)

    def update(self, moment: Moment) -> None:
        """Tell who crossed."""
        for index, row, line, sense in moment.crossed:
            way = 0 if sense > 0 else 1
            counted = self._counted.array[row, line]
            if line not in self._lines or not self.is_about(row) or (self.settings.once and counted[way]):
                continue
            counted[way] = True
            self.counts[line, way] += 1
            direction = self.settings.backward if way else self.settings.forward
            name, number = self.source.line_names[line], int(self.counts[line, way])
            moment.emit(self.name, "cross", row, index, line=name, direction=direction, count=number)


RULE = LineRule
