"""Resident memory of a pipeline by number of sources; each is measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.bench.chain import STAGES, launch_line, run
from headrace.bench.statistics import Spread
from headrace.errors import HeadraceError

_MIB = 1024.0
_CHILD = "from headrace.bench.memory import report; report({sources}, {frames})"


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Resident memory in MiB.

    Attributes:
        sources: Number of sources.
        before: After ``import headrace``.
        after: After the run, when all of it had been in use at once.
    """

    sources: int
    before: Spread
    after: Spread


def memory_use(sources: Sequence[int] = (1, 4, 16), frames: int = 300, repeats: int = 3) -> list[MemoryUse]:
    """Measure the whole chain.

    Raises:
        HeadraceError: A measuring process failed.
    """
    uses = []
    for count in sources:
        pairs = [_measure(count, frames) for _ in range(repeats)]
        before, after = zip(*pairs, strict=True)
        uses.append(MemoryUse(count, Spread.of(before), Spread.of(after)))
    return uses


def _measure(sources: int, frames: int) -> tuple[float, float]:
    command = [sys.executable, "-c", _CHILD.format(sources=sources, frames=frames)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HeadraceError(f"measuring memory failed:\n{done.stderr.strip()}")
    before, after = done.stdout.split()
    return float(before), float(after)


def report(sources: int, frames: int) -> None:
    """What the measuring process does: run the chain, write resident MiB before and after it."""
    before = _status("VmRSS")
    run(launch_line(len(STAGES), sources, frames))
    sys.stdout.write(f"{before} {_status('VmHWM')}\n")


def resident() -> float:
    """Resident memory of this process in MiB."""
    return _status("VmRSS")


def _status(field: str) -> float:
    """A size from the kernel's view of this process, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / _MIB for line in lines if line.startswith(field))
