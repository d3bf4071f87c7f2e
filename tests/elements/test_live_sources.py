"""Live sources: under capacity nothing is dropped; over it the newest frames are processed, and counts add up."""

from __future__ import annotations

from collections import Counter
from threading import Semaphore
from typing import Any

CAPS = "video/x-raw,format=GRAY8,width=64,height=48"
PIXELS = bytes(64 * 48)
REASON = "live source faster than the pipeline"
FINDS = "def infer(self, frames):\n    return [Detections.empty() for _ in frames]"


class Live:
    """Live sources that are fed by hand into a pipeline whose sink takes a batch when it is allowed to."""

    def __init__(self, run: Any, feed: Any, model: Any, sources: int) -> None:
        inputs = " ".join(f"appsrc name=s{index} is-live=true ! m.sink_{index}" for index in range(sources))
        # A time-out that never comes: the frames of a turn are one batch, however long it takes to push them.
        mux = f"nvstreammux name=m batch-size={sources} batched-push-timeout=60000000"
        self.allowed, self.taken = Semaphore(0), 0
        self.run = run(
            f"{inputs} {mux} ! hrinfer model={model(FINDS)} ! nvtracker ! fakesink name=sink sync=false"
        )
        sink = self.run["sink"]
        self.run.handlers.append((sink, sink.connect("handoff", self._take)))
        self.feeders = [feed(self.run[f"s{index}"], CAPS) for index in range(sources)]
        self.run.play()

    def _take(self, *_: Any) -> None:
        self.taken += self.allowed.acquire(timeout=60)

    @property
    def drops(self) -> Counter[tuple[int, str]]:
        return self.run["m"].batcher.drops

    def push(self) -> None:
        """A frame of each source; returns when the muxer has them."""
        for feeder in self.feeders:
            feeder.push(PIXELS)
        self.run.wait(lambda: {one.next_number for one in self.run["m"].sources.values()} == {feeder.index})

    def passed(self) -> Counter[int]:
        return Counter(frame.source_id for frame in self.run.out.frames)

    def end(self) -> None:
        for feeder in self.feeders:
            feeder.end()
        self.allowed.release(1000)
        self.run.wait().stop()
        assert self.run.errors == []


def test_over_capacity_every_source_gets_its_share_and_every_frame_is_accounted_for(
    run: Any, feed: Any, model: Any
) -> None:
    one = Live(run, feed, model, sources=3)
    for turn in range(60):
        one.push()
        if turn % 5 == 0:  # the sink takes one batch in the time of five frames
            one.allowed.release()
            one.run.wait(lambda n=turn // 5 + 1: one.taken == n)  # type: ignore[misc]
    one.end()
    out = one.passed()
    assert {reason for _, reason in one.drops} == {REASON}
    assert [out[index] + one.drops[index, REASON] for index in range(3)] == [60] * 3
    assert min(out.values()) >= 12
    assert max(out.values()) - min(out.values()) <= 2
    for index in range(3):
        numbers = [frame.frame_number for frame in one.run.out.frames if frame.source_id == index]
        assert numbers == sorted(numbers)
        assert numbers[-1] == 59  # the newest, not what waited


def test_under_capacity_nothing_is_dropped(run: Any, feed: Any, model: Any) -> None:
    one = Live(run, feed, model, sources=3)
    one.allowed.release(1000)
    for turn in range(1, 21):
        one.push()
        one.run.wait(lambda n=turn: one.passed().total() == 3 * n)  # type: ignore[misc]
    one.end()
    assert not one.drops
    assert one.passed() == {0: 20, 1: 20, 2: 20}
