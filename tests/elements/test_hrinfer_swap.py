"""hrinfer: the model is replaced while the pipeline plays."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tiny_onnx import detector
from waiting import wait_until

from headrace.errors import ModelError, PipelineError, SupersededError
from headrace.flow import Pipeline
from headrace.flow.utils import EngineFileMonitor
from headrace.infer.files import written_file

WHITE = "videotestsrc pattern=white ! video/x-raw,format=RGB,width=64,height=48 ! identity sleep-time=4000"
OUT = "fakesink name=sink sync=false"
FINDS = "def infer(self, frames):\n    return [Detections([[8, 8, 40, 30]], [0.9], [{0}]) for _ in frames]"


def old(path: str) -> str:
    """As if the file had been there for long: what was just written is watched for a while."""
    file = Path(path.rpartition(":")[0] or path)
    os.utime(file, (1e9, 1e9))
    return path


class Swapped:
    """A pipeline of two sources into hrinfer, and what came of it."""

    def __init__(self, run: Any, model: str, properties: str = "") -> None:
        self.run = run(
            f"{WHITE} ! m.sink_0 {WHITE} ! m.sink_1 nvstreammux name=m batch-size=2 ! "
            f"hrinfer name=i model={model} {properties} ! {OUT}"
        )
        self.element = self.run["i"]
        self.told: list[tuple[int, str]] = []
        self.handler = self.element.connect(
            "model-updated", lambda _e, error, name: self.told.append((error, name))
        )
        self.run.play()
        self.go_on()

    def go_on(self, batches: int = 4) -> None:
        seen = len(self.run.out.pts)
        self.run.wait(lambda: len(self.run.out.pts) >= seen + batches)

    def swap(self, model: str) -> Future[None]:
        """Swap, and wait until that is decided; frames go on meanwhile."""
        told = self.element.swap(model)
        self.run.wait(told.done)
        self.go_on()
        return told

    def stop(self) -> list[list[str]]:
        """Labels of the objects of each batch; no frame is missing or out of order."""
        self.run.stop()
        self.element.disconnect(self.handler)
        assert self.run.errors == []
        for source in (0, 1):
            numbers = [frame.frame_number for frame in self.run.out.frames if frame.source_id == source]
            assert numbers == list(range(len(numbers)))
        assert all(frame.infer_done for frame in self.run.out.frames)
        return [
            [item.label for frame in meta.frames for item in frame.object_items]
            for meta in self.run.out.metas
        ]


@pytest.fixture
def swapped(run: Any) -> Any:
    return lambda *arguments: Swapped(run, *arguments)


def test_models_of_every_kind_take_each_others_place(swapped: Any, model: Any, tmp_path: Path) -> None:
    small = old(detector(tmp_path / "small.onnx", ("cat",)))
    large = old(detector(tmp_path / "large.onnx", ("car", "bus", "dog"), size=64))
    python = old(model(FINDS.format(1)))
    one = swapped(small)
    for name in (large, python, small):
        assert one.swap(name).result(0) is None
        assert one.element.get_property("model") == name
    labels = one.stop()
    assert one.told == [(0, large), (0, python), (0, small)]
    # Each batch is wholly the work of one model, and the models come one after the other.
    kinds = [set(batch) for batch in labels]
    assert all(len(kind) == 1 for kind in kinds)
    assert [len(batch) for batch in labels] == [2] * len(labels)
    order = [label for (label,) in kinds]
    changes = [order[0], *(b for a, b in pairwise(order) if a != b)]
    assert changes == ["cat", "dog", "b", "cat"]


BAD = {
    "no file": (lambda folder, model: str(folder / "gone.onnx"), "does not exist"),
    "no model": (lambda folder, model: _write(folder / "broken.onnx", b"no model"), "cannot be loaded"),
    "load": (
        lambda folder, model: model("def load(self, options):\n    1 / 0\n" + FINDS.format(0)),
        "failed to load",
    ),
    "infer": (lambda folder, model: model("def infer(self, frames):\n    1 / 0"), "ZeroDivisionError"),
    "results": (lambda folder, model: model(FINDS.format(7)), "class 7 has no label"),
    "exit": (lambda folder, model: model("def infer(self, frames):\n    sys.exit(3)"), "SystemExit"),
}


def _write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("kind", BAD)
def test_a_model_that_cannot_be_used_leaves_the_one_before(
    swapped: Any, model: Any, tmp_path: Path, kind: str
) -> None:
    make, reason = BAD[kind]
    good = model(FINDS.format(0))
    bad = make(tmp_path, model)
    if kind != "no file":
        old(bad)
    one = swapped(good)
    told = one.swap(bad)
    with pytest.raises(ModelError, match=reason):
        told.result(0)
    assert one.element.get_property("model") == good  # what is at work, and is loaded at the next start
    assert {label for batch in one.stop() for label in batch} == {"a"}
    assert one.told == [(1, bad)]
    (warning,) = one.run.of("warning")
    assert reason in warning.text
    assert "the one before goes on" in warning.text
    if kind in ("load", "infer", "exit"):
        assert "Traceback" in warning.debug
        assert Path(bad.rpartition(":")[0]).name in warning.debug


GATED = (
    "def load(self, options):\n    import os\n    open({0!r} + '.loading', 'w').close()\n"
    "    while not os.path.exists({0!r}):\n        time.sleep(0.01)\n"
)


def test_the_newest_of_several_orders_wins(swapped: Any, model: Any, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    slow = old(model(GATED.format(str(gate)) + FINDS.format(1)))
    first, newest = old(model(FINDS.format(1))), old(model(FINDS.format(1)))
    one = swapped(model(FINDS.format(0)))
    orders = [one.element.swap(slow)]
    one.run.wait(lambda: (tmp_path / "gate.loading").exists())
    orders += [one.element.swap(name) for name in (first, newest)]
    one.go_on(8)  # nothing waits for the model that is being loaded
    assert not any(order.done() for order in orders)
    gate.touch()
    one.run.wait(orders[-1].done)
    one.go_on()
    for order in orders[:2]:
        with pytest.raises(SupersededError, match="newer model"):
            order.result(0)
    assert orders[2].result(0) is None
    one.stop()
    assert one.told == [(2, slow), (2, first), (0, newest)]
    assert one.run.of("warning") == []


def test_a_new_model_is_tried_with_what_comes(swapped: Any, model: Any, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    noting = old(model(
        "def infer(self, frames):\n"
        f"    with open({str(notes)!r}, 'a') as file:\n"
        "        bright = max(picture.max() for picture in frames.numpy())\n"
        "        print([(f.width, f.height) for f in frames], bright, file=file)\n"
        "    return [Detections.empty() for _ in frames]"
    ))  # fmt: skip
    one = swapped(model(FINDS.format(0)))
    one.swap(noting).result(0)
    one.stop()
    lines = notes.read_text().splitlines()
    assert lines[:2] == ["[(64, 48), (64, 48)] 0", "[(64, 48), (64, 48)] 255"]


def test_thresholds_take_effect_at_once_and_stay_with_the_next_model(swapped: Any, tmp_path: Path) -> None:
    weak = old(detector(tmp_path / "weak.onnx", ("cat",), score=0.5))
    other = old(detector(tmp_path / "other.onnx", ("dog",), score=0.5))
    one = swapped(weak)

    def after(name: str, value: Any) -> set[str]:
        one.element.set_property(name, value)
        one.go_on(6)  # two are in flight
        return {item.label for frame in one.run.out.metas[-1].frames for item in frame.object_items}

    assert after("confidence", 0.6) == set()
    assert after("confidence", 0.4) == {"cat"}
    assert after("filter-out-class-ids", "0") == set()
    assert after("filter-out-class-ids", "") == {"cat"}
    one.element.set_property("confidence", 0.6)
    one.swap(other).result(0)
    assert one.element.get_property("confidence") == pytest.approx(0.6)
    assert after("nms", 0.5) == set()
    assert after("confidence", 0.3) == {"dog"}
    # Labels belong to a model: they wait for the next one.
    labels = tmp_path / "labels.txt"
    labels.write_text("wolf\n")
    assert after("labels", str(labels)) == {"dog"}
    one.swap(other).result(0)
    assert one.stop()[-1] == ["wolf", "wolf"]


def test_thresholds_hold_for_models_in_python_too(swapped: Any, model: Any) -> None:
    one = swapped(model(FINDS.format(0)), "interval=1")
    one.element.set_property("confidence", 0.95)
    one.element.set_property("interval", 0)
    one.go_on(6)
    frames = one.run.out.metas[-1].frames
    assert [len(list(frame.object_items)) for frame in frames] == [0, 0]
    one.run.stop()
    assert [meta.frames[0].infer_done for meta in one.run.out.metas[-3:]] == [True] * 3


CLOSING = "def close(self):\n    {0}\n"


def test_the_model_before_is_closed_once(swapped: Any, model: Any, tmp_path: Path) -> None:
    notes = tmp_path / "closed"
    noting = model(FINDS.format(0) + "\n" + CLOSING.format(f"open({str(notes)!r}, 'a').write('x')"))
    one = swapped(noting)
    one.swap(old(model(FINDS.format(1)))).result(0)
    assert notes.read_text() == "x"
    one.stop()
    assert notes.read_text() == "x"


def test_a_model_that_fails_at_its_end_does_not_keep_the_next_from_work(swapped: Any, model: Any) -> None:
    one = swapped(model(FINDS.format(0) + "\n" + CLOSING.format("1 / 0")))
    new = old(model(FINDS.format(1)))
    one.swap(new).result(0)
    assert one.stop()[-1] == ["b", "b"]
    assert one.told == [(0, new)]
    (warning,) = one.run.of("warning")
    assert "failed when it was closed: ZeroDivisionError" in warning.text


def test_a_pipeline_ends_while_a_model_is_loaded(swapped: Any, model: Any, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    one = swapped(model(FINDS.format(0)))
    order = one.element.swap(old(model(GATED.format(str(gate)) + FINDS.format(1))))
    one.run.wait(lambda: (tmp_path / "gate.loading").exists())
    one.stop()
    gate.touch()
    with pytest.raises(ModelError, match="has stopped"):
        order.result(60)


written_file_state = written_file.state_of


class Clock:
    """The time of who waits for a file; goes on when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.seen: Any = None
        self.sleep = time.sleep

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 0.0

    def looked(self, state: Any) -> Any:
        """How the file stood when it was looked at last."""
        self.seen = state
        return state


