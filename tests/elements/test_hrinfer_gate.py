"""hrinfer that leaves frames out: by interval, by motion, and what it says of them."""

from __future__ import annotations

from typing import Any

import numpy as np

OUT = "fakesink name=sink sync=false"
#: A box over the white pixels.
FIND = """
def infer(self, frames):
    found = []
    for picture in frames.numpy():
        rows, columns = np.nonzero(picture[..., 0] > 128)
        found.append(Detections([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], [0.9], [1]))
    return found
"""


def scene(run: Any, feed: Any, chain: str, places: list[list[int]]) -> Any:
    """Frames of several sources with a white square of 40 pixels at places; what came out."""
    inputs = " ".join(f"appsrc name=s{index} ! m.sink_{index}" for index in range(len(places)))
    mux = f"nvstreammux name=m batch-size={len(places)} batched-push-timeout=-1"
    one = run(f"{inputs} {mux} ! {chain} ! {OUT}")
    caps = "video/x-raw,format=RGB,width=320,height=240"
    feeders = [feed(one[f"s{index}"], caps) for index in range(len(places))]
    one.play()
    for lefts in zip(*places, strict=True):
        for feeder, left in zip(feeders, lefts, strict=True):
            picture = np.zeros((240, 320, 3), np.uint8)
            picture[100:140, left : left + 40] = 255
            feeder.push(picture.tobytes())
    for feeder in feeders:
        feeder.end()
    one.wait().stop()
    assert one.errors == []
    return one


def of(one: Any, source: int) -> list[Any]:
    return [frame for frame in one.out.frames if frame.source_id == source]


def lefts(frames: list[Any]) -> list[Any]:
    return [found[0] if (found := frame.detections.xyxy[:, 0].tolist()) else None for frame in frames]


def test_only_sources_with_motion_are_looked_at(run: Any, feed: Any, model: Any) -> None:
    moving, still = [0, 20, 40, 60, 60, 60], [100] * 6
    one = scene(run, feed, f"hrinfer model={model(FIND)} gate=motion gate-hold=0", [moving, still])
    assert [frame.infer_done for frame in of(one, 0)] == [True] * 4 + [False] * 2
    assert [frame.infer_skipped for frame in of(one, 0)] == [False] * 4 + [True] * 2
    assert [frame.infer_done for frame in of(one, 1)] == [True] + [False] * 5
    assert lefts(of(one, 0)) == [0, 20, 40, 60, None, None]
    assert [frame.frame_number for frame in of(one, 1)] == list(range(6))


def test_objects_of_still_frames_are_held(run: Any, feed: Any, model: Any) -> None:
    places = [100, 100, 100, 160, 160]
    chain = f"hrinfer model={model(FIND)} gate=motion gate-hold=0 skipped-frames=hold unique-id=3"
    one = scene(run, feed, chain, [places])
    assert lefts(of(one, 0)) == places
    assert [frame.infer_done for frame in of(one, 0)] == [True, False, False, True, False]
    assert {item.unique_component_id for frame in of(one, 0) for item in frame.object_items} == {3}
    assert {item.label for frame in of(one, 0) for item in frame.object_items} == {"b"}


def test_a_tracker_keeps_still_objects_without_a_model(run: Any, feed: Any, model: Any) -> None:
    chain = f"hrinfer model={model(FIND)} gate=motion gate-hold=4 ! nvtracker"
    one = scene(run, feed, chain, [[100] * 12])
    assert [frame.infer_done for frame in of(one, 0)] == [True] * 5 + [False] * 7
    assert lefts(of(one, 0))[4:] == [100] * 8
    ids = {item.object_id for frame in of(one, 0)[4:] for item in frame.object_items}
    assert len(ids) == 1


def test_objects_between_looked_at_frames_move_on(run: Any, feed: Any, model: Any) -> None:
    places = [5 * number for number in range(8)]
    chain = f"hrinfer model={model(FIND)} interval=1 skipped-frames=predict"
    one = scene(run, feed, chain, [places])
    assert lefts(of(one, 0)) == [0, 0, 10, 15, 20, 25, 30, 35]
    held = scene(run, feed, chain.replace("predict", "hold"), [places])
    assert lefts(of(held, 0)) == [0, 0, 10, 10, 20, 20, 30, 30]
    empty = scene(run, feed, chain.replace("predict", "empty"), [places])
    assert lefts(of(empty, 0)) == [0, None, 10, None, 20, None, 30, None]
    assert [frame.infer_skipped for frame in of(empty, 0)] == [False, True] * 4


def test_gate_and_tiles_can_be_set_while_playing(run: Any, feed: Any, model: Any) -> None:
    one = run(
        f"appsrc name=s ! m.sink_0 nvstreammux name=m batch-size=1 ! hrinfer name=h model={model(FIND)} ! {OUT}"
    )
    feeder = feed(one["s"], "video/x-raw,format=RGB,width=320,height=240")
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[100:140, 100:140] = 255
    one.play()

    def push(n: int) -> None:
        for _ in range(n):
            feeder.push(picture.tobytes())
        one.wait(lambda: len(one.out.pts) == feeder.index)

    push(3)
    for name, value in (("gate", "motion"), ("gate-hold", 0), ("skipped-frames", "hold")):
        one["h"].set_property(name, value)
    push(4)
    one["h"].set_property("gate", "")
    push(2)
    one.stop()
    assert one.errors == []
    done = [frame.infer_done for frame in one.out.frames]
    assert done == [True, True, True, True, False, False, False, True, True]
    assert [frame.n_objects for frame in one.out.frames] == [1] * 9


def test_a_frame_that_the_model_failed_on_is_not_taken_for_seen(run: Any, feed: Any, model: Any) -> None:
    fails = "n = 0\n" + FIND.replace(
        "    found = []", "    self.n += 1\n    assert self.n > 1\n    found = []"
    )
    one = run(
        f"appsrc name=s ! m.sink_0 nvstreammux name=m batch-size=1 ! hrinfer name=h model={model(fails)} "
        f"gate=motion gate-hold=0 on-error=drop ! {OUT}"
    )
    feeder = feed(one["s"], "video/x-raw,format=RGB,width=320,height=240")
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[100:140, 100:140] = 255
    one.play()
    feeder.push(picture.tobytes())
    one.wait(lambda: one["h"].dropped)
    feeder.push(picture.tobytes())
    feeder.end()
    one.wait().stop()
    assert [(frame.infer_done, frame.n_objects) for frame in one.out.frames] == [(True, 1)]
