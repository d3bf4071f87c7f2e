"""Boxes of a batch as one table: what users see of it."""

import numpy as np
import pytest

from headrace.elements.inference.results import ResultSettings, Target, write_results
from headrace.frames import Frame
from headrace.infer import InferOptions, InferStage
from headrace.infer.model import Model
from headrace.infer.result import BoxResults
from headrace.meta import Detections
from headrace.meta.batch import Batch, BatchMetadata

COUNTS = [2, 0, 3]


def table():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 50, (5, 2)).astype(np.float32)
    boxes = np.hstack([corners, corners + 9])
    return BoxResults(
        Detections(boxes, rng.random(5).astype(np.float32), [0, 1, 1, 0, 1]), COUNTS, ("car", "person")
    )


def test_a_result_for_each_picture():
    results = table()
    assert [len(one.detections) for one in results] == COUNTS
    assert len(results[-1].detections) == 3
    assert [len(one.detections) for one in results[1:]] == COUNTS[1:]
    np.testing.assert_array_equal(results[2].detections.xyxy, results.boxes.xyxy[2:])
    assert results[0].names == ("car", "person")
    with pytest.raises(IndexError):
        results[3]


def test_some_of_the_boxes():
    some = table().only(np.array([False, False, True, False, True]))
    assert [one.detections.class_id.tolist() for one in some] == [[], [], [1, 1]]


def test_the_metadata_are_those_of_single_results():
    written = []
    for results in (table(), list(table())):
        batch = Batch(BatchMetadata.new(3))
        write_results(batch, [Target(frame) for frame in range(3)], results, ResultSettings(unique_id=4))
        objects = batch.meta.objects
        names = ("frame", "class_id", "label", "component_id", "rect", "confidence", "object_id", "state")
        written.append([objects.column(name).tolist() for name in names])
    assert written[0] == written[1]
    assert written[0][0] == [0, 0, 2, 2, 2]


class Table(Model):
    """Says the same of any batch of three frames."""

    labels = ("car", "person")

    def results(self, frames):
        return table()


@pytest.mark.parametrize("rows", [0, 3])
def test_a_stage_hands_it_on_and_moves_boxes_of_regions(rows):
    stage = InferStage(Table(), InferOptions(batch_size=rows))
    frames = [Frame.from_array(np.zeros((80, 80, 3), np.uint8), "RGB")] * 3
    whole = stage.run(frames)
    assert isinstance(whole, BoxResults)
    parts = stage.run(frames, [(0, 0, 40, 40), None, (8, 16, 60, 60)])
    np.testing.assert_array_equal(parts[0].detections.xyxy, whole[0].detections.xyxy)
    np.testing.assert_allclose(parts[2].detections.xyxy, np.add(whole[2].detections.xyxy, [8, 16, 8, 16]))
    stage.close()
