"""Models that keep the interpreter from other threads are found; those that do not are left alone."""

import itertools
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from waiting import wait_until

from headrace.infer import interpreter
from headrace.infer.interpreter import CallWatch


def busy():
    """20 ms of Python."""
    end = time.thread_time() + 0.02
    while time.thread_time() < end:
        sum(range(100))


def asleep():
    time.sleep(0.02)


_MANY = np.full(2_000_000, 2.0)
_ROOTS = np.empty_like(_MANY)


def arrays():
    """Several milliseconds of NumPy, which lets others run meanwhile."""
    for _ in range(5):
        np.sqrt(_MANY, out=_ROOTS)


@pytest.fixture
def watched(monkeypatch):
    """Plays a model whose calls are watched, until something holds; returns what was told of it."""
    monkeypatch.setattr(interpreter, "_LOOKS", 30)
    monkeypatch.setattr(interpreter, "_REST", 0.01)

    def play(call, until):
        told, looks = [], []
        look = CallWatch._look
        monkeypatch.setattr(CallWatch, "_look", lambda self: looks.append(look(self)) or looks[-1])
        watch = CallWatch("cats.py:Cats", told.append)
        watch.longest = 0.0

        def run():
            while not watch._stop.is_set():
                started = time.perf_counter()
                with watch:
                    call()
                watch.longest = max(watch.longest, time.perf_counter() - started)
                time.sleep(0.01)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            wait_until(lambda: until(told, looks, watch))
        finally:
            watch.close()
            thread.join()
        return told, looks, watch

    return play


@pytest.fixture
def own_processor(monkeypatch):
    """Time that others have the processor for counts as the thread's own, as on a machine of its own."""
    clocks = SimpleNamespace(perf_counter=time.perf_counter, thread_time=time.perf_counter, sleep=time.sleep)
    monkeypatch.setattr(interpreter, "time", clocks)


def test_a_loop_in_python_is_named(watched, own_processor):
    (hold,), _, watch = watched(busy, lambda told, looks, watch: told)
    assert hold.model == "cats.py:Cats"
    assert 0.5 <= hold.share <= 1
    assert 0.005 < hold.seconds <= watch.longest
    assert str(hold).startswith("model cats.py:Cats holds the interpreter ")
    assert "other threads wait" in str(hold)


def test_numpy_on_large_arrays_is_not(watched):
    told, looks, _ = watched(arrays, lambda told, looks, watch: told or len(looks) >= 2)
    assert told == []
    assert looks
    assert all(hold.share < 0.5 for hold in looks)


def test_a_model_that_takes_no_processor_time_is_not_even_looked_at(watched):
    told, looks, watch = watched(asleep, lambda told, looks, watch: watch.calls >= 60)
    assert (told, looks) == ([], [])
    assert watch.seconds > 1.1
    assert watch.cpu_seconds < 0.5


def test_a_machine_that_stands_still_ends_no_look(monkeypatch):
    clock = itertools.count(step=3.0)
    still = SimpleNamespace(perf_counter=lambda: next(clock), sleep=time.sleep)
    monkeypatch.setattr(interpreter, "time", still)
    at, _ = interpreter._wake()
    assert at > 0
