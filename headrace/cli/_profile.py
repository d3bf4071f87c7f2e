"""What ``--profile`` shows: where each millisecond of a frame went."""

from __future__ import annotations

from rich.table import Table

from headrace.flow.run.profile import Profile, Times


def profile_table(profile: Profile, names: tuple[str, ...]) -> Table:
    """Steps of a frame's way with their times, the sum of them, and that of each source where there are several.

    Args:
        profile: What was measured.
        names: Inputs by source.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), title=f"{profile.frames} frames", title_justify="left")
    table.add_column("ms of a frame")
    for heading in ("mean", "p50", "p95", "p99", "thread cpu", "busy"):
        table.add_column(heading, justify="right")
    for step in profile.steps:
        style = "dim" if step.waiting else ""
        at_work = ("", "") if step.waiting else (_ms(step.cpu), f"{step.busy:.2f}")
        table.add_row(step.name, *_four(step.wall), *at_work, style=style)
    cpu = sum(step.cpu for step in profile.steps)
    table.add_row("from arrival to the end", *_four(profile.latency), _ms(cpu), "", style="bold")
    if len(profile.sources) > 1:
        for source, times in profile.sources.items():
            table.add_row(f"  of source {source}, {names[source].rsplit('/', 1)[-1]}", *_four(times), "", "")
    return table


def _four(times: Times) -> tuple[str, str, str, str]:
    return _ms(times.mean), _ms(times.p50), _ms(times.p95), _ms(times.p99)


def _ms(value: float) -> str:
    return f"{value:.2f}" if value >= 0.095 else f"{value:.3f}"
