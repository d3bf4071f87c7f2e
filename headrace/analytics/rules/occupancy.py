"""How many objects are in each zone over time: events ``occupancy``."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings, ZoneSettings
from headrace.analytics.source import SourceAnalysis


class OccupancySettings(ZoneSettings):
    """What the rule is told."""

    period: float = Field(10.0, gt=0, description="Seconds that an event covers.")
    interval: float = Field(0.2, gt=0, description="Seconds between counts.")


class OccupancyRule(Rule):
    """Mean and greatest number of objects of each zone, once in a period."""

    settings_type = OccupancySettings
    settings: OccupancySettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        self._zones = self.zones_of(self.settings.zones)
        self._restart(-np.inf)

    def _restart(self, until: float) -> None:
        self._until, self._looks = until, 0
        self._sum, self._peak = np.zeros(len(self._zones), np.int64), np.zeros(len(self._zones), np.int64)

    def update(self, moment: Moment) -> None:
        """Count now and then."""
        if not self.due(moment.time, self.settings.interval):
            return
        if moment.time >= self._until:
            self._tell(moment)
            self._restart(moment.time + self.settings.period - 1e-6)
        counts = (moment.inside[:, self._zones] & moment.of(self.who)[:, None]).sum(axis=0)
        self._looks += 1
        self._sum += counts
        self._peak = np.maximum(self._peak, counts)

    def _tell(self, moment: Moment) -> None:
        for place, zone in enumerate(self._zones if self._looks else ()):
            mean, peak = round(self._sum[place] / self._looks, 2), int(self._peak[place])
            name = self.source.zone_names[zone]
            moment.emit(
                self.name, "occupancy", zone=name, mean=float(mean), peak=peak, seconds=self.settings.period
            )


RULE = OccupancyRule
