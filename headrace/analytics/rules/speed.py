"""How fast objects move on the ground: events ``speeding``, and ``path`` for each that has gone."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings
from headrace.analytics.source import SourceAnalysis
from headrace.errors import ConfigError

_KMH = 3.6


class SpeedSettings(RuleSettings):
    """What the rule is told."""

    zones: tuple[str, ...] = Field(
        (), description="Zones in which speed is measured, such as those near enough for it; everywhere."
    )
    limit: float = Field(
        0.0, ge=0, description="Speed in km/h from which on somebody is speeding; 0: none is."
    )
    window: float = Field(1.0, gt=0, description="Seconds over which speed is measured.")
    least: float = Field(1.0, ge=0, description="Metres of a path that is told of.")


class SpeedRule(Rule):
    """Speed on the ground, from where objects are at the ends of each window.

    Attributes:
        speed: Column of the latest speeds in km/h; NaN before the first window has passed.
    """

    settings_type = SpeedSettings
    settings: SpeedSettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        if source.ground is None:
            raise ConfigError(
                f"rule {self.name}: speed needs the ground; give four points as ground: image, metres"
            )
        self._zones = self.zones_of(self.settings.zones) if self.settings.zones else []
        tracks = source.tracks
        self.speed, self._top = tracks.column(fill=np.nan), tracks.column()
        self._place, self._time = tracks.column(2, fill=np.nan), tracks.column(fill=np.nan)
        self._metres, self._seconds = tracks.column(), tracks.column()
        self._told = tracks.column(dtype=bool, fill=False)

    def update(self, moment: Moment) -> None:
        """Measure who is due; tell the paths of those who have gone."""
        for row in moment.lost.tolist():
            self._tell_path(moment, row)
        if not self.due(moment.time, self.settings.window / 4):
            return
        rows, time = moment.rows, self._time.array
        there = np.isfinite(moment.places).all(axis=1) & moment.of(self.who)
        if self._zones:
            there &= moment.inside[:, self._zones].any(axis=1)
            time[rows[~there]] = np.nan
        fresh = there & np.isnan(time[rows])
        starting = rows[fresh]
        self._place.array[starting], time[starting] = moment.places[fresh], moment.time
        who = np.flatnonzero(there & (moment.time - time[rows] > self.settings.window - 1e-6))
        if len(who):
            self._measure(moment, who)

    def _measure(self, moment: Moment, who: np.ndarray) -> None:
        rows, places = moment.rows[who], moment.places[who]
        way = np.hypot(*(places - self._place.array[rows]).T)
        seconds = moment.time - self._time.array[rows]
        speed = way / seconds * _KMH
        self.speed.array[rows] = speed
        self._metres.array[rows] += way
        self._seconds.array[rows] += seconds
        self._top.array[rows] = np.maximum(self._top.array[rows], speed)
        self._place.array[rows], self._time.array[rows] = places, moment.time
        if self.settings.limit:
            fast = speed > self.settings.limit
            for place in np.flatnonzero(fast & ~self._told.array[rows]).tolist():
                index = int(who[place])
                moment.emit(self.name, "speeding", int(rows[place]), index, kmh=round(float(speed[place]), 1))
            self._told.array[rows] = fast

    def _tell_path(self, moment: Moment, row: int) -> None:
        metres, seconds = float(self._metres.array[row]), float(self._seconds.array[row])
        if metres < self.settings.least or not seconds:
            return
        mean, top = metres / seconds * _KMH, float(self._top.array[row])
        moment.emit(
            self.name, "path", row, metres=round(metres, 2), seconds=round(seconds, 2), kmh=round(mean, 1),
            top=round(top, 1),
        )  # fmt: skip


RULE = SpeedRule
