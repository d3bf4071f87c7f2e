"""Who goes against the direction of a zone: events ``wrong-way``."""

from __future__ import annotations

import numpy as np
from pydantic import Field, field_validator

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings, ZoneSettings
from headrace.analytics.source import SourceAnalysis

_AGAINST = -0.5  # cosine


class WrongWaySettings(ZoneSettings):
    """What the rule is told."""

    direction: tuple[tuple[float, float], tuple[float, float]] = Field(
        description="An arrow in the direction that is right: [[x, y], [x, y]]."
    )
    seconds: float = Field(1.0, ge=0, description="Seconds for which somebody must go the wrong way.")
    least: float = Field(
        0.3, ge=0, description="Speed that counts as going, in sizes of the object a second."
    )
    interval: float = Field(0.2, gt=0, description="Seconds between looks.")

    @field_validator("direction")
    @classmethod
    def _points_somewhere(cls, arrow: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if arrow[0] == arrow[1]:
            raise ValueError("an arrow has two different ends")
        return arrow


class WrongWayRule(Rule):
    """Says once of each object in a zone that it goes the wrong way; again when it has turned and does it again."""

    settings_type = WrongWaySettings
    settings: WrongWaySettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        self._zones = self.zones_of(self.settings.zones)
        start, end = source.scaled(np.array(self.settings.direction, float))
        self._unit = (end - start) / np.hypot(*(end - start))
        self._since = source.tracks.column(fill=np.inf)
        self._told = source.tracks.column(dtype=bool, fill=False)

    def update(self, moment: Moment) -> None:
        """Look at the velocities now and then."""
        if not self.due(moment.time, self.settings.interval):
            return
        rows, since, told = moment.rows, self._since.array, self._told.array
        speed = np.hypot(*moment.velocity.T)
        wrong = (moment.velocity @ self._unit < _AGAINST * speed) & (
            speed > self.settings.least * moment.sizes
        )
        wrong &= moment.inside[:, self._zones].any(axis=1) & moment.of(self.who)
        since[rows] = np.where(wrong, np.minimum(since[rows], moment.time), np.inf)
        told[rows] &= wrong
        late = wrong & (moment.time - since[rows] >= self.settings.seconds) & ~told[rows]
        for index in np.flatnonzero(late).tolist():
            zone = next(zone for zone in self._zones if moment.inside[index, zone])
            told[rows[index]] = True
            moment.emit(self.name, "wrong-way", int(rows[index]), index, zone=self.source.zone_names[zone])


RULE = WrongWayRule
