"""Who comes too near to somebody else: events ``near-miss``."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings
from headrace.analytics.source import SourceAnalysis

#: They must be so many times as far apart before they count as near again.
_APART = 1.5


class NearMissSettings(RuleSettings):
    """What the rule is told."""

    others: tuple[int | str, ...] = Field((), description="Classes of those who must not come near; all.")
    distance: float = Field(
        gt=0, description="Least distance: metres where the ground is given, otherwise pixels."
    )
    moving: float = Field(0.0, ge=0, description="Least speed of one of the two, in its sizes a second.")
    interval: float = Field(0.1, gt=0, description="Seconds between looks.")


class NearMissRule(Rule):
    """Says once for each time that two come nearer to each other than allowed."""

    settings_type = NearMissSettings
    settings: NearMissSettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        self._others = source.classes(self.settings.others)
        self._near: set[tuple[int, int]] = set()  # rows of those who are near now

    def update(self, moment: Moment) -> None:
        """Look at all pairs now and then."""
        if not self.due(moment.time, self.settings.interval):
            return
        ours, theirs = np.flatnonzero(moment.of(self.who)), np.flatnonzero(moment.of(self._others))
        (x, y), (u, v) = moment.places[ours].T[..., None], moment.places[theirs].T
        x, y = x - u, y - v
        square = x * x + y * y  # roots would cost more than all the rest
        kept: set[tuple[int, int]] = set()
        for i, j in np.argwhere(square < (self.settings.distance * _APART) ** 2).tolist():
            one, other = int(ours[i]), int(theirs[j])
            if one == other:
                continue
            pair = (int(moment.rows[one]), int(moment.rows[other]))
            key = (min(pair), max(pair))
            if key in kept:
                continue  # the same two the other way round
            if key in self._near:
                kept.add(key)
            elif square[i, j] < self.settings.distance**2 and self._moves(moment, one, other):
                kept.add(key)
                second = str(self.source.tracks.id.array[pair[1]])
                distance = round(float(square[i, j]) ** 0.5, 2)
                moment.emit(self.name, "near-miss", pair[0], one, other=second, distance=distance)
        self._near = kept

    def _moves(self, moment: Moment, one: int, other: int) -> bool:
        if not self.settings.moving:
            return True
        speeds = np.hypot(*moment.velocity[[one, other]].T) / moment.sizes[[one, other]]
        return bool(speeds.max() >= self.settings.moving)


RULE = NearMissRule
