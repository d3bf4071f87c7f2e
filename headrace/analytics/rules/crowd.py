"""When a zone is crowded: events ``crowd`` and ``crowd-end``."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings, ZoneSettings
from headrace.analytics.source import SourceAnalysis


class CrowdSettings(ZoneSettings):
    """What the rule is told."""

    limit: int = Field(ge=1, description="Objects from which on a zone is crowded.")
    interval: float = Field(0.1, gt=0, description="Seconds between counts.")
    seconds: float = Field(1.0, ge=0, description="Seconds for which there must be as many, or fewer again.")


class CrowdRule(Rule):
    """Says that a zone is crowded, and that it is not any more, when it has been so for a while.

    Attributes:
        crowded: ``(zones,)`` bool.
    """

    settings_type = CrowdSettings
    settings: CrowdSettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        self.zones = self.zones_of(self.settings.zones)
        self.crowded = np.zeros(len(self.zones), bool)
        self._since = np.full(len(self.zones), -np.inf)  # as it is now
        self._began = np.zeros(len(self.zones))

    def update(self, moment: Moment) -> None:
        """Count now and then."""
        if not self.due(moment.time, self.settings.interval):
            return
        for place, zone in enumerate(self.zones):
            count = int(np.count_nonzero(moment.within(zone, self.who)))
            if (count >= self.settings.limit) == self.crowded[place]:
                self._since[place] = moment.time
            elif moment.time - max(self._since[place], self.source.began) >= self.settings.seconds:
                self._turn(moment, place, zone, count)

    def _turn(self, moment: Moment, place: int, zone: int, count: int) -> None:
        self.crowded[place] = now = not self.crowded[place]
        self._since[place] = moment.time
        name = self.source.zone_names[zone]
        if now:
            self._began[place] = moment.time
            moment.emit(self.name, "crowd", zone=name, count=count)
        else:
            seconds = round(moment.time - self._began[place], 2)
            moment.emit(self.name, "crowd-end", zone=name, count=count, seconds=seconds)


RULE = CrowdRule
