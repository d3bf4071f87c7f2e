"""Two models on the same pictures: who agrees with whom, and a candidate that nobody waits for."""

import threading

import numpy as np
import pytest
from waiting import wait_until

from headrace.frames import Frame
from headrace.infer import Classifier, Detector, InferOptions
from headrace.infer.agreement import Agreement, pairs
from headrace.infer.result import Result
from headrace.infer.shadow import Shadow
from headrace.meta import Detections, Label

NAMES = ("cat", "dog", "cow")


def found(*objects, names=NAMES):
    """Objects ``(left, class, confidence)``, 10 pixels wide and high."""
    boxes = [[left, 0, left + 10, 10] for left, _, _ in objects]
    return Result(Detections(boxes, [c for *_, c in objects], [k for _, k, _ in objects]), names)


def compare(first, second):
    agreement = Agreement()
    agreement.add(first, second)
    return agreement.to_dict()


def test_the_same_is_the_same():
    one = found((0, 0, 0.9), (50, 1, 0.8))
    told = compare(one, one)
    assert told["f1"] == 1
    assert told["confidence_delta"] == told["confidence_delta_amount"] == 0
    assert told["classes"]["cat"] == {"f1": 1, "both": 1, "only_model": 0, "only_shadow": 0}


def test_missing_new_and_renamed_objects_are_told_by_class():
    first = found((0, 0, 0.9), (50, 0, 0.9), (100, 1, 0.9), (150, 2, 0.5))
    second = found((2, 0, 0.7), (100, 2, 0.8), (150, 2, 0.6), (300, 1, 0.4))
    told = compare(first, second)
    assert told["classes"] == {
        "cat": {"f1": pytest.approx(2 / 3, abs=1e-4), "both": 1, "only_model": 1, "only_shadow": 0},
        "cow": {"f1": pytest.approx(2 / 3, abs=1e-4), "both": 1, "only_model": 0, "only_shadow": 0},
        "dog": {"f1": 0, "both": 0, "only_model": 0, "only_shadow": 1, "changed": {"cow": 1}},
    }
    # Two the same; one missing, one new, and one that is both under two classes.
    assert told["f1"] == 0.5
    # Of pairs, renamed ones included: -0.2, -0.1, +0.1.
    assert told["confidence_delta"] == pytest.approx(-0.2 / 3, abs=1e-3)
    assert told["confidence_delta_amount"] == pytest.approx(0.4 / 3, abs=1e-3)


@pytest.mark.parametrize(("shift", "f1"), [(3, 1.0), (3.4, 0.0), (20, 0.0)])
def test_boxes_are_the_same_from_half_an_overlap_on(shift, f1):
    # Two boxes 10 wide, apart by s, overlap by (10 - s) / (10 + s): half at 10/3.
    assert compare(found((0, 0, 0.9)), found((shift, 0, 0.9)))["f1"] == f1


def test_an_object_is_matched_once():
    told = compare(found((0, 0, 0.9)), found((0, 0, 0.9), (1, 0, 0.8)))
    assert told["classes"]["cat"] == {
        "f1": pytest.approx(2 / 3, abs=1e-4),
        "both": 1,
        "only_model": 0,
        "only_shadow": 1,
    }


def test_pairs_of_the_same_class_come_before_better_overlap():
    first, second = found((0, 0, 0.9), (2, 1, 0.9)), found((0, 1, 0.9), (2, 0, 0.9))
    assert compare(first, second)["f1"] == 1


def test_pairs_are_the_most_that_there_can_be():
    boxes = np.float32([[0, 0, 10, 10], [3, 0, 13, 10]])
    others = np.float32([[1, 0, 11, 10], [-2, 0, 8, 10]])
    rows, columns = pairs(boxes, others, np.ones((2, 2), bool))
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("empty", [Result(Detections.empty(), NAMES), Result()])
def test_nothing_found_by_one(empty):
    told = compare(empty, found((0, 0, 0.9)))
    assert told["classes"]["cat"] == {"f1": 0, "both": 0, "only_model": 0, "only_shadow": 1}
    assert told["confidence_delta"] is None
    assert compare(found((0, 0, 0.9)), empty)["classes"]["cat"]["only_model"] == 1


def test_nothing_found_by_both_is_agreement():
    assert compare(found(), found()) == {"pictures": 1}
    assert Agreement().f1 == 1


def test_classes_are_compared_by_name_where_both_have_names():
    other = found((0, 5, 0.9), names=("a", "b", "c", "d", "e", "cat"))
    assert compare(found((0, 0, 0.9)), other)["f1"] == 1
    assert compare(found((0, 0, 0.9)), found((0, 0, 0.9), names=()))["classes"] == {
        "0": {"f1": 1, "both": 1, "only_model": 0, "only_shadow": 0}
    }


def test_classifiers_are_compared_by_their_first_label():
    agreement = Agreement()
    red, blue = (
        Result(labels=(Label("red", 1, 0.9),)),
        Result(labels=(Label("blue", 2, 0.6), Label("red", 1, 0.3))),
    )
    for first, second in ((red, red), (red, blue), (red, Result(labels=()))):
        agreement.add(first, second)
    assert agreement.to_dict() == {"pictures": 3, "labels": {"same": 1, "other": 2}}


class One(Detector):
    labels = ("cat",)

    def __init__(self, left=0, log=None):
        self.left, self.log, self.closed = left, log, False

    def infer(self, frames):
        return [Detections([[self.left, 0, self.left + 10, 10]], [0.9], [0]) for _ in frames]

    def close(self):
        self.closed = True


FRAMES = [Frame.from_array(np.zeros((20, 40, 3), np.uint8), "RGB")] * 2


def results(frames=2):
    return [found((0, 0, 0.8), names=("cat",))] * frames


