"""What all rules have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from headrace.analytics.moment import Moment
from headrace.analytics.source import SourceAnalysis
from headrace.errors import ConfigError


class Strict(BaseModel):
    """Immutable, keys with dashes or underscores, none that is not known."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=lambda name: name.replace("_", "-"),
        populate_by_name=True,
    )


class RuleSettings(Strict):
    """What every rule is told."""

    rule: str = Field(description="Which rule: its name in the list of rules, or FILE.py:FUNCTION.")
    name: str = Field("", description="Its name in events; that of the rule where it is left out.")
    classes: tuple[int | str, ...] = Field(
        (), description="Labels or numbers of the classes it is about; all."
    )


class ZoneSettings(RuleSettings):
    """What rules about zones are told."""

    zones: tuple[str, ...] = Field((), description="Names of the zones; all where they are left out.")


class Rule(ABC):
    """Looks at the moments of one source, one after the other, and says what happened.

    A rule is one file in `headrace.analytics.rules` that names its class ``RULE``. What it remembers of a track is a
    column of ``source.tracks``, so nothing is left of tracks that have gone.

    Args:
        settings: Of the class ``settings_type``.
        source: Tracks, zones, lines and ground of the source.

    Raises:
        ConfigError: It names a zone, line or class that is not there.
    """

    settings_type: ClassVar[type[RuleSettings]] = RuleSettings
    settings: Any

    def __init__(self, settings: RuleSettings, source: SourceAnalysis) -> None:
        self.settings, self.source = settings, source
        self.name = settings.name or settings.rule
        self.who = source.classes(settings.classes)
        self._next = -np.inf

    @abstractmethod
    def update(self, moment: Moment) -> None:
        """Look at a frame; what happened goes to ``moment.emit``."""

    def close(self) -> None:  # noqa: B027 - most rules have nothing to do then
        """The source has ended."""

    def due(self, now: float, interval: float) -> bool:
        """Whether it is time to look again; the first time at once."""
        if now < self._next:
            return False
        self._next = now + interval - 1e-6
        return True

    def zones_of(self, names: Iterable[str]) -> list[int]:
        """Numbers of zones by name; all of them for none."""
        return self._numbers("zone", names, self.source.settings.zones)

    def lines_of(self, names: Iterable[str]) -> list[int]:
        """Numbers of lines by name; all of them for none."""
        return self._numbers("line", names, self.source.settings.lines)

    def _numbers(self, kind: str, names: Iterable[str], there: Iterable[str]) -> list[int]:
        known = list(there)
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"rule {self.name}: there is no {kind} {name!r}; there are: {', '.join(known)}"
                )
        if not known:
            raise ConfigError(f"rule {self.name}: there are no {kind}s; add {kind}s to the configuration")
        return [known.index(name) for name in names] or list(range(len(known)))

    def is_about(self, row: int) -> bool:
        """Whether a track is of the rule's classes."""
        return self.who is None or bool(self.who.array[row])
