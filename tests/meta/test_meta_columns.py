"""Masks, rotation, keypoints and embeddings in the metadata."""

import numpy as np
import pytest

from headrace.meta import BatchMetadata, Detections, MetaType, ObjectReidUserMetadata
from headrace.meta.turning import enclosing, stretched, turned_corners

RNG = np.random.default_rng(0)
FULL = Detections(
    [[10, 20, 50, 80], [0, 0, 8, 8]],
    [0.5, 0.25],
    [1, 0],
    [7, -1],
    masks=RNG.random((2, 3, 4)),
    rotation=[30, -45],
    keypoints=RNG.random((2, 17, 3)),
    embeddings=RNG.random((2, 6)),
)
COLUMNS = ("xyxy", "confidence", "class_id", "track_id", "masks", "rotation", "keypoints", "embeddings")


def same(one, other):
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)


def frame_with(*found, frames=2):
    batch = BatchMetadata.new(frames)
    for one in found:
        batch.frames[-1].add_detections(one, skeleton=((0, 1),))
    return batch


def test_every_column_comes_back_from_the_frame_and_its_copies():
    batch = frame_with(FULL)
    same(batch.frames[1].detections, FULL)
    fork = batch.fork()
    same(fork.frames[1].detections, FULL)
    same(batch.select(1).frames[0].detections, FULL)
    assert len(batch.select(0).frames[0].detections) == 0
    next(fork.frames[1].object_items).keypoints[0] = 99
    same(batch.frames[1].detections, FULL)  # copies share nothing


def test_plain_objects_have_none_of_it():
    found = frame_with(Detections([[0, 0, 9, 9]])).frames[1].detections
    assert all(getattr(found, name) is None for name in COLUMNS[4:])


def test_objects_of_several_models_share_columns():
    few = Detections([[1, 1, 2, 2]], masks=np.ones((1, 6, 2)), keypoints=np.ones((1, 5, 3)))
    found = frame_with(Detections([[0, 0, 9, 9]]), few, FULL).frames[1].detections
    assert found.masks.shape == (4, 6, 4)
    assert not found.masks[0].any()
    assert (found.masks[1] == 1).all()
    np.testing.assert_array_equal(found.masks[2, ::2], FULL.masks[0].astype(np.float32))
    assert found.keypoints.shape == (4, 17, 3)
    assert (found.keypoints[1, :5] == 1).all()
    assert not found.keypoints[1, 5:].any()
    assert found.embeddings.shape == (4, 6)
    assert found.rotation.tolist() == [0, 0, 30, -45]


def test_probes_read_and_write_them():
    batch = frame_with(FULL)
    obj, other = batch.frames[1].object_items
    assert obj.rect_params.rotation_angle == 30
    assert obj.mask_params.threshold == 0.5
    assert obj.keypoints.shape == (17, 3)
    assert obj.skeleton.lines == ((0, 1),)
    assert obj.skeleton.names[:2] == ("nose", "left-eye")
    np.testing.assert_allclose(obj.embedding, FULL.embeddings[0])
    (meta,) = obj.obj_reid_items
    assert meta.as_obj_reid().feature_size == 6
    other.append(ObjectReidUserMetadata([1, 2]))
    assert other.embedding.tolist() == [1, 2]  # the latest
    other.keypoints = [[1, 2, 0.5]]
    assert batch.frames[1].detections.keypoints[1, 0].tolist() == [1, 2, 0.5]
    assert other.skeleton.names == ("0",)
    with pytest.raises(ValueError, match="keypoints has the shape"):
        other.keypoints = np.zeros((3, 2))
    bare = batch.acquire_object_meta()
    assert bare.keypoints is bare.skeleton is bare.embedding is None


def test_a_frame_has_an_embedding_too():
    frame = BatchMetadata.new(1).frames[0]
    assert frame.embedding is None
    frame.append(ObjectReidUserMetadata([0.5]))
    assert frame.embedding.tolist() == [0.5]
    assert len(list(frame.user_meta_items(MetaType.TRACKER_OBJ_REID))) == 1


def test_plain_data_tells_of_rotation_and_keypoints():
    found = Detections([[0, 0, 4, 2]], rotation=[12.5], keypoints=[[[1, 2, 0.5]]])
    (_, frame) = frame_with(found, Detections([[0, 0, 1, 1]])).to_dict()["frames"]
    assert frame["objects"][0]["rotation"] == 12.5
    assert frame["objects"][0]["keypoints"] == [[1, 2, 0.5]]
    assert not {"rotation", "keypoints"} & set(frame["objects"][1])


@pytest.mark.parametrize("degrees", [0, 30, 90, 200, -45])
@pytest.mark.parametrize("scale", [(1, 1), (2, 2), (0.5, 0.5)], ids=str)
def test_turned_boxes_in_a_scaled_picture_are_scaled(degrees, scale):
    box = np.array([[10, 20, 50, 40]], np.float32)
    boxes, angles = stretched(box, [degrees], scale, (3, 4))
    expected = turned_corners(box, [degrees]) * scale + (3, 4)
    np.testing.assert_allclose(turned_corners(boxes, angles), expected, atol=1e-4)
    np.testing.assert_allclose(enclosing(boxes, angles)[0, :2], expected[0].min(axis=0), atol=1e-4)


def test_stretching_keeps_centre_and_lengths():
    boxes, angles = stretched([[0, 0, 10, 2]], [45], (2, 1))
    assert ((boxes[0, :2] + boxes[0, 2:]) / 2).tolist() == [10, 1]
    assert angles[0] == pytest.approx(np.degrees(np.arctan2(1, 2)))
    assert boxes[0, 2] - boxes[0, 0] == pytest.approx(10 * np.sqrt(2.5), rel=1e-5)


def test_detections_are_joined_with_the_columns_that_all_have():
    joined = Detections.joined([FULL, Detections.empty(), FULL[[1]]])
    same(joined, FULL[[0, 1, 1]])
    other = Detections([[0, 0, 1, 1]], masks=np.ones((1, 9, 9)), rotation=[5])
    mixed = Detections.joined([FULL, other])
    assert mixed.rotation.tolist() == [30, -45, 5]
    assert mixed.masks is mixed.keypoints is mixed.embeddings is None
    assert len(Detections.joined([])) == 0
