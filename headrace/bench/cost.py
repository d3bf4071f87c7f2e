"""What the elements cost: CPU per frame and per batch, stage after stage, over the bare sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headrace.bench.chain import STAGES, launch_line, run
from headrace.bench.statistics import Spread
from headrace.gst.threads import shorten_switch_interval

_MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class StageCost:
    """The cost of one stage at one batch size, in CPU microseconds per frame.

    Attributes:
        stage: The element's name.
        batch_size: Sources, and frames in a batch.
        own: What this stage adds to the one before it.
        total: The chain up to here over the bare sources.
    """

    stage: str
    batch_size: int
    own: Spread
    total: Spread

    @property
    def total_per_batch(self) -> Spread:
        """The chain up to here, for a batch."""
        return self.total.scaled(self.batch_size)


def element_costs(
    batch_sizes: Sequence[int] = (1, 4, 16),
    frames: int = 4000,
    repeats: int = 5,
    live: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> list[StageCost]:
    """Measure every stage at every batch size.

    Rounds are interleaved: each measures the bare sources and all stages once, and only runs of one round are
    subtracted from each other, so that a machine that grows slow or busy does not look like a slow stage.

    Args:
        batch_sizes: Frames in a batch, one of each source.
        frames: Frames of a run, over all sources.
        repeats: Rounds; one more before them warms up and is not counted.
        live: At 30 frames a second a source instead of as fast as possible.
        progress: Told what comes next.

    Raises:
        PipelineError: An element failed.
    """
    shorten_switch_interval()
    costs = []
    for size in batch_sizes:
        rounds = []
        for number in range(repeats + 1):
            progress(f"batch size {size}, round {number} of {repeats}")
            rounds.append(_round(size, max(frames // size, 1), live))
        costs.extend(_summary(size, rounds[1:]))
    return costs


def _round(size: int, frames: int, live: bool) -> list[float]:
    """CPU microseconds per frame of the bare sources and of each chain."""
    return [
        run(launch_line(stages, size, frames, live)).cpu / (size * frames) * _MICROSECONDS
        for stages in range(len(STAGES) + 1)
    ]


def _summary(size: int, rounds: Sequence[Sequence[float]]) -> list[StageCost]:
    return [
        StageCost(
            name,
            size,
            Spread.of([times[stage] - times[stage - 1] for times in rounds]),
            Spread.of([times[stage] - times[0] for times in rounds]),
        )
        for stage, (name, _) in enumerate(STAGES, 1)
    ]
