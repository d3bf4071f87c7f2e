"""The stage: batches, regions, order, and refusing what a model must not return."""

import threading
import time

import numpy as np
import pytest

from headrace.errors import FrameError, ModelError
from headrace.frames import Frame
from headrace.infer import Classifier, Detector, InferOptions, InferStage, IntervalCounter
from headrace.infer.model import Model
from headrace.meta import Detections


def frame(level=0, width=40, height=30):
    return Frame.from_array(np.full((height, width, 3), level, np.uint8), "RGB")


class Whole(Detector):
    """One box over each picture; its confidence is the brightness."""

    def __init__(self):
        self.batches = []

    def infer(self, frames):
        self.batches.append(len(frames))
        return [
            Detections([[0, 0, f.width, f.height]], [p.mean() / 255], [0])
            for f, p in zip(frames, frames.numpy(), strict=True)
        ]


class Brightness(Classifier):
    labels = ("dark", "bright")

    def classify(self, frames):
        return [(int(p.mean() > 99), 0.75, self.labels[int(p.mean() > 99)]) for p in frames.numpy()]


@pytest.fixture
def stages():
    made = []

    def make(model, **options):
        made.append(InferStage(model, InferOptions(**options)))
        return made[-1]

    yield make
    for stage in made:
        stage.close()


@pytest.mark.parametrize(("size", "batches"), [(0, [5]), (2, [2, 2, 1]), (5, [5]), (8, [5]), (1, [1] * 5)])
def test_batches_are_split_and_order_kept(stages, size, batches):
    stage = stages(Whole(), batch_size=size, confidence=0)
    found = [one.detections for one in stage.run([frame(level) for level in (10, 20, 30, 40, 50)])]
    assert stage.model.batches == batches
    assert [round(float(one.confidence[0]) * 255) for one in found] == [10, 20, 30, 40, 50]


def test_no_frames_no_call(stages):
    stage = stages(Whole())
    assert stage.run([]) == []
    assert stage.model.batches == []


def test_confidence_classes_and_limit_hold_for_every_model(stages):
    class Many(Detector):
        def infer(self, frames):
            boxes = [[i, 0, i + 1, 1] for i in range(10)]
            return [Detections(boxes, np.linspace(0.1, 1, 10), [i % 2 for i in range(10)]) for _ in frames]

    found = stages(Many(), confidence=0.45, classes=(1,), max_detections=2).run([frame()])[0].detections
    assert found.class_id.tolist() == [1, 1]
    np.testing.assert_allclose(found.confidence, [1.0, 0.8])


def test_regions_are_cropped_and_boxes_come_back_in_frame_pixels(stages):
    picture = frame(255)
    regions = [(5.2, 6, 20, 21.5), (30, 20, 99, 99)]
    found = [one.detections for one in stages(Whole()).run([picture, picture], regions)]
    assert [one.xyxy.tolist() for one in found] == [[[5, 6, 20, 22]], [[30, 20, 40, 30]]]
    with pytest.raises(FrameError, match="region"):
        stages(Whole()).run([picture], [(50, 50, 60, 60)])
    with pytest.raises(ModelError, match="1 regions for 2 frames"):
        stages(Whole()).run([picture, picture], regions[:1])


def test_what_a_model_returned_is_left_as_it_is(stages):
    mine = Detections([[0, 0, 4, 4]], [1.0], [0])

    class Same(Detector):
        def infer(self, frames):
            return [mine for _ in frames]

    for _ in range(2):
        found = stages(Same()).run([frame()], [(10, 10, 20, 20)])[0].detections
        assert found.xyxy.tolist() == [[10, 10, 14, 14]]
    assert mine.xyxy.tolist() == [[0, 0, 4, 4]]


