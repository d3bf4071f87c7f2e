"""Audio frames, tracker data, plain extracts, extras and what forks of them share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headrace.meta import (
    BatchMetadata,
    ClassifierMetadata,
    Detections,
    Label,
    MetaType,
    Segmentation,
    TargetBatch,
    TargetFrame,
    TargetObject,
    TargetStream,
    UserMetadata,
    tracking,
)
from headrace.meta.osd import Mask

PAST = TargetBatch([TargetStream(2, 5, [TargetObject(41, 0, "car", [TargetFrame(7, (1, 2, 3, 4), 0.5, 9)])])])


def test_a_batch_of_audio_has_no_pictures() -> None:
    batch = BatchMetadata.new(2, audio=True)
    assert (batch.is_audio, batch.n_frames, list(batch.frame_items)) == (True, 2, [])
    assert [frame.pad_index for frame in batch.audio_frame_items] == [0, 1]
    with pytest.raises(TypeError, match="audio"):
        batch.acquire_frame_meta()
    frame = next(batch.audio_frame_items)
    with pytest.raises(TypeError, match=r"AudioFrameMetadata\.append"):
        frame.append(batch.acquire_display_meta())
    pictures = BatchMetadata.new(2)
    assert (pictures.is_audio, list(pictures.audio_frame_items), len(list(pictures.frame_items))) == (
        False,
        [],
        2,
    )
    assert pictures.acquire_frame_meta().batch_id == 2


def test_audio_frames_keep_their_fields_when_copied() -> None:
    batch = BatchMetadata.new(0, audio=True)
    frame = batch.add_frame(
        pad_index=1, sample_rate=48000, num_channels=2, class_label="bell", confidence=0.5
    )
    frame.classifiers.append(ClassifierMetadata(3, "sound", [Label("bell"), Label("loud")]))
    for copy in (batch.fork(), batch.select(0)):
        (other,) = copy.audio_frame_items
        other.class_label = "changed"
        other.classifiers[0].labels.clear()
        assert (copy.is_audio, other.sample_rate, other.num_channels, other.confidence) == (
            True,
            48000,
            2,
            0.5,
        )
    assert [meta.n_labels for meta in frame.classifier_items] == [2]
    assert "bell" in repr(frame)
    assert batch.extract(3) == [
        None,
        {
            "media_type": "audio", "shape": [0, 2], "bboxes": [], "probs": [0.5],
            "labels": [["bell"], ["bell", "loud"]], "seg_maps": [], "objects": [0], "timestamp": 0,
            "sample_rate": 48000, "num_channels": 2, "num_samples_per_frame": 0, "format": 0, "layout": 0,
            "infer_done": False, "class_id": 0, "class_label": "bell", "confidence": 0.5,
        },
        None,
    ]  # fmt: skip


def test_extract_tells_frames_by_pad() -> None:
    batch = BatchMetadata.new(0)
    for pad in (4, 1):
        batch.add_frame(pad_index=pad, pipeline_width=640, pipeline_height=360, buffer_pts=pad * 10)
    frame = batch.frames[1]
    frame.add_detections(Detections([[1.7, 2, 11, 22.9], [0, 0, 5, 5]], [0.5, 0.25], [0, 1]), ("car",))
    first = next(frame.object_items)
    first.object_id = 7
    first.append(ClassifierMetadata(4, "colour", [Label("red")]))
    first.mask_params = Mask(0.5, np.full((2, 2), 1.5, np.float32))
    found = batch.extract(2)
    assert found[0] is None
    assert len(found) == 2, "the frame of pad 4 does not fit"
    item = found[1]
    assert item is not None
    (mask,) = item.pop("seg_maps")
    assert (mask.dtype, mask.tolist()) == (np.int32, [[1, 1], [1, 1]])
    assert item == {
        "shape": [360, 640], "bboxes": [[1, 2, 10, 22], [0, 0, 5, 5]], "probs": [0.5, 0.25],
        "labels": [["car", "red"], ["1"]], "objects": [7, -1], "timestamp": 10,
    }  # fmt: skip


def test_extract_copies_class_maps_and_takes_their_size() -> None:
    batch = BatchMetadata.new(1)
    classes = np.full((3, 4), -1, np.int32)
    batch.frames[0].append(UserMetadata(MetaType.SEGMENTATION, Segmentation(1, classes)))
    (item,) = batch.extract(1)
    classes[:] = 5
    assert item is not None
    assert item["shape"] == [3, 4]
    assert item["seg_maps"][0].min() == item["seg_maps"][0].max() == -1


@pytest.mark.parametrize("kind", [15, 18, 19])
def test_past_frames_are_told_as_plain_data(kind: int) -> None:
    view = tracking.TrackerPastFrameUserMetadata(UserMetadata(kind, PAST))
    assert view
    frame = {
        "frame_num": 7, "bbox": {"left": 1, "top": 2, "width": 3, "height": 4}, "confidence": 0.5, "age": 9,
        "tracker_state": 0, "visibility": 0.0, "world_foot_location": (0.0, 0.0),
    }  # fmt: skip
    objects = [{"unique_id": 41, "label": "car", "frames": [frame]}]
    assert view.past_frame_data == [{"stream_id": 2, "objects": objects}]


BOX = {f"{axis}_{part}": 1.0 for axis in "xyz" for part in ("centre", "len", "rot", "vel")}


@pytest.mark.parametrize(
    ("view", "kind", "data", "name", "told", "nothing"),
    [
        ("TrackerPastFrame", 15, TargetBatch(), "past_frame_data", [], []),
        ("ObjectVisibility", 20, 0.25, "visibility", 0.25, 0.0),
        ("ObjectImageFootLocation", 21, (3, 4), "image_foot_location", {"x": 3, "y": 4}, {"x": 0, "y": 0}),
        ("ObjectWorldFootLocation", 22, (3, 4), "world_foot_location", {"x": 3, "y": 4}, {"x": 0, "y": 0}),
        ("ObjectConvexHull", 23, [(1, 2), (3, 4)], "convex_hull", [(1, 2), (3, 4)], []),
        ("Object3DBBox", 24, BOX, "bbox_3d", BOX, {}),
    ],
)
def test_views_read_their_own_kind_only(
    view: str, kind: int, data: Any, name: str, told: Any, nothing: Any
) -> None:
    make = getattr(tracking, f"{view}UserMetadata")
    right, wrong = make(UserMetadata(kind, data)), make(UserMetadata(9000, data))
    assert (bool(right), getattr(right, name)) == (True, told)
    assert (bool(wrong), getattr(wrong, name)) == (False, nothing)


def test_extras_go_along_with_copies_and_are_apart() -> None:
    batch = BatchMetadata.new(2)
    batch.frames[1].append(obj := batch.acquire_object_meta())
    display = batch.acquire_display_meta()
    batch.frames[1].append(display)
    for holder in (batch, batch.frames[1], obj, display):
        holder.extras["numbers"] = np.arange(4)
    for copy in (batch.fork(), batch.select(1)):
        frame = copy.frames[-1]
        for holder in (copy, frame, next(frame.object_items), copy.displays[0]):
            holder.extras["numbers"][0] = 99
            holder.extras["more"] = 1
    for holder in (batch, batch.frames[1], obj, display):
        assert holder.extras["numbers"].tolist() == [0, 1, 2, 3]
        assert "more" not in holder.extras
    assert batch.frames[0].extras == {}


def test_the_trackers_box_can_be_set() -> None:
    obj = BatchMetadata.new(1).acquire_object_meta()
    obj.nv_bbox_info = {"left": 1.5, "top": -2, "width": 3, "height": 4}
    assert obj.nv_bbox_info == {"left": 1.5, "top": -2.0, "width": 3.0, "height": 4.0}


def test_views_stay_live_while_the_table_grows() -> None:
    batch = BatchMetadata.new(1)
    first = batch.acquire_object_meta()
    rect = first.rect_params
    for _ in range(200):
        batch.acquire_object_meta()
    rect.left, first.confidence, rect.border_color.b = 9.0, 0.5, 1.0
    assert batch.objects.column("rect")[0, 0] == 9.0
    assert (first.confidence, first.rect_params.left, first.rect_params.border_color.b) == (0.5, 9.0, 1.0)


def test_no_repr_raises() -> None:
    batch = BatchMetadata.new(1)
    obj = batch.acquire_object_meta()
    obj.label = "Größe"
    obj.rect_params.left = float("nan")
    batch.frames[0].append(obj)
    things = [
        batch, batch.frames[0], obj, obj.rect_params, obj.mask_params, obj.text_params, batch.acquire_display_meta(),
        obj.rect_params.border_color, batch.acquire_user_meta(), batch.acquire_event_message_meta(), PAST,
        batch.acquire_obj_reid_meta(), batch.acquire_preprocess_batch_meta(), ClassifierMetadata(1),
    ]  # fmt: skip
    assert all(f"{thing} {thing!r}" for thing in things)


def test_ids_keep_all_their_bits() -> None:
    obj = BatchMetadata.new(1).acquire_object_meta()
    for number in (0, 2**63, 2**64 - 1):
        obj.object_id = number
        assert obj.object_id == number
        assert type(obj.object_id) is int
    obj.class_id = 2**32 - 1
    assert obj.class_id == 2**32 - 1
