"""User metas: numbers, casts, JSON, and the metas that have a class of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headrace.meta import (
    AnalyticsFrameMeta,
    AnalyticsObjInfo,
    BatchMetadata,
    MetaType,
    ObjectReidUserMetadata,
    PreprocessBatchUserMetadata,
    Segmentation,
    TensorOutput,
    UserMetadata,
)

CASTS = (
    "as_tensor_output", "as_segmentation", "as_preprocess_batch", "as_nvdsanalytics_frame", "as_nvdsanalytics_obj",
    "as_obj_reid", "as_structure_str",
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("USER", 7), ("EVENT_MSG", 9), ("TENSOR_OUTPUT", 12), ("SEGMENTATION", 13), ("CROP_IMAGE", 14),
        ("TRACKER_PAST_FRAME", 15), ("TRACKER_OBJ_REID", 17), ("TRACKER_TERMINATED_LIST", 18),
        ("TRACKER_SHADOW_LIST", 19), ("OBJ_VISIBILITY", 20), ("OBJ_IMAGE_FOOT_LOCATION", 21), ("PREPROCESS_BATCH", 28),
        ("ROI", 30), ("FRAME_ANALYTICS", 32), ("OBJ_ANALYTICS", 33), ("START_USER", 8193),
    ],
)  # fmt: skip
def test_numbers_are_those_of_the_contract(name: str, number: int) -> None:
    assert getattr(MetaType, name) == number


@pytest.mark.parametrize(
    ("meta", "cast"),
    [
        (UserMetadata(MetaType.TENSOR_OUTPUT, TensorOutput(1, {})), "as_tensor_output"),
        (UserMetadata(MetaType.SEGMENTATION, Segmentation(1, np.zeros((2, 2), np.int32))), "as_segmentation"),
        (UserMetadata(MetaType.FRAME_ANALYTICS, AnalyticsFrameMeta()), "as_nvdsanalytics_frame"),
        (UserMetadata(MetaType.OBJ_ANALYTICS, AnalyticsObjInfo()), "as_nvdsanalytics_obj"),
        (PreprocessBatchUserMetadata(), "as_preprocess_batch"),
        (ObjectReidUserMetadata([1.0]), "as_obj_reid"),
        (UserMetadata(9000, "camera, id=(int)3;"), "as_structure_str"),
        (UserMetadata(9000, {"any": "thing"}), ""),
    ],
)
def test_only_the_right_cast_is_true(meta: UserMetadata, cast: str) -> None:
    assert [name for name in CASTS if getattr(meta, name)()] == ([cast] if cast else [])
    assert meta


@pytest.mark.parametrize("data", ["text", '{"a": 1}', {"a": [1, None, 2.5]}, 3, [], None])
def test_json_data_comes_back_as_a_copy(data: Any) -> None:
    meta = BatchMetadata.new(1).acquire_user_meta()
    meta.set_user_data_json(data, 9001)
    assert (meta.get_user_data_json(), meta.meta_type) == (data, 9001)
    if isinstance(data, dict):
        meta.get_user_data_json()["a"].append("more")
        data["a"].append("later")
        assert meta.get_user_data_json() == {"a": [1, None, 2.5]}


def test_data_that_json_cannot_express_is_refused_or_nothing() -> None:
    with pytest.raises(TypeError):
        UserMetadata().set_user_data_json(object(), 9001)
    assert UserMetadata(9001, object()).get_user_data_json() is None


def test_a_reid_vector_is_copied_and_found_on_its_object() -> None:
    batch = BatchMetadata.new(1)
    obj, meta = batch.acquire_object_meta(), batch.acquire_obj_reid_meta()
    assert (meta.feature_size, meta.feature_vector.shape, meta.meta_type) == (0, (0,), 17)
    features = np.arange(4.0)
    meta.set_feature_vector(features)
    features[:] = 0
    obj.append(meta)
    (found,) = obj.obj_reid_items
    reid = found.as_obj_reid()
    assert isinstance(reid, ObjectReidUserMetadata)
    assert (reid.feature_size, reid.feature_vector.tolist()) == (4, [0, 1, 2, 3])
    with pytest.raises(RuntimeError, match=r"\(2, 2\)"):
        meta.set_feature_vector(np.zeros((2, 2)))


def test_analytics_are_listed_apart_from_other_metas() -> None:
    batch = BatchMetadata.new(1)
    frame, obj = batch.frames[0], batch.acquire_object_meta()
    frame.append(obj)
    frame.append(
        UserMetadata(MetaType.FRAME_ANALYTICS, AnalyticsFrameMeta(obj_cnt={2: 3}, oc_status={"hall": True}))
    )
    obj.append(
        UserMetadata(MetaType.OBJ_ANALYTICS, AnalyticsObjInfo(roi_status=["gate"], dir_status="north"))
    )
    for meta in (frame, obj):
        meta.append(UserMetadata(9000, "other"))
    (of_frame,), (of_obj,) = frame.nvdsanalytics_frame_items, obj.nvdsanalytics_obj_items
    assert of_frame.as_nvdsanalytics_frame().obj_cnt == {2: 3}
    assert of_frame.as_nvdsanalytics_frame().oc_status["hall"] is True
    assert of_obj.as_nvdsanalytics_obj().roi_status == ["gate"]
    assert of_obj.as_nvdsanalytics_obj().dir_status == "north"


def test_a_structure_is_found_by_its_name() -> None:
    batch = BatchMetadata.new(1)
    for holder in (batch, batch.frames[0]):
        holder.append(UserMetadata(9000, {"camera": 1}))
        holder.append(UserMetadata(9000, "lens, zoom=(int)2;"))
        holder.append(UserMetadata(9000, "camera;"))
        assert holder.retrieve_structure_usermeta("lens") == "lens, zoom=(int)2;"
        assert holder.retrieve_structure_usermeta("camera") == "camera;"
        assert holder.retrieve_structure_usermeta("zoom") == ""


@pytest.mark.parametrize(
    ("accessor", "holder"),
    [
        ("tensor_items", "frame"), ("segmentation_items", "frame"), ("nvdsanalytics_frame_items", "frame"),
        ("object_items", "frame"), ("tensor_items", "obj"), ("nvdsanalytics_obj_items", "obj"),
        ("obj_reid_items", "obj"), ("classifier_items", "obj"), ("frame_items", "batch"),
        ("audio_frame_items", "batch"), ("preprocess_batch_items", "batch"),
    ],
)  # fmt: skip
def test_every_access_gives_a_new_iterator(accessor: str, holder: str) -> None:
    batch = BatchMetadata.new(1)
    things = {"batch": batch, "frame": batch.frames[0], "obj": batch.acquire_object_meta()}
    first, second = (getattr(things[holder], accessor) for _ in range(2))
    assert iter(first) is first
    assert first is not second
    with pytest.raises(TypeError):
        len(first)
    with pytest.raises(TypeError):
        first[0]
