"""The search on made-up figures: it finds the best, keeps to the tolerance and to the time."""

import pytest

from headrace.errors import HeadraceError
from headrace.tune import Axis, Outcome, Search, Setting, axes_for

AXES = (
    Axis.of("engine", "slow", "fast", "broken"),
    Axis.of("precision", "f32", "bf16"),
    Axis.of("batch-size", 1, 2, 4, 8, ordered=True),
)


class Machine:
    """Frames per second of each setting, and a clock that goes on by a second for each trial."""

    def __init__(self, trial_seconds=1.0, noise=0.0, f1=1.0):
        self.now, self.trial_seconds, self.noise, self.f1 = 0.0, trial_seconds, noise, f1
        self.asked = []

    def measure(self, setting):
        self.now += self.trial_seconds
        self.asked.append(setting)
        if setting["engine"] == "broken":
            return Outcome(error="not today")
        fps = {"slow": 10, "fast": 30}[setting["engine"]] * {"f32": 1, "bf16": 1.5}[setting["precision"]]
        fps *= {"1": 1, "2": 1.4, "4": 1.2, "8": 1.1}[setting["batch-size"]]
        fps *= 1 + (self.noise if len(self.asked) % 2 else -self.noise)
        f1 = self.f1 if setting["precision"] == "bf16" else 1.0
        return Outcome(fps=fps, p95_ms=1000 / fps, f1=f1, objects=10)

    def search(self, **options):
        return Search(AXES, self.measure, clock=lambda: self.now, **{"seconds": 1000, **options})


@pytest.mark.parametrize("goal", ["throughput", "latency"])
def test_the_best_of_all_is_found(goal):
    machine = Machine()
    best = machine.search(goal=goal).run()
    assert str(best.setting) == "engine=fast precision=bf16 batch-size=2"
    assert best.value(goal) == pytest.approx(63 if goal == "throughput" else 1000 / 63)


def test_values_behind_one_that_is_slower_are_not_tried():
    machine = Machine()
    machine.search().run()
    assert "8" not in {setting["batch-size"] for setting in machine.asked}


def test_no_setting_is_tried_twice_but_the_two_best():
    machine = Machine()
    search = machine.search()
    best = search.run()
    again = [trial for trial in search.trials if len(trial.outcomes) > 1]
    assert len(again) == 2
    assert best in again
    last = machine.asked[-6:]
    assert last == last[:2] * 3, "in turns"


def test_what_loses_detections_is_not_chosen():
    search = Machine(f1=0.97).search()
    assert search.run().setting["precision"] == "f32"
    assert {trial.refused for trial in search.trials if trial.setting["precision"] == "bf16"} <= {
        "detections differ: F1 0.970",
        "not today",
    }
    assert Machine(f1=0.97).search(tolerance=0.9).run().setting["precision"] == "bf16"


def test_of_equal_settings_the_one_that_finds_more_is_chosen():
    axes = [Axis.of("precision", "f32", "bf16")]
    figures = {"f32": Outcome(fps=99.0), "bf16": Outcome(fps=100.0, f1=0.99)}
    assert Search(axes, lambda one: figures[one["precision"]]).run().setting["precision"] == "f32"


@pytest.mark.parametrize("seconds", [1, 3, 5, 8])
def test_the_time_is_kept(seconds):
    machine = Machine()
    search = machine.search(seconds=seconds)
    search.run()
    assert machine.now <= seconds
    assert search.trials


def test_the_rest_of_the_time_is_for_the_two_best():
    machine = Machine()
    search = machine.search(seconds=8)
    search.run()
    assert max(len(trial.outcomes) for trial in search.trials) > 1


def test_it_begins_with_the_first_value_that_works():
    axes = (Axis.of("engine", "broken", "fast"), *AXES[1:])
    machine = Machine()
    best = Search(axes, machine.measure, clock=lambda: machine.now).run()
    assert best.setting["engine"] == "fast"


@pytest.mark.parametrize(("seconds", "trials"), [(1000, 2), (8, 7)], ids=["searching", "after the time"])
def test_ctrl_c_leaves_the_best_so_far(seconds, trials):
    machine = Machine()

    def measure(setting):
        if len(machine.asked) == trials:
            raise KeyboardInterrupt
        return machine.measure(setting)

    search = Search(AXES, measure, seconds=seconds, clock=lambda: machine.now)
    assert search.run().setting["engine"] == "fast"
    assert search.interrupted


def test_nothing_to_choose_is_an_error_that_says_why():
    with pytest.raises(HeadraceError, match="no decoder fits"):
        Search(AXES, lambda _: Outcome(error="no decoder fits")).run()
    with pytest.raises(HeadraceError, match="3 frames dropped"):
        Search(AXES, lambda _: Outcome(p95_ms=5.0, dropped=3), goal="latency").run()


def test_a_file_has_engines_and_types_to_choose_from_and_a_class_has_none():
    axes = axes_for("model.onnx", 2)
    assert [axis.names for axis in axes] == [
        ("engine", "precision"),
        ("rectangular",),
        ("mode",),
        ("batch-size",),
        ("threads",),
        ("decoder-threads",),
    ]
    first = Setting.first(axes)
    assert (first["precision"], first["rectangular"]) == ("f32", "false")
    assert {("onnxruntime", "f32"), ("onnxruntime", "bf16")} <= set(axes[0].values)
    assert {precision for _, precision in axes_for("model.onnx", 2, [])[0].values} == {"f32"}
    assert [axis.names for axis in axes_for("cats.py:Cats", 2)] == [("batch-size",), ("decoder-threads",)]
    assert axes_for("cats.py:Cats", 2)[0].values == (("0",), ("8",), ("16",))
    assert axes_for("cats.py:Cats", 2, live=True)[0].values == (("0",), ("1",))


def test_an_engine_and_a_type_that_are_slow_without_each_other_are_found():
    fps = {("a", "f32"): 10.0, ("b", "f32"): 9.0, ("b", "bf16"): 20.0}
    axes = [Axis(("engine", "precision"), (*fps, ("a", "bf16")))]

    def measure(setting):
        pair = setting["engine"], setting["precision"]
        return Outcome(fps=fps[pair]) if pair in fps else Outcome(error="a has no bf16")

    assert Search(axes, measure).run().setting["engine"] == "b"


def test_an_unknown_number_type_is_refused():
    with pytest.raises(HeadraceError, match="f32, bf16, f16"):
        axes_for("model.onnx", 1, ["int4"])
