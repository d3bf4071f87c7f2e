"""Calls of a model that overlap: order, errors, what waits for them, and what is left behind."""

import random
import threading
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest
from waiting import wait_until

from headrace.errors import ModelError
from headrace.frames import Frame
from headrace.infer import Detector, InferOptions, InferStage
from headrace.meta import Detections

#: Seconds for what takes some milliseconds, on a machine that others use.
LIMIT = 60


def frames(*levels):
    return [Frame.from_array(np.full((8, 8, 3), level, np.uint8), "RGB") for level in levels]


class Overlapping(Detector):
    """Finds a box as wide as the picture is bright, after a while; three calls may overlap."""

    def __init__(self, concurrency=3, rows=1, width=1.0, meet=False):
        self.at_once, self.per_call, self.width = concurrency, rows, width
        self.met = threading.Event()  # two calls are inside; with ``meet`` the first waits for that
        if not meet:
            self.met.set()
        self.inside = self.most = 0
        self.calls, self.told = [], []
        self.lock = threading.Lock()

    concurrency = property(lambda self: self.at_once)
    rows = property(lambda self: self.per_call)

    def settle(self, live, pictures):
        self.told.append((live, pictures))

    def infer(self, batch):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.calls.append(len(batch))
            if self.inside > 1:
                self.met.set()
        assert self.met.wait(LIMIT)
        time.sleep(random.uniform(0, 0.004))
        with self.lock:
            self.inside -= 1
        levels = [int(picture[0, 0, 0]) for picture in batch.numpy()]
        if 13 in levels:
            raise KeyError("thirteen")
        return [Detections([[0, 0, self.width * level, 1]], [0.9], [0]) for level in levels]


def widths(results):
    return [float(one.detections.xyxy[0, 2]) for one in results]


def crew():
    """Threads of stages, those that other tests have left among them."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("hr-infer")}


@pytest.fixture
def make():
    made, before = [], crew()

    def stage(model, **options):
        made.append(InferStage(model, InferOptions(confidence=0, **options)))
        return made[-1]

    yield stage
    for one in made:
        assert one.close(LIMIT)
    assert crew() <= before


@pytest.mark.parametrize(
    ("rows", "batch_size", "calls"), [(1, 0, 1), (2, 0, 2), (None, 0, 4), (None, 3, 3), (2, 1, 1)]
)
def test_every_batch_is_whole_and_in_order_whatever_the_calls_take(make, rows, batch_size, calls):
    stage = make(Overlapping(rows=rows, meet=True), batch_size=batch_size)
    futures = [stage.submit(frames(*range(start, start + 4))) for start in range(14, 94, 4)]
    found = [widths(future.result(LIMIT)) for future in futures]
    assert found == [[float(start + i) for i in range(4)] for start in range(14, 94, 4)]
    assert max(stage.model.calls) == calls
    assert stage.model.most > 1
    assert stage.model.told == [(True, 4)]


def test_a_model_of_one_call_at_a_time_is_called_by_one_thread(make):
    stage = make(Overlapping(concurrency=1))
    futures = [stage.submit(frames(1, 2, 3)) for _ in range(8)]
    assert [widths(future.result(LIMIT)) for future in futures] == [[1, 2, 3]] * 8
    assert (stage.model.most, stage.model.calls, stage.threads) == (1, [3] * 8, 1)


def test_an_error_ends_its_own_batch_only(make):
    stage = make(Overlapping())
    batches = [(1, 2), (3, 13, 4, 5), (6, 7), (13,), (8,)]
    futures = [stage.submit(frames(*levels)) for levels in batches]
    for levels, future in zip(batches, futures, strict=True):
        if 13 in levels:
            with pytest.raises(KeyError, match="thirteen"):
                future.result(LIMIT)
        else:
            assert widths(future.result(LIMIT)) == list(levels)
    with pytest.raises(ModelError, match="1 regions for 2 frames"):
        stage.run(frames(1, 2), [None])
    assert widths(stage.run(frames(9))) == [9]


def test_an_exchange_waits_for_slices_and_each_batch_is_the_work_of_one_model(make):
    stage = make(Overlapping(width=1))
    after = Overlapping(concurrency=5, width=10)
    seen = []

    def exchange():
        seen.append(stage.model.inside)
        stage.model = after

    before = [stage.submit(frames(*range(20, 26))) for _ in range(10)]
    done = stage.call(exchange)
    later = [stage.submit(frames(*range(20, 26))) for _ in range(10)]
    assert [widths(future.result(LIMIT)) for future in before] == [list(range(20, 26))] * 10
    assert done.result(LIMIT) is None
    assert [widths(future.result(LIMIT)) for future in later] == [list(range(200, 260, 10))] * 10
    assert seen == [0]
    assert stage.threads > 5


def test_frames_that_do_not_fit_wait_for_what_is_under_way(make):
    class Growing(Overlapping):
        size, prepared = 0, 0

        def fits(self, batch):
            return len(batch) <= self.size

        def prepare(self, batch):
            assert self.inside == 0
            self.size, self.prepared = len(batch), self.prepared + 1

    stage = make(Growing())
    futures = [stage.submit(frames(*[20] * count)) for count in (1, 1, 4, 2, 4, 6, 3)]
    assert [len(future.result(LIMIT)) for future in futures] == [1, 1, 4, 2, 4, 6, 3]
    assert stage.model.prepared == 3


def test_what_has_not_begun_can_be_cancelled(make):
    gate = threading.Event()

    class Held(Overlapping):
        def infer(self, batch):
            assert gate.wait(LIMIT)
            return super().infer(batch)

    stage = make(Held())
    futures = [stage.submit(frames(20)) for _ in range(12)]
    wait_until(lambda: stage.threads > 1 and futures[0].running())
    given_up = [future for future in futures if future.cancel()]
    assert 12 - stage.threads <= len(given_up) < 12
    gate.set()
    for future in futures:
        if future in given_up:
            with pytest.raises(CancelledError):
                future.result(LIMIT)
        else:
            assert widths(future.result(LIMIT)) == [20]
    assert stage.call(lambda: "idle").result(LIMIT) == "idle"


def test_closing_finishes_what_was_submitted_and_says_if_a_call_does_not_return():
    gate = threading.Event()

    class Held(Overlapping):
        def infer(self, batch):
            gate.wait(LIMIT)
            return super().infer(batch)

    before = crew()
    stage = InferStage(Held(), InferOptions())
    futures = [stage.submit(frames(20, 21)) for _ in range(4)]
    assert not stage.close(0.05)
    gate.set()
    assert stage.close(LIMIT)
    assert [len(future.result(0)) for future in futures] == [2] * 4
    assert crew() <= before
    with pytest.raises(ModelError, match="closed"):
        stage.submit(frames(1))
