"""Models that keep Python's interpreter from other threads: measured, and named."""

from __future__ import annotations

import random
import resource
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_THREAD = getattr(resource, "RUSAGE_THREAD", None)  # on Linux
#: Calls after which a model is looked at, and processor time of a call in seconds below which it is not.
_CALLS, _LEAST = 10, 0.002
#: Share of a call's time from which a model is named, and the seconds of a call that it must at least come to.
SHARE, SECONDS = 0.5, 0.005
#: Looks during calls that a verdict takes, seconds between two looks, and from one verdict to the next.
_LOOKS, _BETWEEN, _REST = 60, (0.005, 0.015), 60.0
#: Waiting for the interpreter for less than this, in seconds, is nobody's fault.
_WAITED = 0.0004


@dataclass(frozen=True, slots=True)
class Hold:
    """For how long a model holds the interpreter.

    Attributes:
        model: What the user calls it.
        seconds: Of one call.
        share: Of the time of a call, 0–1.

    Example:
        >>> print(Hold("cats.py:Cats", 0.034, 0.8))
        model cats.py:Cats holds the interpreter 34 ms per batch (80 % of its time): other threads wait meanwhile; use \
calls that release it, such as NumPy's or torch's on large arrays, instead of loops in Python
    """

    model: str
    seconds: float
    share: float

    def __str__(self) -> str:
        return (
            f"model {self.model} holds the interpreter {1000 * self.seconds:.0f} ms per batch "
            f"({100 * self.share:.0f} % of its time): other threads wait meanwhile; use calls that release it, such as "
            "NumPy's or torch's on large arrays, instead of loops in Python"
        )


class CallWatch:
    """Times a model's calls, and finds out whether they keep other threads from running.

    Once calls take a few milliseconds of processor time, a thread wakes at random moments for a second or so. Where it
    has to wait for the interpreter while a call is under way, and not so otherwise, the model holds it. A call costs
    a microsecond more, the looks 0.3 % of a processor while they last. In a Python without a global lock nobody is
    looked at.

    Args:
        model: What the user calls it.
        told: Called once, on a thread of its own, if the model holds the interpreter.

    Attributes:
        calls: Number of calls.
        seconds: Their time.
        cpu_seconds: Processor time of the thread that they were made on.

    Example:
        >>> watch = CallWatch("cats.py:Cats", print)
        >>> with watch:
        ...     _ = sum(range(10))
        >>> watch.calls
        1
    """

    def __init__(self, model: str, told: Callable[[Hold], object]) -> None:
        self.model = model
        self.calls = 0
        self.seconds = self.cpu_seconds = 0.0
        self._told = told
        self._since = self._until = self._cpu = 0.0  # the call under way, or the last
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._wanted = getattr(sys, "_is_gil_enabled", lambda: True)()

    def __enter__(self) -> CallWatch:
        self._cpu = time.thread_time()
        self._until = 0.0
        self._since = time.perf_counter()
        return self

    def __exit__(self, *_error: object) -> None:
        self._until = time.perf_counter()
        self.calls += 1
        self.seconds += self._until - self._since
        self.cpu_seconds += time.thread_time() - self._cpu
        if self._wanted and self.calls >= _CALLS and self.cpu_seconds >= _LEAST * self.calls:
            self._wanted = False
            self._thread = threading.Thread(target=self._run, name="hr-watch", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Look no more; returns at once."""
        self._wanted = False
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            hold = self._look()
            if hold.share >= SHARE and hold.seconds >= SECONDS:
                self._told(hold)
                return
            self._stop.wait(_REST)

    def _look(self) -> Hold:
        """One verdict."""
        calls, seconds, cpu = self.calls, self.seconds, self.cpu_seconds
        looks, waits = [0, 0], [0, 0]  # outside of calls, and in them
        while looks[True] < _LOOKS and looks[False] < 10 * _LOOKS and not self._stop.is_set():
            at, waited = _wake()
            called = self._since <= at and not 0 < self._until < at
            looks[called] += 1
            waits[called] += waited
        calls, seconds, cpu = self.calls - calls, self.seconds - seconds, self.cpu_seconds - cpu
        if not looks[True] or calls < 1:
            return Hold(self.model, 0.0, 0.0)
        # What also happens outside of calls is somebody else's; and who holds the interpreter uses the processor.
        others = waits[False] / looks[False] if looks[False] >= _LOOKS / 4 else 0.0
        share = min(max(waits[True] / looks[True] - others, 0.0), cpu / max(seconds, 1e-9))
        return Hold(self.model, share * seconds / calls, share)


def _wake() -> tuple[float, bool]:
    """Sleep; returns when the sleep was over, and whether the interpreter was somebody else's then."""
    switches = _switches()
    pause = random.uniform(*_BETWEEN)  # not in step with the frames
    at = time.perf_counter() + pause
    time.sleep(pause)
    late = time.perf_counter() - at
    # One switch is the sleep. A second one is the wait for the interpreter; a busy processor adds none.
    return at, late >= _WAITED and (_THREAD is None or _switches() - switches > 1)


def _switches() -> int:
    """How often this thread has given the processor away of its own accord."""
    return 0 if _THREAD is None else resource.getrusage(_THREAD).ru_nvcsw
