"""Models that keep the interpreter from other threads are found; those that do not are left alone."""

import itertools
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

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
    """Plays a model whose calls are watched; returns what was told of it."""
    monkeypatch.setattr(interpreter, "_LOOKS", 30)
    monkeypatch.setattr(interpreter, "_REST", 0.01)

    def play(call, verdicts=2, limit=20.0):
        told, looks = [], []
        look = CallWatch._look
        monkeypatch.setattr(CallWatch, "_look", lambda self: looks.append(look(self)) or looks[-1])
        watch = CallWatch("cats.py:Cats", told.append)

        def run():
            while not watch._stop.is_set():
                with watch:
                    call()
                time.sleep(0.01)

        thread = threading.Thread(target=run)
        thread.start()
        end = time.monotonic() + limit
        while not told and len(looks) < verdicts and time.monotonic() < end and watch.calls < 60:
            time.sleep(0.02)
        watch.close()
        thread.join()
        return told, looks, watch

    return play


def test_a_loop_in_python_is_named(watched):
    (hold,), _, watch = watched(busy, verdicts=20)
    assert hold.model == "cats.py:Cats"
    assert 0.5 <= hold.share <= 1
    assert 0.005 < hold.seconds <= watch.seconds / watch.calls * 1.5
    assert str(hold).startswith("model cats.py:Cats holds the interpreter ")
    assert "other threads wait" in str(hold)


def test_numpy_on_large_arrays_is_not(watched):
    told, looks, _ = watched(arrays)
    assert told == []
    assert looks
    assert all(hold.share < 0.5 for hold in looks)


def test_a_model_that_takes_no_processor_time_is_not_even_looked_at(watched):
    told, looks, watch = watched(asleep)
    assert (told, looks) == ([], [])
    assert watch.calls >= 60
    assert watch.seconds > 1.1
    assert watch.cpu_seconds < 0.5


def test_a_machine_that_stands_still_ends_no_look(monkeypatch):
    clock = itertools.count(step=3.0)
    still = SimpleNamespace(perf_counter=lambda: next(clock), sleep=time.sleep)
    monkeypatch.setattr(interpreter, "time", still)
    at, _ = interpreter._wake()
    assert at > 0
