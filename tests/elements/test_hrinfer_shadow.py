"""hrinfer: a candidate on the same batches, and models that hold the interpreter."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gi.repository import Gst

SOURCE = (
    "videotestsrc num-buffers={n} pattern=white ! video/x-raw,format=RGB,width=64,height=48 ! "
    "identity sleep-time=5000 ! m.sink_0 nvstreammux name=m batch-size=1"
)
OUT = "fakesink name=sink sync=false"
FINDS = "def infer(self, frames):\n    return [Detections([[8, 8, 40, 30]], [0.9], [{0}]) for _ in frames]"
FAILS = "def infer(self, frames):\n    1 / 0"


def reports(run: Any) -> list[dict[str, Any]]:
    structures = [message.structure for message in run.of("element")]
    return [json.loads(one.get_value("report")) for one in structures if one.get_name() == "shadow-report"]


def test_a_candidate_is_compared_and_changes_nothing(run: Any, model: Any) -> None:
    one, other = model(FINDS.format(0)), model(FINDS.format(1))
    chain = f"hrinfer name=i model={one} shadow={other} shadow-interval=0.1"
    played = run(f"{SOURCE.format(n=-1)} ! {chain} ! {OUT}").play()
    played.wait(lambda: any(report["batches"] > 3 for report in reports(played)))
    played.pipeline.send_event(Gst.Event.new_eos())
    played.wait().stop()
    assert played.errors == []
    assert {item.label for frame in played.out.frames for item in frame.object_items} == {"a"}
    assert {frame.n_objects for frame in played.out.frames} == {1}
    told = reports(played)
    assert len(told) >= 2  # at intervals and at the end
    last = told[-1]
    assert (last["model"], last["shadow"]) == (one, other)
    assert last["batches"] == last["pictures"] > 0
    assert last["batches"] + last["not_compared"] <= len(played.out.frames)
    assert last["f1"] == 0
    assert last["classes"]["a"]["changed"] == {"b": last["pictures"]}
    assert last["model_ms"] > 0
    assert last["shadow_ms"] > 0
    kept = json.loads(played["i"].get_property("shadow-report"))
    assert kept["batches"] >= last["batches"]


def test_a_candidate_comes_and_goes_while_playing(run: Any, model: Any) -> None:
    one, other = model(FINDS.format(0)), model(FINDS.format(0))
    played = run(f"{SOURCE.format(n=-1)} ! hrinfer name=i model={one} ! {OUT}").play()
    element = played["i"]
    played.wait(lambda: len(played.out.pts) > 3)
    assert element.get_property("shadow-report") == ""
    element.set_property("shadow", other)
    played.wait(lambda: json.loads(element.get_property("shadow-report"))["batches"] > 3)
    element.set_property("shadow", "")
    played.wait(lambda: reports(played))
    assert reports(played)[-1]["f1"] == 1
    seen = len(played.out.pts)
    played.wait(lambda: len(played.out.pts) > seen + 3)
    played.stop()
    assert played.errors == []


@pytest.mark.parametrize("what", ["no file", "fails"])
def test_a_candidate_that_fails_is_a_warning(run: Any, model: Any, what: str) -> None:
    candidate = "gone.onnx" if what == "no file" else model(FAILS)
    played = run(
        f"{SOURCE.format(n=-1)} ! hrinfer model={model(FINDS.format(0))} shadow={candidate} ! {OUT}"
    ).play()
    played.wait(lambda: played.of("warning"))
    seen = len(played.out.pts)
    played.wait(lambda: len(played.out.pts) > seen + 10)
    played.stop()
    assert played.errors == []
    (warning,) = played.of("warning")
    assert f"shadow {candidate} is not compared any more" in warning.text
    assert ("does not exist" if what == "no file" else "ZeroDivisionError") in warning.text


def test_a_new_model_is_compared_anew(run: Any, model: Any) -> None:
    one, other = model(FINDS.format(0)), model(FINDS.format(1))
    played = run(f"{SOURCE.format(n=-1)} ! hrinfer name=i model={one} shadow={other} ! {OUT}").play()
    element = played["i"]
    played.wait(lambda: json.loads(element.get_property("shadow-report") or '{"batches": 0}')["batches"] > 2)
    element.swap(other).result(60)
    played.wait(lambda: json.loads(element.get_property("shadow-report"))["batches"] > 2)
    played.wait(lambda: reports(played))
    first, now = reports(played)[0], json.loads(element.get_property("shadow-report"))
    assert (first["model"], first["f1"]) == (one, 0)
    assert (now["model"], now["f1"]) == (other, 1)
    played.stop()


HOLDS = (
    "def infer(self, frames):\n    end = time.thread_time() + 0.02\n    while time.thread_time() < end:\n"
    "        pass\n    return [Detections.empty() for _ in frames]"
)


def test_a_model_that_holds_the_interpreter_is_named(run: Any, model: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("headrace.infer.interpreter._LOOKS", 30)
    monkeypatch.setattr("headrace.infer.interpreter._REST", 0.01)
    holds = model(HOLDS)
    played = run(f"{SOURCE.format(n=-1)} ! hrinfer model={holds} ! {OUT}").play()
    played.wait(lambda: played.of("warning"))
    played.stop()
    (warning,) = played.of("warning")
    assert warning.text.startswith(f"model {holds} holds the interpreter ")
