"""Where each object has been, as metadata of the frame."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from headrace.analytics.moment import Moment
from headrace.analytics.rules._base import Rule, RuleSettings
from headrace.analytics.source import SourceAnalysis
from headrace.meta.analytics import Trajectories


class TrajectorySettings(RuleSettings):
    """What the rule is told."""

    points: int = Field(32, ge=2, le=1024, description="Points of each trajectory.")
    interval: float = Field(0.2, gt=0, description="Seconds from one point to the next.")


class TrajectoryRule(Rule):
    """The last places of each object; the metas of the frames between two points hold the same arrays."""

    settings_type = TrajectorySettings
    settings: TrajectorySettings

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        super().__init__(settings, source)
        self._ring = source.tracks.column(self.settings.points, 4, dtype=np.float32, fill=np.nan)
        self._last: Trajectories | None = None

    def update(self, moment: Moment) -> None:
        """Add a point now and then."""
        if self._last is None or self.due(moment.time, self.settings.interval):
            self._last = self._sample(moment)
        moment.trajectories = self._last

    def _sample(self, moment: Moment) -> Trajectories:
        there = moment.of(self.who)
        rows, ring = moment.rows[there], self._ring.array
        # Pixels and metres side by side: only the new point has to be taken to the ground.
        new = np.hstack([moment.feet[there], moment.places[there]]).astype(np.float32)
        points = np.concatenate([ring[rows, 1:], new[:, None]], axis=1)
        ring[rows] = points
        metres = points[..., 2:] if self.source.ground is not None else None
        return Trajectories(moment.ids[there], points[..., :2], metres, self.settings.interval)


RULE = TrajectoryRule
