"""Tensors made ahead, with their regions, and how they follow a batch that is copied."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.frames.tensor import Tensor
from headrace.meta import (
    BatchMetadata,
    ClassifierMetadata,
    Detections,
    Label,
    PreprocessBatchUserMetadata,
    PreprocessTensorMetadata,
    RoiMetadata,
    Segmentation,
    TensorOutput,
    UserMetadata,
)
from headrace.meta.osd import Rect


@pytest.fixture
def batch() -> BatchMetadata:
    """Two frames; the second has two objects, of which the second is a region, and a region of its own."""
    meta = BatchMetadata.new(2)
    first, second = meta.frames
    first.add_detections(Detections([[0, 0, 9, 9]]))
    second.add_detections(Detections([[0, 0, 9, 9], [10, 10, 30, 50]]), labels=("car",))
    _, item = second.object_items
    regions = [
        RoiMetadata(Rect(0, 0, 4, 4), first),
        RoiMetadata(Rect(10, 10, 20, 40), second, item),
        RoiMetadata(Rect(0, 0, 8, 8), second),
    ]
    tensor = Tensor(np.arange(3, dtype=np.float32).reshape(3, 1, 1, 1))
    meta.append(PreprocessBatchUserMetadata(PreprocessTensorMetadata("images", 5, tensor), (1, 4), regions))
    return meta


def test_a_batch_lists_its_tensors_and_others_are_none(batch: BatchMetadata) -> None:
    batch.append(UserMetadata())
    [meta] = batch.preprocess_batch_items
    found = meta.as_preprocess_batch()
    assert found
    assert [region.roi.width for region in found.rois] == [4, 20, 8]
    assert not UserMetadata().as_preprocess_batch()
    assert [item.meta_type for item in batch.user_meta_items(28)] == [28]


def test_a_copied_batch_has_regions_of_its_own(batch: BatchMetadata) -> None:
    fork = batch.fork()
    [old], [new] = batch.preprocess_batch_items, fork.preprocess_batch_items
    new.regions[1].classifiers.append(ClassifierMetadata(1, "", [Label("red")]))
    assert list(old.regions[1].classifier_items) == []
    assert [region.frame_meta for region in new.rois] == [fork.frames[0], fork.frames[1], fork.frames[1]]
    moved = new.regions[1].object_meta
    assert moved is not None
    moved.label = "bus"
    assert [item.label for item in batch.frames[1].object_items] == ["car", "car"]
    assert [item.label for item in fork.frames[1].object_items] == ["car", "bus"]


def test_one_frame_keeps_its_regions_and_their_rows(batch: BatchMetadata) -> None:
    one = batch.select(1)
    [meta] = one.preprocess_batch_items
    assert meta.preprocess_tensor_meta.tensor.numpy().ravel().tolist() == [1, 2]
    assert meta.target_unique_ids == (1, 4)
    assert [region.roi.width for region in meta.rois] == [20, 8]
    assert all(region.frame_meta is one.frames[0] for region in meta.rois)
    assert meta.regions[0].object_meta == list(one.frames[0].object_items)[1]
    assert meta.regions[1].object_meta is None


def test_a_tensor_without_regions_has_a_row_for_each_frame() -> None:
    batch = BatchMetadata.new(3)
    meta = batch.acquire_preprocess_batch_meta()
    meta.set_preprocessed_tensor("images", 0, 7, np.arange(3.0).reshape(3, 1))
    batch.append(meta)
    [one] = batch.select(2).preprocess_batch_items
    assert one.preprocess_tensor_meta.tensor.numpy().tolist() == [[2.0]]
    assert one.target_unique_ids == (7,)


def test_frames_that_became_one_bring_their_regions(batch: BatchMetadata) -> None:
    whole = BatchMetadata.new(1)
    rows = np.array([0, 2])
    whole.objects = batch.objects.select(rows)
    [meta] = [item.onto(whole, [0, 1], rows) for item in batch.preprocess_batch_items]
    whole.append(meta)
    assert [region.frame_meta for region in meta.as_preprocess_batch().rois] == whole.frames * 3
    assert meta.regions[1].row == 1
    [forked] = whole.fork().preprocess_batch_items
    assert len(forked.regions) == 3


def test_regions_of_a_removed_object_keep_their_box(batch: BatchMetadata) -> None:
    batch.objects.remove(2)
    [meta] = batch.select(1).preprocess_batch_items
    assert (meta.regions[0].object_meta, meta.regions[0].roi.width) == (None, 20)


def test_boxes_go_from_the_network_to_the_frame() -> None:
    frame = BatchMetadata.new(1).frames[0]
    region = RoiMetadata(Rect(100, 40, 60, 30), frame, None, (4.0, 2.0), (0, 90))
    assert region.to_frame(np.array([[0, 90, 240, 150]])).tolist() == [[100, 40, 160, 70]]


def test_what_models_found_is_reached_from_the_region_and_extracted(batch: BatchMetadata) -> None:
    [meta] = batch.preprocess_batch_items
    region = meta.regions[1]
    region.classifiers.append(ClassifierMetadata(1, "", [Label("run", 2, 0.75)]))
    region.user += [
        UserMetadata(12, TensorOutput(1, {"out": np.ones(3)})),
        UserMetadata(13, Segmentation(1, np.zeros((2, 2), np.int32))),
    ]
    assert [item.get_n_label(0) for item in region.classifier_items] == ["run"]
    assert next(region.tensor_items).as_tensor_output().get_layers()["out"].shape == (3,)
    assert next(region.segmentation_items).as_segmentation().width == 2
    rows = meta.extract(5)
    assert len(rows) == 5
    assert rows[3] is None
    assert rows[1] is not None
    assert (rows[1]["bboxes"], rows[1]["labels"], rows[1]["probs"]) == ([[10, 10, 30, 50]], [["run"]], [0.75])
