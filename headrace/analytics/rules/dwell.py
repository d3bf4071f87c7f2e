"""Who stays in a zone for long, or loiters: events ``dwell``."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings, ZoneSettings
from headrace.analytics.source import SourceAnalysis


class DwellSettings(ZoneSettings):
    """What the rule is told."""

    seconds: float = Field(10.0, gt=0, description="Seconds in a zone after which somebody dwells.")
    repeat: float = Field(0.0, ge=0, description="Seconds after which it is said again; 0: never.")


class DwellRule(Rule):
    """Says once that somebody has been in a zone for so long, and again as often as asked."""

    settings_type = DwellSettings
    settings: DwellSettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        self._zones = set(self.zones_of(self.settings.zones))
        self._due = source.tracks.column(len(source.zone_names), fill=np.inf)
        self._first = np.inf

    def update(self, moment: Moment) -> None:
        """Note who comes and goes; nothing else is done until the first is due."""
        zones = self.source.zones
        for _, row, zone in zones.entered:
            if zone in self._zones and self.is_about(row):
                self._due.array[row, zone] = moment.time + self.settings.seconds
                self._first = min(self._first, moment.time + self.settings.seconds)
        for _, row, zone in zones.left:
            self._due.array[row, zone] = np.inf
        if moment.time < self._first:
            return
        due = self._due.array
        for index, zone in np.argwhere(due[moment.rows] <= moment.time).tolist():
            row = int(moment.rows[index])
            name, seconds = self.source.zone_names[zone], self.source.stayed(row, zone)
            moment.emit(self.name, "dwell", row, index, zone=name, seconds=seconds)
            due[row, zone] = moment.time + self.settings.repeat if self.settings.repeat else np.inf
        self._first = float(due.min())


RULE = DwellRule