@pytest.fixture
def shadows():
    made = []

    def make(load, interval=60.0):
        told = []
        made.append(Shadow("candidate", load, InferOptions(), interval, told.append))
        made[-1].told = told
        return made[-1]

    yield make
    for shadow in made:
        shadow.close(60)


def idle(shadow):
    """Wait until it would take a batch."""
    wait_until(lambda: not shadow._busy)


def offer(shadow, said=None, frames=FRAMES, regions=None):
    """Let one batch be compared."""
    idle(shadow)
    before = shadow.report()["batches"]
    shadow.offer(frames, regions, said or results())
    wait_until(lambda: shadow.report()["batches"] > before)
    return shadow.report()


def test_a_candidate_is_compared_and_closed(shadows):
    model = One()
    shadow = shadows(lambda: model)
    report = offer(shadow)
    assert report["shadow"] == "candidate"
    assert (report["batches"], report["pictures"], report["f1"]) == (1, 2, 1)
    assert report["confidence_delta"] == pytest.approx(0.1)
    assert report["shadow_ms"] > 0
    assert shadow.close(60)
    assert model.closed
    shadow.offer(FRAMES, None, results())  # harmless
    assert shadow.close(60)


def test_regions_are_looked_at_as_the_model_does(shadows):
    said = [found((20, 0, 0.8), names=("cat",))]
    assert offer(shadows(lambda: One(left=0)), said, FRAMES[:1], [(20, 0, 40, 20)])["f1"] == 1


def test_nobody_waits_and_what_is_not_compared_is_counted(shadows):
    gate = threading.Event()

    class Slow(One):
        def infer(self, frames):
            gate.wait(60)
            return super().infer(frames)

    loading = threading.Event()
    shadow = shadows(lambda: loading.wait(60) and Slow())
    shadow.offer(FRAMES, None, results())  # while it is loaded
    loading.set()
    idle(shadow)
    for _ in range(5):
        shadow.offer(FRAMES, None, results())
    assert shadow.report()["batches"] == 0, "somebody has waited for the candidate"
    gate.set()
    wait_until(lambda: shadow.report()["batches"])
    report = shadow.report()
    assert (report["batches"], report["not_compared"]) == (1, 5)


def test_frames_are_let_go_when_they_have_been_looked_at(shadows):
    shadow = shadows(One)
    offer(shadow)
    held = np.zeros((20, 40, 3), np.uint8)

    class Told(np.ndarray):
        gone = threading.Event()

        def __del__(self):
            self.gone.set()

    picture = held.view(Told)
    Told.gone.clear()
    idle(shadow)
    shadow.offer([Frame("RGB", 40, 20, (picture,))], None, results(1))
    del picture
    assert Told.gone.wait(60)


@pytest.mark.parametrize("where", ["load", "infer"])
def test_a_candidate_that_fails_is_told_once(shadows, where):
    class Fails(One):
        def infer(self, frames):
            raise ValueError("no")

    def load():
        if where == "load":
            raise ValueError("no")
        return Fails()

    shadow = shadows(load)
    if where == "infer":
        idle(shadow)
        shadow.offer(FRAMES, None, results())
    wait_until(lambda: shadow.told)
    for _ in range(3):
        shadow.offer(FRAMES, None, results())
    assert [str(error) for error in shadow.told] == ["no"]
    assert shadow.report()["batches"] == 0


def test_reports_are_due_at_intervals(shadows):
    shadow = shadows(One, interval=0.0)
    offer(shadow)
    wait_until(lambda: shadow.told)
    assert shadow.told[0] is None


def test_a_new_model_at_work_is_compared_anew(shadows):
    shadow = shadows(One)
    offer(shadow)
    shadow.model_changed()
    assert shadow.told == [None]
    assert shadow.report()["batches"] == 0
    assert offer(shadow)["batches"] == 1


def test_a_batch_of_the_model_before_does_not_count_for_the_next(shadows):
    gate = threading.Event()

    class Slow(One):
        def infer(self, frames):
            gate.wait(60)
            return super().infer(frames)

    shadow = shadows(Slow)
    idle(shadow)
    shadow.offer(FRAMES, None, results())
    shadow.model_changed()
    gate.set()
    idle(shadow)
    assert shadow.report()["batches"] == 0
    assert offer(shadow)["batches"] == 1


def test_a_batch_may_be_offered_at_the_moment_of_closing(shadows):
    shadow = shadows(One)
    idle(shadow)
    submit, closing = shadow._worker.submit, threading.Thread(target=shadow.close)

    def late(*arguments):
        """The machine stands still at this place, and the other thread goes on as far as it can."""
        shadow._worker.submit = submit
        closing.start()
        closing.join(0.2)
        return submit(*arguments)

    shadow._worker.submit = late
    shadow.offer(FRAMES, None, results())
    closing.join(60)
    assert not closing.is_alive()
    assert shadow.report()["batches"] == 1


def test_closing_again_tells_whether_it_is_done(shadows):
    gate = threading.Event()

    class Held(One):
        def infer(self, frames):
            gate.wait(60)
            return super().infer(frames)

    shadow = shadows(Held)
    idle(shadow)
    shadow.offer(FRAMES, None, results())
    assert not shadow.close(0.01)
    assert not shadow.close(0.01)
    gate.set()
    assert shadow.close(60)


def test_classifiers_can_be_candidates(shadows):
    class Red(Classifier):
        labels = ("red",)

        def classify(self, frames):
            return [(0, 0.5, "red") for _ in frames]

    shadow = shadows(Red)
    assert offer(shadow, [Result(labels=(Label("red", 0, 0.9),))] * 2)["labels"] == {"same": 2, "other": 0}