def test_classifiers_name_regions(stages):
    array = np.zeros((30, 40, 3), np.uint8)
    array[:, 20:] = 200
    picture = Frame.from_array(array, "RGB")
    results = stages(Brightness()).run([picture, picture], [(0, 0, 20, 30), (20, 0, 40, 30)])
    named = [result.labels[0] for result in results]
    assert [(label.class_id, label.prob, label.label) for label in named] == [
        (0, 0.75, "dark"),
        (1, 0.75, "bright"),
    ]


BAD = [
    (None, "returned NoneType"),
    (Detections.empty(), "returned Detections; expected a list"),
    ([], "0 results for 1 frames"),
    ([Detections.empty()] * 2, "2 results for 1 frames"),
    ([[1, 2, 3, 4]], "returned list; expected headrace.Detections"),
    ([Detections([[0, 0, np.nan, 1]])], "not finite"),
    ([Detections([[0, 0, 1, 1]], [np.inf])], "not finite"),
    ([Detections([[0, 0, 1, 1]], [1], [2])], "class 2 has no label.*2 labels"),
    ([Detections([[0, 0, 1, 1]], [1], [-1])], "class -1 is negative"),
]


@pytest.mark.parametrize(("result", "word"), BAD, ids=[row[1] for row in BAD])
def test_wrong_results_are_refused_by_name(stages, result, word):
    class Wrong(Detector):
        labels = ("a", "b")

        def infer(self, frames):
            return result

    with pytest.raises(ModelError, match=word) as caught:
        stages(Wrong()).run([frame()])
    assert "Wrong" in str(caught.value)


@pytest.mark.parametrize("result", [[None], [(1, 2)], [("x", 0.5, "y")]], ids=str)
def test_wrong_classifications_are_refused(stages, result):
    class Wrong(Classifier):
        def classify(self, frames):
            return result

    with pytest.raises(ModelError, match=r"Wrong\.classify.*expected \(class_id, confidence, label\)"):
        stages(Wrong()).run([frame()])


@pytest.mark.parametrize("kind", [Model, Detector])
def test_what_is_no_result_ends_its_batch_and_no_other(stages, kind):
    class Odd(kind):
        def infer(self, frames):
            return []

        def results(self, frames):
            return [object() for _ in frames]

    stage = stages(Odd())
    for _ in range(2):
        with pytest.raises(AttributeError):
            stage.submit([frame()], [(5, 5, 20, 20)]).result(60)


def test_an_exception_of_the_model_arrives_as_it_is(stages):
    class Fails(Detector):
        def infer(self, frames):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        stages(Fails()).submit([frame()]).result(60)


def test_submitted_batches_run_in_order_and_beside_the_caller(stages):
    gate, seen = threading.Event(), []

    class Waits(Detector):
        def infer(self, frames):
            gate.wait(60)
            seen.append(int(frames.numpy()[0].mean()))
            return [Detections.empty() for _ in frames]

    stage = stages(Waits())
    futures = [stage.submit([frame(level)]) for level in (1, 2, 3)]
    assert not any(future.done() for future in futures)
    gate.set()
    assert [len(future.result(60)) for future in futures] == [1, 1, 1]
    assert seen == [1, 2, 3]
    stage.close()
    stage.close()
    with pytest.raises(ModelError, match="closed"):
        stage.submit([frame()])


def test_a_model_is_never_called_by_two_threads_at_once(stages):
    inside, overlaps = [0], []

    class Counts(Detector):
        def infer(self, frames):
            inside[0] += 1
            overlaps.append(inside[0])
            time.sleep(0.001)
            inside[0] -= 1
            return [Detections.empty() for _ in frames]

    stage = stages(Counts())
    threads = [threading.Thread(target=stage.run, args=([frame()] * 3,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [1] * 8


@pytest.mark.parametrize(("interval", "due"), [(0, "1111111"), (1, "1010101"), (2, "1001001")])
def test_interval_skips_batches(interval, due):
    counter = IntervalCounter(interval)
    assert "".join(str(int(counter.due())) for _ in due) == due
