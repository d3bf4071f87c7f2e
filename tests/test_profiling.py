"""Spans: kept while somebody records, by frame."""

import threading

import numpy as np
import pytest

from headrace import profiling
from headrace.frames import Frame
from headrace.infer import Detector, InferOptions, InferStage
from headrace.meta import Detections
from headrace.meta.batch import BatchMetadata


@pytest.fixture
def recorder():
    one = profiling.Recorder()
    one.start()
    yield one
    one.stop()


class Nothing(Detector):
    def infer(self, frames):
        return [Detections.empty() for _ in frames]


def test_nothing_is_kept_unless_somebody_records():
    one = profiling.Recorder()
    with profiling.span("early", [(0, 0)]):
        pass
    one.start()
    one.stop()
    with profiling.span("late", [(0, 0)]):
        pass
    assert not one.spans


def test_off_nothing_is_made_for_a_span():
    assert profiling.span("a", ()) is profiling.span("b", ())


def test_frames_are_known_by_their_metadata_and_pictures_by_what_was_told(recorder):
    metas = BatchMetadata.new(2).frames
    pictures = [Frame.from_array(np.zeros((4, 4, 3), np.uint8), "RGB") for _ in metas]
    profiling.follow(pictures[:1], metas[:1])
    with profiling.span("both", [*metas, (7, 8)]):
        pass
    with profiling.span("pictures", pictures):
        pass
    assert [one.frames for one in recorder.spans] == [((0, 0), (1, 0), (7, 8)), ((0, 0),)]


def test_a_step_that_fails_is_kept_and_the_error_goes_on(recorder):
    with pytest.raises(ValueError, match="no"), profiling.span("fails", [(0, 0)]):
        raise ValueError("no")
    assert recorder.spans[0].step == "fails"


def test_only_the_latest_spans_are_kept():
    one = profiling.Recorder(kept=3)
    one.start()
    for number in range(5):
        with profiling.span("step", [(0, number)]):
            pass
    one.stop()
    assert [span.frames[0][1] for span in one.spans] == [2, 3, 4]


def test_threads_have_names(recorder):
    def work():
        with profiling.span("there", ()):
            pass

    thread = threading.Thread(target=work, name="worker-7")
    thread.start()
    thread.join()
    assert recorder.threads[recorder.spans[0].thread] == "worker-7"


def test_a_model_written_in_python_is_one_step(recorder):
    stage = InferStage(Nothing(), InferOptions())
    picture = Frame.empty("RGB", 8, 8)
    profiling.follow([picture], BatchMetadata.new(1).frames)
    stage.submit([picture]).result()
    stage.close()
    assert [(one.step, one.frames) for one in recorder.spans] == [("model", ((0, 0),))]
