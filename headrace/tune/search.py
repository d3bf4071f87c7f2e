"""The search: one setting after the other, then the two best again, in turns, within a bounded time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from headrace.errors import HeadraceError
from headrace.tune.settings import Axis, Setting
from headrace.tune.trials import Outcome

Goal = Literal["throughput", "latency"]

#: What is better by less is noise.
NOISE = 0.03
#: Turns in which the two best are compared again.
ROUNDS = 3
#: Share of the time that is kept for that.
_KEPT = 0.25
#: Times that settings are gone through: the best of one may depend on another.
_SWEEPS = 2


@dataclass
class Trial:
    """A setting and what came of it.

    Attributes:
        setting: The setting.
        outcomes: One, and more of the best.
        refused: Why it must not be chosen; empty where it may.
    """

    setting: Setting
    outcomes: list[Outcome] = field(default_factory=list)
    refused: str = ""

    @property
    def outcome(self) -> Outcome:
        """The first one, with which detections were compared."""
        return self.outcomes[0]

    def value(self, goal: Goal) -> float:
        """Median of what is sought: frames per second, or milliseconds."""
        return statistics.median(one.fps if goal == "throughput" else one.p95_ms for one in self.outcomes)

    def worth(self, goal: Goal) -> float:
        """More is better; a dropped frame weighs as much as all the latency."""
        value = self.value(goal)
        if goal == "throughput":
            return value
        return 1.0 / (max(value, 1e-3) * (1 + max(one.dropped for one in self.outcomes)))


class Search:
    """Looks for the best setting, coordinate by coordinate; `best` may be asked at any time.

    Args:
        axes: What to look for it among.
        measure: Tries a setting; may raise `KeyboardInterrupt` to end the search.
        goal: Most frames per second, or least milliseconds from arrival to the end at 95 of 100 frames.
        tolerance: Least F1 score of the detections against the first setting's.
        seconds: How long the search may take.
        told: Called with each trial once it is done.
        clock: Seconds, for tests.

    Attributes:
        trials: What was tried, in order; the first is what the others are compared with.
        interrupted: Whether `KeyboardInterrupt` ended the search.

    Example:
        >>> from headrace.tune import Axis
        >>> fps = {"1": 10.0, "2": 18.0, "4": 12.0}
        >>> search = Search([Axis.of("threads", 1, 2, 4)], lambda one: Outcome(fps=fps[one["threads"]]))
        >>> search.run().setting["threads"]
        '2'
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        measure: Callable[[Setting], Outcome],
        goal: Goal = "throughput",
        tolerance: float = 0.98,
        seconds: float = 60.0,
        told: Callable[[Trial], None] = lambda trial: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trials: list[Trial] = []
        self._axes, self._measure, self._goal = axes, measure, goal
        self._first = Setting.first(axes)
        self._tolerance, self._seconds = tolerance, seconds
        self._told, self._clock = told, clock
        self._began = clock()
        self._longest = 0.0
        self._tried: dict[Setting, Trial] = {}
        self.interrupted = False

    @property
    def best(self) -> Trial | None:
        """The best so far of those that may be chosen; ``None`` where none may.

        Of two that are as good within `NOISE` it is the one that finds more, or else the plainer one.
        """
        allowed = self._allowed()
        if not allowed:
            return None
        equal = [trial for trial in allowed if not _better(allowed[0], trial, self._goal)]
        return max(equal[:2], key=lambda trial: (round(trial.outcome.f1, 3), self._plainness(trial.setting)))

    def run(self) -> Trial:
        """Search until nothing gets better, the time is up, or `KeyboardInterrupt` comes.

        Raises:
            HeadraceError: No setting may be chosen; says why.
        """
        try:
            with suppress(_TimeIsUp):
                self._climb(self._start())
            self._compare_best()
        except KeyboardInterrupt:
            self.interrupted = True
        if self.best is None:
            raise HeadraceError(self._nothing())
        return self.best

    def _start(self) -> Trial:
        """The first value of each axis; of the first axis the first value that works."""
        for setting in self._along(self._first, self._axes[0]):
            trial = self._try(setting)
            if not trial.outcome.error:
                return trial
        raise _TimeIsUp

    def _climb(self, at: Trial) -> None:
        for _ in range(_SWEEPS):
            before = at
            for axis in self._axes:
                at = self._best_along(axis, at)
            if at is before:
                return

    def _best_along(self, axis: Axis, at: Trial) -> Trial:
        last: Trial | None = None
        for setting in self._along(at.setting, axis):
            trial = self._try(setting)
            if trial.outcome.error:
                continue
            if axis.ordered and last is not None and _better(last, trial, self._goal):
                break
            last = trial
            if not self._loses(trial) and _better(trial, at, self._goal):
                at = trial
        return at

    def _along(self, setting: Setting, axis: Axis) -> list[Setting]:
        return [setting.at(axis, values) for values in axis.values]

    def _try(self, setting: Setting) -> Trial:
        """Try it, unless that was done before."""
        trial = self._tried.get(setting)
        if trial is None:
            trial = self._tried[setting] = Trial(setting, [self._timed(setting, _KEPT)])
            trial.refused = self._refusal(trial)
            self.trials.append(trial)
            self._told(trial)
        return trial

    def _timed(self, setting: Setting, kept: float) -> Outcome:
        began = self._clock()
        if self.trials and began + self._longest > self._began + self._seconds * (1 - kept):
            raise _TimeIsUp
        outcome = self._measure(setting)
        self._longest = max(self._longest, self._clock() - began)
        return outcome

    def _compare_best(self) -> None:
        two = self._allowed()[:2]
        if len(two) < 2:
            return
        with suppress(_TimeIsUp):
            for _ in range(ROUNDS):
                for trial in two:
                    trial.outcomes.append(self._timed(trial.setting, 0.0))
                    trial.refused = trial.refused or self._refusal(trial)
                    self._told(trial)

    def _allowed(self) -> list[Trial]:
        allowed = [trial for trial in self.trials if not trial.refused]
        return sorted(allowed, key=lambda trial: trial.worth(self._goal), reverse=True)

    def _loses(self, trial: Trial) -> bool:
        return min(one.f1 for one in trial.outcomes) < self._tolerance

    def _refusal(self, trial: Trial) -> str:
        latest = trial.outcomes[-1]
        if latest.error:
            return latest.error
        if self._loses(trial):
            return f"detections differ: F1 {latest.f1:.3f}"
        if self._goal == "latency" and latest.dropped:
            return f"{latest.dropped} frames dropped"
        return ""

    def _plainness(self, setting: Setting) -> int:
        return sum(mine == first for mine, first in zip(setting.values, self._first.values, strict=True))

    def _nothing(self) -> str:
        if not self.trials:
            return "ended before the first trial was done: nothing was found"
        why = "; ".join(dict.fromkeys(trial.refused for trial in self.trials))
        return f"none of {len(self.trials)} settings can be chosen: {why}"


class _TimeIsUp(Exception):
    """No trial would end in time."""


def _better(one: Trial, other: Trial, goal: Goal) -> bool:
    """Whether it is more than noise."""
    return one.worth(goal) > other.worth(goal) * (1 + NOISE)
