"""Contenders side by side: each run in a process of its own, taking turns, measured from outside.

A contender is a program. It counts the frames that it is done with in a file of eight bytes, its last argument, which
it maps: ``done = numpy.memmap(sys.argv[-1], "u8", "r+")``, then ``done[0] += 1``. That costs it no system call, and
leaves it free to be of any library and any virtual environment.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headrace.bench.statistics import Spread
from headrace.errors import HeadraceError

_LOOK = 0.004  # seconds between looks at the counter
_STUCK = 120.0  # seconds without a frame after which a contender has failed
_MIB = 1024.0
_TICKS = os.sysconf("SC_CLK_TCK")
_TOLD = 12  # last lines of what a failed program wrote


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those that take turns.

    Attributes:
        name: As in the report.
        command: The program and its arguments, but for the counter's file, which is added.
        environment: Variables added to this process's own.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Use:
    """What one run took, start-up not counted.

    Attributes:
        fps: Frames a second.
        cpu_ms: CPU milliseconds of a frame, of all threads, user and system.
        peak_mib: Highest resident memory of the process, start-up included.
        frames: Frames that were counted.
    """

    fps: float
    cpu_ms: float
    peak_mib: float
    frames: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The runs of one contender.

    Attributes:
        name: Of the contender.
        rounds: What each run took; empty if it failed.
        error: Why it failed.

    Example:
        >>> ours = Measured("ours", [Use(90, 40, 300, 200), Use(100, 39, 310, 200)])
        >>> ours.over(Measured("theirs", [Use(60, 60, 900, 200), Use(50, 61, 900, 200)])).median
        1.75
    """

    name: str
    rounds: Sequence[Use]
    error: str = ""

    def of(self, what: str) -> Spread:
        """``fps``, ``cpu_ms`` or ``peak_mib`` of the rounds."""
        return Spread.of([getattr(use, what) for use in self.rounds])

    def over(self, other: Measured, what: str = "fps") -> Spread:
        """This over another, round by round: only runs next to each other are compared."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return Spread.of([getattr(one, what) / getattr(two, what) for one, two in pairs])


def side_by_side(
    contenders: Sequence[Contender],
    repeats: int = 3,
    seconds: float = 3.0,
    warm: float = 0.7,
    progress: Callable[[str], None] = lambda text: None,
) -> dict[str, Measured]:
    """Run all contenders once in each round.

    Args:
        contenders: With different names. One that fails is left out from then on; the others go on.
        repeats: Rounds.
        seconds: How long each run is measured; it ends earlier with its clip.
        warm: Seconds from the first frame until measuring begins.
        progress: Told what comes next.

    Returns:
        What each took, by name, in their order.
    """
    rounds: dict[str, list[Use]] = {one.name: [] for one in contenders}
    errors: dict[str, str] = {}
    for number in range(1, repeats + 1):
        for one in contenders:
            if one.name in errors:
                continue
            progress(f"round {number} of {repeats}: {one.name}")
            try:
                rounds[one.name].append(measure(one, seconds, warm))
            except HeadraceError as error:
                errors[one.name] = str(error)
                progress(str(error))
    return {
        name: Measured(name, () if name in errors else uses, errors.get(name, ""))
        for name, uses in rounds.items()
    }


def measure(contender: Contender, seconds: float, warm: float = 0.7) -> Use:
    """One run; see `side_by_side`.

    Raises:
        HeadraceError: The program failed, counted no frames, or ended before it was looked at twice.
    """
    with tempfile.TemporaryDirectory() as folder:
        counter, log = Path(folder) / "counter", Path(folder) / "log"
        counter.write_bytes(bytes(8))
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*contender.command, str(counter)],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **contender.environment},
            )
        try:
            use = _Watch(process, counter).measure(seconds, warm)
        finally:
            process.kill()
            process.wait()
        if use is None:
            frames = int(np.fromfile(counter, "u8")[0])
            known = f"{frames} frames, too few to measure" if frames else "no frames"
            lines = log.read_text(errors="replace").strip().splitlines()[-_TOLD:]
            raise HeadraceError("\n".join([f"{contender.name} counted {known}:", *lines]))
        return use


@dataclass(frozen=True, slots=True)
class _Mark:
    time: float
    frames: int
    cpu: float


class _Watch:
    """Looks at a process from outside."""

    def __init__(self, process: subprocess.Popen[bytes], counter: Path) -> None:
        self._process, self._done = process, np.memmap(counter, "u8", "r")
        self._folder = Path("/proc") / str(process.pid)
        self._peak = 0.0

    def measure(self, seconds: float, warm: float) -> Use | None:
        """``None`` if fewer than two counts came after ``warm``, but for a clip that is shorter."""
        first = self._next(None)
        if first is None:
            return None
        start = last = first
        while (mark := self._next(last)) is not None:
            if mark.time - first.time <= warm:
                start = mark
            last = mark
            if mark.time - start.time >= seconds and mark.time - first.time > warm:
                break
        if last.frames == start.frames:
            start = first  # the clip ended before it was warm
        passed, frames = last.time - start.time, last.frames - start.frames
        if not frames:
            return None
        return Use(frames / passed, (last.cpu - start.cpu) / frames * 1e3, self._peak, frames)

    def _next(self, before: _Mark | None) -> _Mark | None:
        """The next change of the counter; ``None`` at the end of the process, or if none comes."""
        known, started = 0 if before is None else before.frames, time.perf_counter()
        while time.perf_counter() - started < _STUCK:
            frames = int(self._done[0])
            if frames != known:
                return self._mark(frames)
            if self._process.poll() is not None:
                return None
            time.sleep(_LOOK)
        return None

    def _mark(self, frames: int) -> _Mark | None:
        """``None`` if the process has ended, or is about to: what it took can no longer be read."""
        now = time.perf_counter()
        try:
            fields = (self._folder / "stat").read_text().rpartition(")")[2].split()
            status = (self._folder / "status").read_text()
        except OSError:
            return None
        peak = status.partition("VmHWM:")[2].split()
        if not peak:  # a zombie has no memory
            return None
        self._peak = int(peak[0]) / _MIB
        return _Mark(now, frames, (int(fields[11]) + int(fields[12])) / _TICKS)
