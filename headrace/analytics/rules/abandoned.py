"""What is left behind: events ``abandoned`` and ``taken``."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings
from headrace.analytics.source import SourceAnalysis

#: Sizes of the object by which it may seem to move while it lies still.
_STILL = 0.5


class AbandonedSettings(RuleSettings):
    """What the rule is told."""

    classes: tuple[int | str, ...] = Field(min_length=1, description="Labels or numbers of what may be left.")
    owners: tuple[int | str, ...] = Field(min_length=1, description="Classes of those who may have left it.")
    seconds: float = Field(30.0, gt=0, description="Seconds for which it lies alone.")
    distance: float = Field(
        gt=0,
        description="How far away everybody must be: metres where the ground is given, otherwise pixels.",
    )
    interval: float = Field(0.5, gt=0, description="Seconds between looks.")


class AbandonedRule(Rule):
    """Says that something lies still, and nobody has been near it, for a while; and when it is moved after that."""

    settings_type = AbandonedSettings
    settings: AbandonedSettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        self._owners = source.classes(self.settings.owners)
        self._anchor = source.tracks.column(2, fill=np.nan)
        self._since = source.tracks.column(fill=np.nan)
        self._told = source.tracks.column(dtype=bool, fill=False)

    def update(self, moment: Moment) -> None:
        """Look now and then."""
        if not self.due(moment.time, self.settings.interval):
            return
        things = np.flatnonzero(moment.of(self.who))
        if not len(things):
            return
        rows, feet = moment.rows[things], moment.feet[things]
        # NaN, of what is new, is not below anything: it begins to lie where it is.
        still = np.hypot(*(feet - self._anchor.array[rows]).T) < _STILL * moment.sizes[things]
        self._anchor.array[rows] = np.where(still[:, None], self._anchor.array[rows], feet)
        taken = self._told.array[rows] & ~still
        alone = still & ~self._attended(moment, things)
        since = np.where(alone | self._told.array[rows] & still, self._since.array[rows], moment.time)
        self._since.array[rows] = since
        left = alone & (moment.time - since >= self.settings.seconds) & ~self._told.array[rows]
        for place in np.flatnonzero(left | taken).tolist():
            kind = "abandoned" if left[place] else "taken"
            moment.emit(
                self.name,
                kind,
                int(rows[place]),
                int(things[place]),
                seconds=round(moment.time - since[place], 2),
            )
        self._told.array[rows] = (self._told.array[rows] | left) & still

    def _attended(self, moment: Moment, things: np.ndarray) -> np.ndarray:
        """Whether somebody is near each thing."""
        people = moment.places[moment.of(self._owners)]
        apart = moment.places[things][:, None] - people
        return np.asarray((np.hypot(apart[..., 0], apart[..., 1]) < self.settings.distance).any(axis=1))


RULE = AbandonedRule
