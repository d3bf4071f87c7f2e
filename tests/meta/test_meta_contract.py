"""Metadata classes as programs written for the contract use them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from headrace.meta import Detections, osd
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.buffer import Buffer
from headrace.meta.display import DisplayMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.object import ObjectMetadata
from headrace.meta.objects import UNTRACKED
from headrace.meta.user import ClassifierMetadata, Label, MetaType, Segmentation, TensorOutput, UserMetadata


@pytest.fixture
def batch() -> BatchMetadata:
    batch = BatchMetadata.new(2)
    batch.frames[0].add_detections(
        Detections([[0, 0, 10, 20], [5, 5, 8, 9], [1, 1, 2, 2]], [0.9, 0.5, 0.4], [0, 1, 0]),
        ("car", "person"),
        7,
    )
    return batch


@pytest.mark.parametrize("kind", [BatchMetadata, FrameMetadata, ObjectMetadata, DisplayMetadata])
def test_direct_construction_says_where_to_get_one(kind: Any) -> None:
    with pytest.raises(TypeError, match=r"comes (from|with)"):
        kind()


def test_iterators_are_new_at_each_access_and_lists_exact(batch: BatchMetadata) -> None:
    frame = next(batch.frame_items)
    assert len(list(frame.object_items)) == 3
    assert [obj.label for obj in frame.object_items] == ["car", "person", "car"]
    once = frame.object_items
    assert len(list(once)) == 3
    assert list(once) == []
    assert len(set(frame.object_items)) == 3
    assert batch.n_frames == len(list(batch.frame_items)) == 2
    for access in (frame.tensor_items, frame.user_meta_items(1), next(frame.object_items).classifier_items):
        assert iter(access) is access
        with pytest.raises(TypeError):
            len(access)  # type: ignore[arg-type]


def test_objects_may_be_added_while_iterating(batch: BatchMetadata) -> None:
    frame = batch.frames[0]
    for _ in frame.object_items:
        frame.append(batch.acquire_object_meta())
    assert frame.n_objects == 6


def test_fields_are_live(batch: BatchMetadata) -> None:
    frame = batch.frames[0]
    obj = next(frame.object_items)
    rect = obj.rect_params
    rect.left, rect.border_width, rect.border_color.g = 3.5, 4, 0.25
    rect.bg_color = osd.Color(0.5, 0.5, 0.5, 1.0)
    obj.confidence, obj.object_id, obj.unique_component_id = 0.25, 17, 9
    again = next(frame.object_items)
    assert again == obj
    assert (again.rect_params.left, again.rect_params.border_width) == (3.5, 4)
    assert again.rect_params.border_color.g == 0.25
    assert again.rect_params.bg_color.r == 0.5
    assert (again.confidence, again.object_id, again.unique_component_id) == (0.25, 17, 9)
    assert batch.objects.column("rect")[0, 0] == 3.5


def test_a_whole_rectangle_can_be_assigned(batch: BatchMetadata) -> None:
    obj = batch.acquire_object_meta()
    obj.rect_params = osd.Rect(1, 2, 3, 4)
    assert (obj.rect_params.left, obj.rect_params.height) == (1, 4)
    assert "left=1" in repr(obj.rect_params)


def test_an_acquired_object_is_empty_and_untracked(batch: BatchMetadata) -> None:
    obj = batch.acquire_object_meta()
    assert (obj.class_id, obj.confidence, obj.label, obj.object_id) == (0, 0.0, "", UNTRACKED)
    assert obj.nv_bbox_info == {"left": 0, "top": 0, "width": 0, "height": 0}
    assert obj.parent is None
    assert obj not in list(batch.frames[0].object_items)
    batch.frames[1].append(obj)
    assert list(batch.frames[1].object_items) == [obj]


def test_class_ids_are_unsigned(batch: BatchMetadata) -> None:
    obj = batch.acquire_object_meta()
    obj.class_id = -1
    assert obj.class_id == 4294967295
    obj.class_id = 4294967295
    assert batch.objects.column("class_id")[-1] == -1
    obj.object_id = 2**64 - 1
    assert obj.object_id == UNTRACKED


def test_labels_are_cut_at_127(batch: BatchMetadata) -> None:
    obj = batch.acquire_object_meta()
    obj.label = "x" * 300
    assert len(obj.label) == 127
    batch.frames[1].add_detections(Detections([[0, 0, 1, 1]], [1], [0]), ("y" * 300,))
    assert len(next(batch.frames[1].object_items).label) == 127


def test_a_class_without_label_shows_its_number(batch: BatchMetadata) -> None:
    batch.frames[1].add_detections(Detections([[0, 0, 1, 1]], [1], [12]), ("a",))
    assert next(batch.frames[1].object_items).label == "12"


@pytest.mark.parametrize("thing", [None, 3, "text", osd.Text(), Detections.empty()])
def test_append_refuses_what_is_no_meta(batch: BatchMetadata, thing: Any) -> None:
    with pytest.raises(TypeError, match=r"Invalid type for FrameMetadata\.append"):
        batch.frames[0].append(thing)
    with pytest.raises(TypeError, match="append"):
        batch.append(thing)
    with pytest.raises(TypeError, match="append"):
        batch.acquire_object_meta().append(thing)


def test_an_object_of_another_batch_is_refused(batch: BatchMetadata) -> None:
    stranger = BatchMetadata.new(1).acquire_object_meta()
    with pytest.raises(ValueError, match="another batch"):
        batch.frames[0].append(stranger)


@pytest.mark.parametrize(
    ("add", "count", "shape"),
    [
        ("add_text", "n_labels", osd.Text),
        ("add_rect", "n_rects", osd.Rect),
        ("add_line", "n_lines", osd.Line),
        ("add_arrow", "n_arrows", osd.Arrow),
        ("add_circle", "n_circles", osd.Circle),
    ],
)
def test_a_display_meta_holds_16_of_a_kind(batch: BatchMetadata, add: str, count: str, shape: Any) -> None:
    meta = batch.acquire_display_meta()
    for n in range(20):
        getattr(meta, add)(shape())
        assert getattr(meta, count) == min(n + 1, 16)
    assert sum(getattr(meta, f"n_{kind}") for kind in ("labels", "rects", "lines", "arrows", "circles")) == 16


def test_text_is_copied_when_it_is_added(batch: BatchMetadata) -> None:
    meta = batch.acquire_display_meta()
    text = osd.Text()
    text.display_text = b"frame 1"
    text.x_offset = 10
    meta.add_text(text)
    text.display_text, text.x_offset = "changed", 99
    assert (meta.texts[0].display_text, meta.texts[0].x_offset) == ("frame 1", 10)


def test_display_metas_are_kept_before_and_without_append(batch: BatchMetadata) -> None:
    loose, fixed = batch.acquire_display_meta(), batch.acquire_display_meta()
    batch.frames[1].append(fixed)
    fixed.add_line(osd.Line())
    assert batch.displays == [loose, fixed]
    assert (loose.frame, fixed.frame, fixed.n_lines) == (-1, 1, 1)


def test_classifiers_tensors_and_user_metas(batch: BatchMetadata) -> None:
    frame = batch.frames[0]
    obj = next(frame.object_items)
    obj.append(ClassifierMetadata(4, "colour", [Label("red", 3, 0.9), Label("dark")]))
    (classifier,) = list(obj.classifier_items)
    assert (classifier.n_labels, classifier.get_n_label(1), classifier.get_n_label(5)) == (2, "dark", "")
    assert classifier.get_label_info(0)["prob"] == 0.9
    tensor = TensorOutput(3, {"boxes": np.zeros((4, 2), np.float32)})
    frame.append(UserMetadata(MetaType.TENSOR_OUTPUT, tensor))
    (found,) = list(frame.tensor_items)
    layers = found.as_tensor_output().get_layers()
    assert layers.pop("boxes").shape == (4, 2)
    assert "boxes" in found.as_tensor_output().get_layers()
    frame.append(UserMetadata(MetaType.SEGMENTATION, Segmentation(1, np.full((2, 3), -1, np.int32))))
    found_maps = [meta.as_segmentation() for meta in frame.segmentation_items]
    assert [(found.width, found.height) for found in found_maps] == [(3, 2)]
    mine = batch.acquire_user_meta()
    mine.set_user_data_json('{"a": 1}', 9000)
    batch.append(mine)
    (got,) = list(batch.user_meta_items(9000))
    assert json.loads(got.get_user_data_json()) == {"a": 1}
    assert not got.as_tensor_output()
    assert not got.as_segmentation()
    assert list(batch.user_meta_items(9001)) == []


def test_detections_are_copies_of_the_columns(batch: BatchMetadata) -> None:
    found = batch.frames[0].detections
    assert found.xyxy.tolist()[0] == [0, 0, 10, 20]
    assert found.class_id.tolist() == [0, 1, 0]
    assert found.track_id.tolist() == [-1, -1, -1]
    found.xyxy[:] = 0
    assert next(batch.frames[0].object_items).rect_params.width == 10
    tracked = Detections([[0, 0, 1, 1]], [1], [0], [5])
    batch.frames[1].add_detections(tracked)
    assert batch.frames[1].detections.track_id.tolist() == [5]


def test_masks_come_along(batch: BatchMetadata) -> None:
    masks = np.ones((1, 4, 5), np.float32)
    batch.frames[1].add_detections(Detections([[0, 0, 5, 4]], [1], [0], masks=masks))
    assert next(batch.frames[1].object_items).mask_params.mask_array.shape == (4, 5)
    assert next(batch.frames[0].object_items).mask_params.mask_array.size == 0


def test_selecting_a_frame_takes_its_objects_and_displays(batch: BatchMetadata) -> None:
    batch.frames[1].add_detections(Detections([[7, 7, 9, 9]], [1], [0]), ("car",))
    display = batch.acquire_display_meta()
    batch.frames[1].append(display)
    one = batch.select(1)
    assert (one.n_frames, one.frames[0].pad_index, one.frames[0].batch_id) == (1, 1, 0)
    assert [obj.rect_params.left for obj in one.frames[0].object_items] == [7]
    assert len(one.displays) == 1
    next(one.frames[0].object_items).label = "other"
    assert next(batch.frames[1].object_items).label == "car"


def test_a_batch_as_plain_data_is_json(batch: BatchMetadata) -> None:
    next(batch.frames[0].object_items).append(ClassifierMetadata(4, "colour", [Label("red")]))
    data = json.loads(json.dumps(batch.to_dict()))
    first = data["frames"][0]["objects"][0]
    assert first["label"] == "car"
    assert first["box"] == [0, 0, 10, 20]
    assert first["id"] is None
    assert first["classifiers"] == [["red"]]
    assert data["frames"][1]["objects"] == []


def test_the_drawn_text_is_derived_until_somebody_sets_it(batch: BatchMetadata) -> None:
    obj = next(batch.frames[0].object_items)
    assert obj.text_params.display_text == "car"
    obj.text_params.display_text = "mine"
    obj.label = "bus"
    assert next(batch.frames[0].object_items).text_params.display_text == "mine"


def test_a_fork_of_a_batch_leads_its_own_life(batch: BatchMetadata) -> None:
    batch.frames[0].append(UserMetadata(9000, "data"))
    whole = Batch(batch)
    copy = whole.fork()
    copy.meta.frames[0].user[0].data = "changed"
    copy.meta.frames[0].append(copy.meta.acquire_object_meta())
    copy.meta.acquire_display_meta()
    assert batch.frames[0].user[0].data == "data"
    assert (batch.frames[0].n_objects, copy.meta.frames[0].n_objects, batch.displays) == (3, 4, [])


def test_a_buffer_of_bytes_and_an_empty_one() -> None:
    assert not Buffer()
    assert (Buffer().batch_size, Buffer().batch_meta, Buffer(42).batch_size) == (0, None, 0)
    assert Buffer([1, 2, 3]).extract(0).shape == (3,)
    assert Buffer(b"").batch_size == 1
