"""How long a queue is and how long people wait in it: events ``queue``, ``wait``, ``queue-long``, ``queue-short``."""

from __future__ import annotations

from pydantic import Field

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings, ZoneSettings
from headrace.analytics.source import SourceAnalysis


class QueueSettings(ZoneSettings):
    """What the rule is told."""

    join: float = Field(
        1.0, ge=0, description="Seconds in the zone after which somebody stands in the queue."
    )
    limit: int = Field(5, ge=1, description="Length from which on the queue is long.")
    interval: float = Field(0.5, gt=0, description="Seconds between looks at the length.")


class QueueRule(Rule):
    """Says when the length changes, and of each who leaves how long he waited; who only passes does not count.

    Attributes:
        lengths: The last length of each zone's queue.
    """

    settings_type = QueueSettings
    settings: QueueSettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        self.lengths = dict.fromkeys(self.zones_of(self.settings.zones), 0)

    def update(self, moment: Moment) -> None:
        """Tell who has left, and now and then the length."""
        for index, row, zone in self.source.zones.left:
            seconds = self.source.stayed(row, zone)
            if zone in self.lengths and self.is_about(row) and seconds >= self.settings.join:
                name = self.source.zone_names[zone]
                moment.emit(self.name, "wait", row, index, zone=name, seconds=seconds)
        if self.due(moment.time, self.settings.interval):
            for zone in self.lengths:
                self._look(moment, zone)

    def _look(self, moment: Moment, zone: int) -> None:
        since = self.source.zones.since.array[moment.rows, zone]
        standing = moment.within(zone, self.who) & (moment.time - since >= self.settings.join)
        length, before = int(standing.sum()), self.lengths[zone]
        if length == before:
            return
        self.lengths[zone] = length
        name, limit = self.source.zone_names[zone], self.settings.limit
        moment.emit(self.name, "queue", zone=name, count=length)
        if (length >= limit) != (before >= limit):
            moment.emit(
                self.name, "queue-long" if length >= limit else "queue-short", zone=name, count=length
            )


RULE = QueueRule
