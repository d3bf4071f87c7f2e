"""Who comes into a zone and who leaves it: events ``enter`` and ``exit``, the latter with the seconds between."""

from __future__ import annotations

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings, ZoneSettings
from headrace.analytics.source import SourceAnalysis


class ZoneRule(Rule):
    """Enter and exit. Who is lost in a zone has left it when he was last seen."""

    settings_type = ZoneSettings
    settings: ZoneSettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        self._zones = set(self.zones_of(self.settings.zones))

    def update(self, moment: Moment) -> None:
        """Tell what changed."""
        zones, names = self.source.zones, self.source.zone_names
        for index, row, zone in zones.entered:
            if zone in self._zones and self.is_about(row):
                moment.emit(self.name, "enter", row, index, zone=names[zone])
        for index, row, zone in zones.left:
            if zone in self._zones and self.is_about(row):
                seconds = self.source.stayed(row, zone)
                moment.emit(self.name, "exit", row, index, zone=names[zone], seconds=seconds)


RULE = ZoneRule
