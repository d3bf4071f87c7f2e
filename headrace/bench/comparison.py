"""Contenders of one comparison in a table, with ratios and what they aim at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from headrace.bench.rounds import Contender, Measured, side_by_side
from headrace.bench.statistics import Spread
from headrace.bench.tables import table

#: CPU milliseconds that Headrace itself may cost a frame, and MiB that it may take at four streams.
COST_MS, PEAK_MIB = 0.4, 450.0


class Aim(NamedTuple):
    """What a contender's frames a second are divided by, and the least that is wanted.

    Attributes:
        over: Name of the other contender.
        least: Least ratio; ``None`` where it is only told.
        inverse: The other one's are divided by this one's instead.
    """

    over: str
    least: float | None = None
    inverse: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A comparison that is to be made.

    Attributes:
        title: What is compared.
        contenders: Those that take turns.
        aims: By contender.
        costs: By whom: names of the contenders that do all of it, decoding only, and the work on a frame only. What
            is left of the first one's CPU when the others' is taken off is own cost.
        peak_aims: Contenders whose memory is to stay below `PEAK_MIB`.
    """

    title: str
    contenders: Sequence[Contender]
    aims: Mapping[str, Aim] = field(default_factory=dict)
    costs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    peak_aims: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured.

    Attributes:
        title: What is compared.
        results: In the order of the plan.
        aims: By contender.
        costs: See `Plan.costs`.
        peak_aims: See `Plan.peak_aims`.
    """

    title: str
    results: Sequence[Measured]
    aims: Mapping[str, Aim]
    costs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    peak_aims: Sequence[str] = ()

    def own_costs(self) -> dict[str, Spread]:
        """CPU milliseconds of a frame beyond decoding and the work on it, round by round, where they are known."""
        rounds = {one.name: [use.cpu_ms for use in one.rounds] for one in self.results if one.rounds}
        known = {
            whose: zip(*(rounds[name] for name in names), strict=True)
            for whose, names in self.costs.items()
            if rounds.keys() >= set(names)
        }
        return {
            whose: Spread.of([whole - sum(parts) for whole, *parts in runs]) for whose, runs in known.items()
        }

    def ratio(self, name: str) -> Spread | None:
        """Of a contender to the one that its aim names; ``None`` where there is none or one of the two failed."""
        known = {one.name: one for one in self.results if one.rounds}
        aim = self.aims.get(name)
        if aim is None or name not in known or aim.over not in known:
            return None
        one, other = known[name], known[aim.over]
        return other.over(one) if aim.inverse else one.over(other)

    def data(self) -> dict[str, Any]:
        """Ready for JSON: rounds as they were measured, spreads are median, low, high."""
        ratios = {one.name: self.ratio(one.name) for one in self.results}
        told = {name: ratio for name, ratio in ratios.items() if ratio is not None}
        return {**asdict(self), "ratios": told, "own_cost_ms": self.own_costs()}

    def text(self) -> str:
        """A title and a table in Markdown."""
        heads = ("", "frames/s", "CPU ms a frame", "peak MiB", "ratio", "aim")
        parts = [f"{self.title}:", table(heads, [self._row(one) for one in self.results])]
        told = ["{}: {:.2f} ({:.2f}–{:.2f})".format(whose, *cost) for whose, cost in self.own_costs().items()]
        if told:
            parts.append(f"Own cost, CPU ms a frame, {COST_MS} at most is aimed at. {'; '.join(told)}.")
        parts += [f"{one.name} failed: {one.error}" for one in self.results if one.error]
        return "\n\n".join(parts)

    def _row(self, one: Measured) -> tuple[object, ...]:
        if not one.rounds:
            return (one.name, "–", "–", "–", "–", "–")
        ratio, aim, aimed = "", self.aims.get(one.name), []
        if (spread := self.ratio(one.name)) is not None and aim is not None:
            told = "{:.2f} ({:.2f}–{:.2f})".format(*spread)
            ratio = f"{aim.over}: {told} of it" if aim.inverse else f"{told} of {aim.over}"
            aimed += [] if aim.least is None else [f"≥ {aim.least:g}"]
        if one.name in self.peak_aims:
            aimed.append(f"≤ {PEAK_MIB:.0f} MiB")
        cpu, peak = one.of("cpu_ms"), f"{one.of('peak_mib').median:.0f}"
        return (one.name, one.of("fps"), "{:.2f} ({:.2f}–{:.2f})".format(*cpu), peak, ratio, ", ".join(aimed))


def compare(
    plan: Plan, repeats: int, seconds: float, progress: Callable[[str], None] = lambda text: None
) -> Comparison:
    """Make a comparison; see `side_by_side`."""
    progress(plan.title)
    results = side_by_side(plan.contenders, repeats, seconds, progress=progress)
    return Comparison(plan.title, tuple(results.values()), plan.aims, plan.costs, plan.peak_aims)
