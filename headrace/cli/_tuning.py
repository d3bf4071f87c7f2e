"""What ``headrace tune`` shows: how far it is, and the table of its trials."""

from __future__ import annotations

from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from headrace.cli._terminal import err
from headrace.tune import Goal, Search, Trial

_REFRESH = 5  # per second
_LONG = 60
_UNIT = {"throughput": "frames/s", "latency": "ms p95"}


class Progress:
    """Time passed and the best so far, while the ``with`` block runs; without a terminal a line for each trial."""

    def __init__(self, seconds: float, goal: Goal) -> None:
        self.search: Search | None = None
        self._goal: Goal = goal
        self._seconds = seconds
        self._bar = Bar(
            BarColumn(), TimeElapsedColumn(), TextColumn(f"of {seconds:.0f} s at most; {{task.fields[told]}}"),
            console=err, transient=True, refresh_per_second=_REFRESH,
        )  # fmt: skip
        self._task = self._bar.add_task("", total=None, told="first trial")

    def __enter__(self) -> Progress:
        if err.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def told(self, trial: Trial) -> None:
        """A trial is done."""
        best = self.search.best if self.search is not None else None
        so_far = (
            "" if best is None else f"best {_value(best, self._goal)} {_UNIT[self._goal]}: {best.setting}"
        )
        if err.is_terminal:
            self._bar.update(self._task, told=so_far or "nothing suits yet")
        else:
            err.print(f"{trial.setting}: {_short(trial.refused) or _value(trial, self._goal)}", markup=False)


def trial_table(search: Search, goal: Goal, best: Trial) -> Table:
    """The trials, in order, a row each."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    names = [name for name, _ in best.setting.values]
    for name in names:
        table.add_column(name)
    latency = ("ms p95", "dropped") if goal == "latency" else ()
    for heading in (*latency, "frames/s", "cpu ms/frame", "F1 at 0.5", "at 0.9"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for trial in search.trials:
        one = trial.outcome
        row = [trial.setting[name] for name in names]
        if one.error:
            row += [""] * (len(latency) + 4)
        else:
            row += (
                [_value(trial, goal), str(one.dropped), f"{one.fps:.1f}"]
                if latency
                else [_value(trial, goal)]
            )
            row += [
                f"{one.cpu_ms:.2f}",
                *(f"{f1:.3f}" if one.objects else "-" for f1 in (one.f1, one.f1_tight)),
            ]
        style = "bold" if trial is best else "dim" if trial.refused else ""
        table.add_row(*row, "best" if trial is best else _short(trial.refused), style=style)
    return table


def _short(reason: str) -> str:
    return reason if len(reason) <= _LONG else f"{reason[:_LONG]}…"


def _value(trial: Trial, goal: Goal) -> str:
    return f"{trial.value(goal):.1f}"
