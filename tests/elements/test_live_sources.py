"""Live sources: under capacity nothing is dropped; over it the newest frames are processed, and counts add up."""

from __future__ import annotations

from collections import Counter
from typing import Any

SOURCE = (
    "videotestsrc is-live=true num-buffers={n} ! video/x-raw,format=GRAY8,width=64,height=48,framerate={fps}/1"
    " ! m.sink_{i}"
)
SLOW = "def infer(self, frames):\n    time.sleep({seconds})\n    return [Detections.empty() for _ in frames]"


def play(run: Any, model: Any, sources: int, frames: int, fps: int, seconds: float) -> Any:
    inputs = " ".join(SOURCE.format(n=frames, fps=fps, i=index) for index in range(sources))
    mux = f"nvstreammux name=m batch-size={sources} batched-push-timeout=40000"
    slow = model(SLOW.format(seconds=seconds))
    return run(f"{inputs} {mux} ! hrinfer model={slow} ! nvtracker ! fakesink name=sink sync=false").to_end()


def test_over_capacity_every_source_gets_its_share_and_every_frame_is_accounted_for(
    run: Any, model: Any
) -> None:
    one = play(run, model, sources=3, frames=60, fps=60, seconds=0.1)
    out = Counter(frame.source_id for frame in one.out.frames)
    drops = one["m"].batcher.drops
    assert {reason for _, reason in drops} == {"live source faster than the pipeline"}
    assert [out[index] + drops[index, "live source faster than the pipeline"] for index in range(3)] == [60] * 3
    assert max(out.values()) - min(out.values()) <= 2
    for index in range(3):
        numbers = [frame.frame_number for frame in one.out.frames if frame.source_id == index]
        assert numbers == sorted(numbers)
        assert numbers[-1] == 59  # the newest, not what waited


def test_under_capacity_nothing_is_dropped(run: Any, model: Any) -> None:
    one = play(run, model, sources=3, frames=20, fps=20, seconds=0.002)
    assert not one["m"].batcher.drops
    assert Counter(frame.source_id for frame in one.out.frames) == {0: 20, 1: 20, 2: 20}
