"""One loaded model for several elements, by name."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

OUT = "fakesink name=sink{i} sync=false"
WHITE = (
    "videotestsrc num-buffers={n} pattern=white ! video/x-raw,format=RGB,width=64,height=48,framerate=25/1"
    " ! m{i}.sink_0 nvstreammux name=m{i} batch-size=1"
)
COUNTED = """
def load(self, options):
    import headrace
    headrace.loads.append(self)
    self.busy = 0
def infer(self, frames):
    self.busy += 1
    assert self.busy == 1, 'calls overlap'
    time.sleep(0.002)
    self.busy -= 1
    return [Detections([[8, 8, 40, 30]], [0.9], [1]) for _ in frames]
def close(self):
    import headrace
    headrace.closes.append(True)
"""


@pytest.fixture(autouse=True)
def counts() -> Any:
    import headrace

    headrace.loads, headrace.closes = [], []  # type: ignore[attr-defined]
    yield headrace
    del headrace.loads, headrace.closes  # type: ignore[attr-defined]


def line(spec: str, i: int = 0, n: int = 40, options: str = "shared-model=cars") -> str:
    return f"{WHITE.format(n=n, i=i)} ! hrinfer name=h{i} model={spec} {options} ! {OUT.format(i=i)}"


def test_two_pipelines_have_one_model(run: Any, model: Any, counts: Any) -> None:
    spec = model(COUNTED)
    one, other = run(line(spec)).play(), run(line(spec, 1)).play()
    one.wait().stop()
    assert (len(counts.loads), counts.closes) == (1, [])  # the other still needs it
    other.wait().stop()
    assert one.errors == other.errors == []
    assert [frame.n_objects for frame in (*one.out.frames, *other.out.frames)] == [1] * 80
    assert counts.closes == [True]
    held = weakref.ref(counts.loads.pop())
    gc.collect()
    assert held() is None


def test_two_elements_of_a_pipeline_have_one_model(run: Any, model: Any, counts: Any) -> None:
    spec = model(COUNTED)
    second = f"hrinfer model={spec} shared-model=cars unique-id=2 interval=1"
    one = run(line(spec, n=6).replace(" ! fakesink", f" ! {second} ! fakesink")).to_end()
    assert len(counts.loads) == len(counts.closes) == 1
    assert [frame.n_objects for frame in one.out.frames] == [2, 1] * 3


def test_a_name_is_free_again_after_the_last(run: Any, model: Any, counts: Any) -> None:
    run(line(model(COUNTED), n=2)).to_end()
    run(line(model(COUNTED), n=2)).to_end()
    assert len(counts.loads) == len(counts.closes) == 2


def test_other_options_need_another_name(run: Any, model: Any, counts: Any) -> None:
    spec = model(COUNTED)
    one = run(line(spec, n=-1)).play()
    one.wait(lambda: len(one.out.pts) > 2)
    error = run(line(spec, 1, options="shared-model=cars confidence=0.5")).to_error()
    assert (
        "shared-model=cars stands for a model with confidence=0.25 already; with confidence=0.5" in error.text
    )
    fine = run(line(spec, 2, n=2, options="shared-model=vans confidence=0.5")).to_end()
    assert len(fine.out.frames) == 2
    seen = len(one.out.pts)
    one.wait(lambda: len(one.out.pts) > seen)
    one.stop()
    assert one.errors == []
    assert len(counts.loads) == len(counts.closes) == 2


def test_a_model_that_cannot_be_loaded_leaves_no_name_behind(run: Any, model: Any, counts: Any) -> None:
    error = run(line("missing.onnx")).to_error()
    assert "missing.onnx" in error.text
    run(line(model(COUNTED), n=2)).to_end()


def test_a_model_that_is_replaced_is_replaced_for_all(run: Any, model: Any, counts: Any) -> None:
    first, second = model(COUNTED), model(COUNTED.replace("[1])", "[0])"))
    one, other = run(line(first, n=-1)).play(), run(line(first, 1, n=-1)).play()
    one.wait(lambda: len(one.out.pts) > 2)
    other.wait(lambda: len(other.out.pts) > 2)
    one["h0"].set_property("model", second)

    def replaced() -> bool:
        last = [each.out.frames[-1].detections.class_id.tolist() for each in (one, other)]
        return last == [[0], [0]]

    one.wait(replaced)
    one.stop()
    seen = len(other.out.pts)
    other.wait(lambda: len(other.out.pts) > seen + 2)
    other.stop()
    assert one.errors == other.errors == []
    assert len(counts.loads) == len(counts.closes) == 2
