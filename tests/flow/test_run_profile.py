"""Where the time of frames went: spans in, steps out; and what a run tells."""

import json

import pytest

from headrace.flow.run.config import RunConfig
from headrace.flow.run.profile import Profile, chrome_trace
from headrace.flow.run.runner import Run
from headrace.infer import Detector
from headrace.meta import Detections
from headrace.profiling import Recorder, Span

MS = 1_000_000
SCENE = "sim://plaza?frames=50&width=64&height=48&seed={}"


class Middle(Detector):
    labels = ("thing",)

    def infer(self, frames):
        return [Detections([[10, 10, 30, 30]], [0.9], [0]) for _ in frames]


def span(step, begin, end, thread=1, frames=((0, 0),), cpu=0.0):
    return Span(step, frames, thread, int(begin * MS), int(end * MS), int(cpu * MS))


def whole(*between):
    """A frame that arrives at 0 and has gone through at 20 ms."""
    return [span("mux: frame", 0, 1), *between, span("tally", 19, 20, thread=9)]


def means(profile):
    return {step.name: pytest.approx(step.wall.mean) for step in profile.steps}


def test_steps_and_waiting_add_up_to_the_latency():
    profile = Profile.of(
        whole(span("mux: batch", 3, 4, 2), span("infer: submit", 6, 7, 3), span("model", 8, 18, 4))
    )
    assert means(profile) == {
        "mux: frame": 1, "waiting for a full batch": 2, "mux: batch": 1, "waiting in the queue": 2,
        "infer: submit": 1, "waiting for the model": 1, "model": 10, "waiting for tally": 1, "tally": 1,
    }  # fmt: skip
    assert list(means(profile)) == [step.name for step in profile.steps]
    assert sum(step.wall.mean for step in profile.steps) == pytest.approx(profile.latency.mean) == 20


def test_a_step_within_another_has_its_own_time():
    inner = span("preprocess", 9, 11, 4, cpu=2), span("decode", 14, 15, 4, cpu=1)
    profile = Profile.of(whole(span("model", 8, 16, 4, cpu=7), *inner))
    assert means(profile)["model"] == 5
    assert means(profile)["preprocess"] == 2
    steps = {step.name: step for step in profile.steps}
    assert steps["model"].cpu == pytest.approx(4)
    assert steps["model"].busy == pytest.approx(5 / 20)
    order = list(steps)
    assert order.index("preprocess") < order.index("model") < order.index("decode")


def test_the_next_step_on_the_same_thread_is_not_waited_for():
    profile = Profile.of(whole(span("tracker", 14, 18, thread=9)))
    assert means(profile)["handed on by GStreamer"] == 1
    assert profile.steps[-1].name == "handed on by GStreamer"


def test_frames_of_a_batch_share_processor_time_and_wait_together():
    both = ((0, 0), (1, 0))
    profile = Profile.of(
        [
            span("mux: frame", 0, 1),
            span("mux: frame", 2, 3, 2, frames=((1, 0),)),
            span("model", 4, 8, 3, both, cpu=4),
            span("tally", 9, 10, 3, both),
        ]
    )
    steps = {step.name: step for step in profile.steps}
    assert steps["model"].wall.mean == 4
    assert steps["model"].cpu == pytest.approx(2)
    assert {source: times.mean for source, times in profile.sources.items()} == {0: 10, 1: 8}


def test_frames_that_did_not_come_through_are_left_out():
    lost = span("mux: frame", 5, 6, frames=((0, 1),))
    late = span("tally", 5, 6, frames=((0, 2),))
    assert Profile.of([*whole(), lost, late]).frames == 1
    assert Profile.of([lost, late]) is None


def test_a_trace_has_a_row_for_each_thread():
    recorder = Recorder()
    recorder.threads[4] = "hr-infer"
    recorder.spans.append(span("model", 8, 16, 4))
    name, event = chrome_trace(recorder)["traceEvents"]
    assert (name["ph"], name["tid"], name["args"]["name"]) == ("M", 4, "hr-infer")
    assert (event["ph"], event["tid"], event["ts"], event["dur"]) == ("X", 4, 8000, 8000)
    assert event["args"]["frames"] == ["source 0 frame 0"]


def run(tmp_path, **options):
    given = Run(
        RunConfig(
            inputs=[SCENE.format(1), SCENE.format(2)],
            model=f"{__name__}:Middle",
            summary=tmp_path / "s.json",
            **options,
        )
    )
    given.start()
    return given, given.wait()


def test_a_run_tells_every_element_and_the_sum(tmp_path):
    _, report = run(
        tmp_path, profile=True, events=tmp_path / "e", detections=tmp_path / "d", trace=tmp_path / "t.json"
    )
    profile = report.to_dict()["profile"]
    names = [step["name"] for step in profile["steps"]]
    wanted = [
        "mux: frame",
        "mux: batch",
        "infer: submit",
        "model",
        "infer: write",
        "tracker",
        "tally",
        "messages",
    ]
    assert [name for name in names if name in wanted] == wanted
    assert {"detections", "presence", "events", "waiting for a full batch", "waiting for the model"} <= set(
        names
    )
    assert 20 < profile["frames"] < 100  # all but what came during start-up
    assert [one["source"] for one in profile["sources"]] == [0, 1]
    total = sum(step["mean"] for step in profile["steps"])
    assert total == pytest.approx(profile["latency_ms"]["mean"], abs=0.01)
    assert all(step["p50"] <= step["p95"] <= step["p99"] for step in profile["steps"])
    trace = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert {"mux:src", "hr-infer"} <= {one["args"]["name"] for one in trace if one["ph"] == "M"}


def test_a_run_that_nobody_profiles_records_nothing(tmp_path):
    given, report = run(tmp_path)
    assert not given.recorder.spans
    assert "profile" not in report.to_dict()


def test_a_run_can_be_told_when_to_end(tmp_path):
    given = Run(
        RunConfig(
            inputs=["sim://plaza?frames=100000&width=64&height=48"], model=f"{__name__}:Middle", seconds=0.2
        )
    )
    given.start()
    report = given.wait()
    assert report.error is None
    assert 0 < report.frames < 100000
    playing = given.tally.last - given.tally.first
    assert playing < report.seconds
    assert report.steady_fps == pytest.approx((report.frames - 1) / playing)
