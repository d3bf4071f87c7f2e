"""hrinfer with calls that overlap: order, mode by source, swaps under load, what is left behind."""

from __future__ import annotations

import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from gi.repository import Gst
from tiny_onnx import detector
from waiting import wait_until

LINE = "videotestsrc is-live={live} num-buffers={n} pattern={pattern} ! video/x-raw,format=RGB,width=64,height=48"
OUT = "fakesink name=sink sync=false"


def sources(count: int, n: int, live: bool = False) -> str:
    parts = [LINE.format(live=live, n=n, pattern="white") + f" ! m.sink_{index}" for index in range(count)]
    return f"{' '.join(parts)} nvstreammux name=m batch-size={count}"


MODES = [
    (1, False, "auto", True),
    (1, True, "auto", False),
    (3, True, "auto", True),
    (1, False, "latency", False),
    (1, True, "throughput", True),
]


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(("count", "live", "mode", "overlaps"), MODES)
def test_the_source_chooses_the_mode_and_every_frame_is_looked_at(
    run: Any, tmp_path: Path, engine: str, count: int, live: bool, mode: str, overlaps: bool
) -> None:
    pytest.importorskip(engine)
    model = detector(tmp_path / "one.onnx", ("cat",))
    properties = f"engine={engine} mode={mode} threads=3"
    one = run(f"{sources(count, 12, live)} ! hrinfer name=i model={model} {properties} ! {OUT}").play()
    one.wait(lambda: len(one.out.pts) > 2)
    slot = one["i"].inference.slot
    assert slot.live is live
    assert slot.model.concurrency == (3 if overlaps else 1)
    assert (slot.threads > 1) is overlaps
    one.wait().stop()
    assert one.errors == []
    for source in range(count):
        numbers = [frame.frame_number for frame in one.out.frames if frame.source_id == source]
        dropped = sum(n for (index, _), n in one["m"].batcher.drops.items() if index == source)
        assert numbers == sorted(set(numbers))
        assert len(numbers) == 12 - dropped
        assert live or not dropped
    assert all(frame.n_objects == 1 for frame in one.out.frames)
    assert [t.name for t in threading.enumerate() if t.name.startswith("hr-infer")] == []


def test_a_mode_that_does_not_exist_is_refused(run: Any, tmp_path: Path) -> None:
    model = detector(tmp_path / "one.onnx", ("cat",))
    error = run(f"{sources(1, 1)} ! hrinfer model={model} mode=fast ! {OUT}").to_error()
    assert "mode is 'fast'; use one of auto, latency, throughput" in error.text


def test_models_of_overlapping_calls_take_each_others_place_under_load(run: Any, tmp_path: Path) -> None:
    models = [detector(tmp_path / f"{label}.onnx", (label,), size) for label, size in (("a", 32), ("b", 64))]
    one = run(f"{sources(2, -1)} ! hrinfer name=i model={models[0]} mode=throughput threads=3 ! {OUT}").play()
    one.wait(lambda: len(one.out.pts) > 2)
    for turn in range(6):
        told = one["i"].swap(models[(turn + 1) % 2])
        one.wait(told.done)
        assert told.exception() is None
        seen = len(one.out.pts)
        one.wait(lambda n=seen: len(one.out.pts) > n + 5)  # type: ignore[misc]
    one.stop()
    assert one.errors == []
    for source in (0, 1):
        numbers = [frame.frame_number for frame in one.out.frames if frame.source_id == source]
        assert numbers == list(range(len(numbers)))
    labels = [{item.label for frame in meta.frames for item in frame.object_items} for meta in one.out.metas]
    assert all(len(kinds) == 1 for kinds in labels)  # each batch is the work of one model
    changes = sum(before != after for before, after in pairwise(labels))
    assert changes == 6


def test_as_many_frames_of_files_are_on_their_way_as_keep_the_threads_busy(run: Any, tmp_path: Path) -> None:
    model = detector(tmp_path / "one.onnx", ("cat",))
    one = run(f"{sources(1, 200)} ! hrinfer name=i model={model} mode=throughput threads=3 ! {OUT}")
    most: list[int] = []

    def note(_pad: Any, _info: Any) -> Any:
        if len(most) == 20:  # the sink is slower than the model here, until there is no room any more
            wait_until(lambda: len(one["i"]._in_flight()) > 3, 60)
        most.append(len(one["i"]._in_flight()))
        return Gst.PadProbeReturn.OK

    one["sink"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, note)
    one.play().wait().stop()
    assert len(most) == 200
    assert 3 < max(most) <= 3 + 2 + 2  # calls, threads beside them, and two on their way