def test_a_file_that_is_being_written_is_waited_for(
    swapped: Any, model: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    clock = Clock()
    monkeypatch.setattr(written_file, "time", clock)
    monkeypatch.setattr(written_file, "state_of", lambda file: clock.looked(written_file_state(file)))
    whole = Path(detector(tmp_path / "whole.onnx", ("dog",))).read_bytes()
    target = tmp_path / "target.onnx"
    one = swapped(model(FINDS.format(0)))
    target.write_bytes(whole[:100])
    order = one.element.swap(str(target))
    for end in range(200, len(whole), 400):
        with target.open("ab") as file:
            file.write(whole[target.stat().st_size : end])
        one.run.wait(lambda: clock.seen == written_file_state(target))
        clock.now += 0.6 * written_file.STILL  # longer than it must stand still, taken together
    assert not order.done()
    target.write_bytes(whole)
    one.run.wait(lambda: clock.seen == written_file_state(target))
    clock.now += 0.6 * written_file.STILL
    one.go_on()
    assert not order.done()
    clock.now += 2 * written_file.STILL
    one.run.wait(order.done)
    assert order.result(0) is None
    one.go_on()
    assert one.stop()[-1] == ["dog", "dog"]
    assert one.run.of("warning") == []


def test_a_file_that_changes_while_it_is_loaded_is_loaded_again(
    swapped: Any, model: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("headrace.infer.files.written_file.STILL", 0.1)
    # The first version rewrites its own file when it is loaded.
    body = (
        "def load(self, options):\n    text = open(__file__).read()\n"
        "    open(__file__, 'w').write(text.replace('[0])', '[1])').replace('def load', 'def gone'))\n"
    )
    one = swapped(model(FINDS.format(0)))
    one.swap(old(model(body + FINDS.format(0)))).result(0)
    assert one.stop()[-1] == ["b", "b"]


def test_an_action_signal_swaps(swapped: Any, model: Any) -> None:
    one = swapped(model(FINDS.format(0)))
    new = old(model(FINDS.format(1)))
    assert one.element.emit("swap-model", new) is True
    one.run.wait(lambda: one.told)
    one.run.stop()
    assert one.told == [(0, new)]
    assert one.element.emit("swap-model", new) is False


def test_a_node_swaps(model: Any) -> None:
    pipeline = Pipeline("swap")
    pipeline.add("videotestsrc", "source", {"is-live": True}).add("nvstreammux", "mux", {"batch-size": 1})
    pipeline.add("hrinfer", "model", {"model": model(FINDS.format(0))}).add("fakesink", "sink")
    pipeline.link(("source", "mux"), ("", "sink_0")).link("mux", "model", "sink")
    new = old(model(FINDS.format(1)))
    with pytest.raises(ModelError, match="does not play"):
        pipeline["model"].swap(new).result(0)
    with pytest.raises(PipelineError, match="sink has no model"):
        pipeline["sink"].swap(new)
    pipeline.start()
    wait_until(lambda: pipeline["model"].element.inference is not None, 60)
    pipeline["model"].swap(new).result(60)
    with pytest.raises(ModelError, match="gone"):
        pipeline["model"].swap("gone.onnx").result(60)
    assert pipeline["model"].get("model") == new
    pipeline.quit()
    pipeline.wait()


@pytest.mark.parametrize("kind", ["file", "class"])
def test_a_file_that_is_replaced_on_disk_is_loaded(
    swapped: Any, model: Any, tmp_path: Path, monkeypatch: Any, kind: str
) -> None:
    monkeypatch.setattr("headrace.infer.files.written_file.STILL", 0.05)
    if kind == "file":
        spec, new = detector(tmp_path / "net.onnx", ("cat",)), detector(tmp_path / "new.onnx", ("dog",))
        file = spec
    else:
        spec, new = model(FINDS.format(0)), model(FINDS.format(1)).rpartition(":")[0]
        file = spec.rpartition(":")[0]
    one = swapped(spec)
    os.utime(new)
    pipeline = Pipeline("monitor")
    pipeline.gst = one.run.pipeline
    monitor = EngineFileMonitor(pipeline["i"], file, interval=0.02)
    assert monitor.start()
    os.replace(new, file)
    one.run.wait(lambda: one.told)
    monitor.stop()
    one.go_on()
    labels = one.stop()
    assert one.told == [(0, spec)]
    before, after = ("cat", "dog") if kind == "file" else ("a", "b")
    assert (labels[0], labels[-1]) == ([before] * 2, [after] * 2)


def test_a_secondary_model_is_tried_with_objects_like_those_that_come(
    run: Any, model: Any, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    noting = old(model(
        "def infer(self, frames):\n"
        f"    with open({str(notes)!r}, 'a') as file:\n"
        "        print([(f.width, f.height) for f in frames], file=file)\n"
        "    return [Detections.empty() for _ in frames]"
    ))  # fmt: skip
    second = f"hrinfer name=i process-mode=2 unique-id=2 model={model(FINDS.format(0))}"
    first = f"hrinfer model={model(FINDS.format(0))}"
    one = run(f"{WHITE} ! m.sink_0 nvstreammux name=m batch-size=1 ! {first} ! {second} ! {OUT}").play()
    one.wait(lambda: len(one.out.pts) > 2)
    told = one["i"].swap(noting)
    one.wait(told.done)
    told.result(0)
    one.stop()
    assert notes.read_text().splitlines()[0] == "[(32, 22)]"


def test_a_value_that_cannot_be_used_is_a_warning_while_playing(swapped: Any, model: Any) -> None:
    one = swapped(model(FINDS.format(0)))
    one.element.set_property("filter-out-class-ids", "cat")
    one.element.set_property("nms-mode", "loud")
    one.go_on()
    assert one.element.get_property("filter-out-class-ids") == ""
    assert one.element.get_property("nms-mode") == "class"
    assert one.stop()[-1] == ["a", "a"]
    assert [
        "'cat' is no list of numbers" in w.text or "nms_mode" in w.text for w in one.run.of("warning")
    ] == [True] * 2


def test_a_model_with_options_that_cannot_be_used_leaves_the_one_before(swapped: Any, model: Any) -> None:
    one = swapped(model(FINDS.format(0)))
    one.element.set_property("input-size", "wide")
    with pytest.raises(ModelError, match="input-size"):
        one.swap(old(model(FINDS.format(1)))).result(0)
    assert one.stop()[-1] == ["a", "a"]
    assert "the one before goes on" in one.run.of("warning")[0].text
