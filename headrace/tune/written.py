"""Configurations as YAML, with what was measured in their comments."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.tune.accuracy import LOOSE, TIGHT
from headrace.tune.search import Goal, Search, Trial
from headrace.tune.settings import to_yaml


def tuned_yaml(config: Mapping[str, Any], measured: Sequence[str]) -> str:
    """A configuration with comments above it.

    Args:
        config: Fields of `RunConfig`.
        measured: Lines that say where it comes from.

    Example:
        >>> print(tuned_yaml({"model": "m.onnx"}, ["12 frames/s"]), end="")
        # 12 frames/s
        model: m.onnx
    """
    return "".join(f"# {line}\n" for line in measured) + to_yaml(config)


def measured_lines(search: Search, goal: Goal, best: Trial) -> list[str]:
    """What a search has measured, in sentences: the best setting, against the one that it began with.

    Args:
        search: The search.
        goal: What it was for.
        best: What it has chosen.
    """
    first, one = search.trials[0], best.outcome
    lines = [
        f"Tuned for {goal} by headrace tune, {len(search.trials)} settings tried on {_machine()}.",
        f"{_measured(best, goal)}; {one.cpu_ms:.1f} ms of processor time for a frame.",
        f"Where it began ({first.setting}): {first.refused or _measured(first, goal)}.",
    ]
    if first.outcome.objects:
        lines.append(
            f"Detections against that: F1 {one.f1:.3f} at IoU {LOOSE}, {one.f1_tight:.3f} at {TIGHT}, "
            f"{one.objects} objects."
        )
    else:
        lines.append("No object was found in the clip: detections could not be compared.")
    if goal == "throughput" and len(best.outcomes) > 1:
        lines.append(f"Compared {len(best.outcomes) - 1} times, in turns, with the second best.")
    return lines


def _measured(trial: Trial, goal: Goal) -> str:
    value = trial.value(goal)
    if goal == "throughput":
        return f"{value:.1f} frames/s"
    return f"95 of 100 frames within {value:.1f} ms, from arrival to the end"


def _machine() -> str:
    return f"{platform.machine()} with {len(os.sched_getaffinity(0))} processors"
