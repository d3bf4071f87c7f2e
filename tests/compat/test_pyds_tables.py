"""pyds without a pipeline: handles, lists, enumerations, strings, pools."""

import ctypes
import gc
import sys

import numpy as np
import pytest

from headrace.compat import pyds
from headrace.compat.pyds import memory
from headrace.compat.pyds.columns import Columns
from headrace.meta import BatchMetadata, Detections, Segmentation, TensorOutput, UserMetadata
from headrace.meta.analytics import AnalyticsFrameMeta, AnalyticsObjInfo
from headrace.meta.tracking import TargetBatch, TargetFrame, TargetObject, TargetStream


def nodes(node):
    while node is not None:
        try:
            yield node.data
            node = node.next
        except StopIteration:
            break


@pytest.fixture
def batch():
    meta = BatchMetadata.new(2)
    found = Detections([[10, 20, 50, 80], [5, 5, 9, 9], [1, 2, 3, 4]], [0.5, 0.75, 0.25], [2, 0, 1])
    meta.frames[0].add_detections(found, labels=("car", "bag", "person"))
    return pyds.NvDsBatchMeta(Columns(meta))


@pytest.fixture
def frame(batch):
    return pyds.NvDsFrameMeta.cast(batch.frame_meta_list.data)


def test_walk(batch):
    frames = [pyds.NvDsFrameMeta.cast(data) for data in nodes(batch.frame_meta_list)]
    assert [f.num_obj_meta for f in frames] == [3, 0]
    assert frames[1].obj_meta_list is None
    assert batch.batch_user_meta_list is None
    objects = [pyds.NvDsObjectMeta.cast(data) for data in nodes(frames[0].obj_meta_list)]
    assert [o.class_id for o in objects] == [2, 0, 1]
    assert [o.obj_label for o in objects] == ["person", "car", "bag"]
    assert objects[0].object_id == 0xFFFFFFFFFFFFFFFF
    assert frames[0].obj_meta_list.next.prev.prev is None


def test_fields_are_live(batch, frame):
    first = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data)
    rect = first.rect_params
    rect.left, first.class_id, first.obj_label, first.object_id = 3.5, -1, "x", 7
    rect.border_color.set(0.0, 0.25, 0.5, 1.0)
    rect.has_bg_color, rect.border_width = 1, 4
    again = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data)
    assert (again.rect_params.left, again.class_id, again.obj_label, again.object_id) == (3.5, -1, "x", 7)
    color = again.rect_params.border_color
    assert (color.red, color.green, color.blue, color.alpha) == (0.0, 0.25, 0.5, 1.0)
    assert again.rect_params.border_width == 4
    assert again.detector_bbox_info.org_bbox_coords.width == 40


def test_handles_survive_growing_tables(batch, frame):
    first = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data)
    for _ in range(200):
        added = pyds.nvds_acquire_obj_meta_from_pool(batch)
        pyds.nvds_add_obj_meta_to_frame(frame, added, first)
    first.class_id = 77
    assert frame.num_obj_meta == 203
    assert pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data).class_id == 77
    assert added.parent.class_id == 77


def test_objects_are_removed(frame):
    second = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.next.data)
    pyds.nvds_remove_obj_meta_from_frame(frame, second)
    assert frame.num_obj_meta == 2
    with pytest.raises(ValueError, match="not in this frame"):
        pyds.nvds_remove_obj_meta_from_frame(frame, second)
    pyds.nvds_clear_obj_meta_list(frame, frame.obj_meta_list)
    assert frame.obj_meta_list is None


def test_frames_are_copied(batch, frame):
    user = pyds.nvds_acquire_user_meta_from_pool(batch)
    pyds.nvds_add_user_meta_to_frame(frame, user)
    other = pyds.nvds_create_batch_meta(4)
    pyds.nvds_copy_frame_meta_list(batch.frame_meta_list, other)
    copy = pyds.nvds_get_nth_frame_meta(other.frame_meta_list, 0)
    assert (other.num_frames_in_batch, copy.num_obj_meta) == (2, 3)
    assert copy.frame_user_meta_list is not None
    pyds.NvDsObjectMeta.cast(copy.obj_meta_list.data).class_id = 9
    assert pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data).class_id == 2


def test_frames_come_from_the_pool(batch):
    added = pyds.nvds_acquire_frame_meta_from_pool(batch)
    pyds.nvds_add_frame_meta_to_batch(batch, added)
    thing = pyds.nvds_acquire_obj_meta_from_pool(batch)
    pyds.nvds_add_obj_meta_to_frame(added, thing, None)
    assert (batch.num_frames_in_batch, added.num_obj_meta, added.batch_id) == (3, 1, 2)
    pyds.nvds_remove_frame_meta_from_batch(batch, added)
    assert batch.num_frames_in_batch == 2


def test_classifiers(batch, frame):
    thing = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data)
    meta = pyds.nvds_acquire_classifier_meta_from_pool(batch)
    meta.unique_component_id = 4
    label = pyds.nvds_acquire_label_info_meta_from_pool(batch)
    label.result_label, label.result_prob, label.result_class_id = "red", 0.5, 3
    pyds.nvds_add_label_info_meta_to_classifier(meta, label)
    pyds.nvds_add_classifier_meta_to_object(thing, meta)
    seen = pyds.NvDsClassifierMeta.cast(thing.classifier_meta_list.data)
    info = pyds.NvDsLabelInfo.cast(seen.label_info_list.data)
    assert (seen.num_labels, info.result_label, pyds.get_string(info.pResult_label)) == (1, "red", "red")
    pyds.nvds_remove_classifier_meta_from_obj(thing, meta)
    assert thing.classifier_meta_list is None


@pytest.mark.parametrize("order", ["count first", "fill first"])
def test_display_meta(batch, frame, order):
    display = pyds.nvds_acquire_display_meta_from_pool(batch)
    if order == "count first":
        display.num_labels = 2
    text = display.text_params[1]
    text.display_text, text.x_offset, text.font_params.font_name = "Frame=1", 10, "Serif"
    text.font_params.font_color.set(1.0, 1.0, 1.0, 1.0)
    text.set_bg_clr = 1
    text.text_bg_clr.set(0.0, 0.0, 0.0, 1.0)
    if order == "fill first":
        display.num_labels = 2
    pyds.nvds_add_display_meta_to_frame(frame, display)
    assert len(display.text_params) == 16
    seen = pyds.NvDsDisplayMeta.cast(frame.display_meta_list.data).text_params[1]
    assert pyds.get_string(seen.display_text) == "Frame=1"
    assert pyds.get_string(seen.font_params.font_name) == "Serif"
    assert seen.font_params.font_color.red == 1.0
    drawn = batch._c.meta.displays[0].texts
    assert [t.display_text for t in drawn] == ["", "Frame=1"]
    display.num_labels = 1
    assert len(drawn) == 1


def test_texts_do_not_pile_up(frame):
    text = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data).text_params
    before = len(memory._known)
    for number in range(100_000):
        text.display_text = f"Frame {number}"
        assert text.display_text
    assert pyds.get_string(text.display_text) == "Frame 99999"
    assert len(memory._known) <= before + 1
    assert not memory._allocated.keys() & {text.display_text}


def test_addresses_are_real_and_checked(frame):
    text = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data).text_params
    text.display_text = "grüße"
    address = text.display_text
    assert ctypes.string_at(address).decode() == "grüße"
    text.display_text = "other"
    gc.collect()
    with pytest.raises(ValueError, match="nothing lives"):
        pyds.get_string(address)
    assert pyds.get_string(0) is None
    with pytest.raises(ValueError, match="nothing lives"):
        pyds.get_string(12345)


def test_cast_takes_handles_addresses_and_capsules(frame):
    thing = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data)
    assert pyds.NvDsObjectMeta.cast(pyds.get_ptr(thing)) is thing
    assert pyds.glist_get_nvds_object_meta(frame.obj_meta_list.data).class_id == 2
    with pytest.raises(TypeError, match="no NvDsUserMeta"):
        pyds.NvDsUserMeta.cast(thing)
    with pytest.raises(TypeError, match="None is no"):
        pyds.NvDsFrameMeta.cast(None)
    with pytest.raises(ValueError, match="nothing lives"):
        pyds.NvDsFrameMeta.cast(987654321)
    with pytest.raises(TypeError, match="expected NvDsFrameMeta"):
        pyds.nvds_add_obj_meta_to_frame(thing, thing, None)


@pytest.mark.parametrize("address", [0, 1, 8, 4096, 0x7FFFFFFFFFF8, 2**64 - 8, id(object)])
def test_wrong_buffers_are_refused(address):
    with pytest.raises(ValueError, match="no GstBuffer"):
        pyds.gst_buffer_get_nvds_batch_meta(address)


def test_handles_keep_their_batch():
    def make():
        meta = BatchMetadata.new(1)
        meta.frames[0].add_detections(Detections([[1, 2, 3, 4]], [0.5], [3]))
        return pyds.NvDsFrameMeta(Columns(meta), meta.frames[0]).obj_meta_list

    node = make()
    gc.collect()
    assert pyds.NvDsObjectMeta.cast(node.data).class_id == 3


def test_enumerations():
    assert pyds.NvDsMetaType.NVDS_EVENT_MSG_META == 9 == int(pyds.NVDS_EVENT_MSG_META)
    assert pyds.NVBUF_MEM_CUDA_UNIFIED == 3
    assert pyds.NVDS_OBJECT_TYPE_UNKNOWN == 0x102
    assert pyds.NvBufSurfaceColorFormat.NVBUF_COLOR_FORMAT_RGBA == 19
    assert pyds.NvDsMetaType(9000) == 9000


def test_enumerated_fields_take_no_integers(batch):
    user = pyds.nvds_acquire_user_meta_from_pool(batch)
    with pytest.raises(TypeError, match="NvDsMetaType"):
        user.base_meta.meta_type = 9
    user.base_meta.meta_type = pyds.NvDsMetaType(pyds.nvds_get_user_meta_type("MY.META"))
    assert user.base_meta.meta_type == pyds.nvds_get_user_meta_type("MY.META") >= 8193
    with pytest.raises(TypeError, match="NvDsObjectType"):
        pyds.NvDsEventMsgMeta().objType = pyds.NvDsEventType.NVDS_EVENT_EXIT


@pytest.mark.parametrize(
    ("field", "value"),
    [("x_offset", 1.5), ("x_offset", -1), ("display_text", 5), ("set_bg_clr", "yes")],
)
def test_wrong_values_are_refused(field, value):
    with pytest.raises(TypeError):
        setattr(pyds.NvOSD_TextParams(), field, value)


@pytest.mark.parametrize(("value", "kind"), [("x", TypeError), (None, TypeError), (2**40, ValueError)])
def test_columns_say_what_they_take(batch, frame, value, kind):
    one = pyds.nvds_acquire_obj_meta_from_pool(batch)
    pyds.nvds_add_obj_meta_to_frame(frame, one, None)
    with pytest.raises(kind, match="class_id takes a number in its range, not"):
        one.class_id = value
    assert one.class_id == 0


def test_analytics_types(frame):
    frame._p.append(UserMetadata(32, AnalyticsFrameMeta(obj_in_roi_cnt={"gate": 2})))
    user = pyds.NvDsUserMeta.cast(frame.frame_user_meta_list.data)
    assert user.base_meta.meta_type == pyds.nvds_get_user_meta_type("NVIDIA.DSANALYTICSFRAME.USER_META")
    assert pyds.NvDsAnalyticsFrameMeta.cast(user.user_meta_data).objInROIcnt == {"gate": 2}
    thing = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data)
    thing._object.append(UserMetadata(33, AnalyticsObjInfo(roi_status=["gate"])))
    user = pyds.NvDsUserMeta.cast(thing.obj_user_meta_list.data)
    assert user.base_meta.meta_type == pyds.nvds_get_user_meta_type("NVIDIA.DSANALYTICSOBJ.USER_META")
    assert pyds.NvDsAnalyticsObjInfo.cast(user.user_meta_data).roiStatus == ["gate"]


def test_past_frames(batch):
    seen = TargetFrame(7, (1.0, 2.0, 3.0, 4.0), 0.5, 2)
    past = TargetBatch([TargetStream(3, 5, [TargetObject(41, 2, "person", [seen])])])
    batch._c.meta.append(UserMetadata(15, past))
    user = pyds.NvDsUserMeta.cast(batch.batch_user_meta_list.data)
    assert user.base_meta.meta_type == pyds.NvDsMetaType.NVDS_TRACKER_PAST_FRAME_META
    data = pyds.NvDsTargetMiscDataBatch.cast(user.user_meta_data)
    found = [
        (
            s.streamID,
            s.surfaceStreamID,
            o.uniqueId,
            o.objLabel,
            f.frameNum,
            f.tBbox.height,
            f.confidence,
            f.age,
        )
        for s in pyds.NvDsTargetMiscDataBatch.list(data)
        for o in pyds.NvDsTargetMiscDataStream.list(s)
        for f in pyds.NvDsTargetMiscDataObject.list(o)
    ]
    assert found == [(3, 5, 41, "person", 7, 4.0, 0.5, 2)]


def test_tensors(frame):
    scores = np.arange(24, dtype=np.float32).reshape(2, 3, 4).transpose(1, 0, 2)
    frame._p.append(UserMetadata(12, TensorOutput(1, {"scores": scores, "ids": np.arange(3)})))
    user = pyds.NvDsUserMeta.cast(frame.frame_user_meta_list.data)
    tensors = pyds.NvDsInferTensorMeta.cast(user.user_meta_data)
    layer = pyds.get_nvds_LayerInfo(tensors, 0)
    address = pyds.get_ptr(layer.buffer)
    floats = ctypes.cast(address, ctypes.POINTER(ctypes.c_float))
    flat = np.ctypeslib.as_array(floats, shape=tuple(layer.inferDims.d[: layer.inferDims.numDims]))
    np.testing.assert_array_equal(flat, scores)
    assert (tensors.num_output_layers, layer.layerName, layer.inferDims.numElements) == (2, "scores", 24)
    del layer, floats, flat
    again = pyds.get_ptr(pyds.get_nvds_LayerInfo(tensors, 0).buffer)
    gc.collect()
    assert again == address
    assert pyds.get_detections(address, 4) == 12.0
    assert pyds.get_detections(pyds.get_nvds_LayerInfo(tensors, 0).buffer, 4) == 12.0
    with pytest.raises(IndexError):
        pyds.get_detections(address, 24)
    ids = tensors.output_layers_info(1)
    assert ids.dataType == pyds.NvDsInferDataType.INT32
    with pytest.raises(IndexError):
        tensors.output_layers_info(2)


def test_segmentation(frame):
    frame._p.append(UserMetadata(13, Segmentation(1, np.array([[0, 1, -1]], np.int64))))
    user = pyds.NvDsUserMeta.cast(frame.frame_user_meta_list.data)
    assert user.base_meta.meta_type == pyds.NVDSINFER_SEGMENTATION_META
    meta = pyds.NvDsInferSegmentationMeta.cast(user.user_meta_data)
    assert pyds.get_segmentation_masks(meta).tolist() == [[0, 1, -1]]
    assert (meta.width, meta.height) == (3, 1)


def test_masks(frame):
    mask = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data).mask_params
    assert mask.size == 0
    assert mask.get_mask_array().size == 0
    mask.width, mask.height, mask.threshold = 4, 3, 0.5
    mask.alloc_mask_array()[5] = 0.75
    again = pyds.NvDsObjectMeta.cast(frame.obj_meta_list.data).mask_params
    assert again.get_mask_array().reshape(3, 4)[1, 1] == 0.75
    assert again.size == 48


def test_spare_numbers(batch, frame):
    frame.misc_frame_info[2] = 5
    batch.reserved = [1, 2, 3, 4]
    again = pyds.NvDsFrameMeta.cast(batch.frame_meta_list.data)
    assert again.misc_frame_info.tolist() == [0, 0, 5, 0]
    assert batch.reserved.tolist() == [1, 2, 3, 4]


def test_memory():
    buffer = pyds.alloc_buffer(33)
    pyds.generate_ts_rfc3339(buffer, 33)
    stamp = pyds.get_string(buffer)
    assert len(stamp) == 24
    assert stamp.endswith("Z")
    copy, twin = pyds.memdup(buffer, 33), pyds.strdup(buffer)
    pyds.free_buffer(buffer)
    assert pyds.get_string(copy) == stamp == pyds.strdup2str(twin)
    pyds.free_buffer(buffer)
    with pytest.raises(ValueError, match="no buffer of 99 bytes"):
        pyds.generate_ts_rfc3339(copy, 99)


def test_events_become_messages(batch):
    user = pyds.nvds_acquire_user_meta_from_pool(batch)
    event = pyds.alloc_nvds_event_msg_meta(user)
    event.bbox.left, event.frameId, event.trackingId, event.confidence = 4, 30, 11, 0.5
    event.ts = pyds.alloc_buffer(33)
    pyds.generate_ts_rfc3339(event.ts, 33)
    event.type, event.objType = (
        pyds.NvDsEventType.NVDS_EVENT_MOVING,
        pyds.NvDsObjectType.NVDS_OBJECT_TYPE_VEHICLE,
    )
    event.sensorStr = "gate"
    car = pyds.NvDsVehicleObject.cast(pyds.alloc_nvds_vehicle_object())
    car.type, car.color = "sedan", "blue"
    event.extMsg, event.extMsgSize = car, sys.getsizeof(pyds.NvDsVehicleObject)
    user.user_meta_data = event
    user.base_meta.meta_type = pyds.NvDsMetaType.NVDS_EVENT_MSG_META
    stored = pyds.NvDsEventMsgMeta.cast(user.user_meta_data)
    message = stored.event_message()
    assert (message.bbox.left, message.tracking_id, message.sensor_str) == (4, 11, "gate")
    assert (message.extension.type, message.extension.color, message.extension.make) == ("sedan", "blue", "")
    assert message.ts == pyds.get_string(event.ts) != ""
    twin = pyds.NvDsEventMsgMeta.cast(pyds.memdup(pyds.get_ptr(event), sys.getsizeof(pyds.NvDsEventMsgMeta)))
    twin.trackingId = 12
    assert event.trackingId == 11
    assert twin.event_message().ts == message.ts


def test_user_functions_copy_and_release(batch, frame):
    told = []

    def copied(data, _user_data):
        meta = pyds.NvDsUserMeta.cast(data)
        told.append("copy")
        source = pyds.CustomDataStruct.cast(meta.user_meta_data)
        twin = pyds.CustomDataStruct()
        twin.structId = source.structId + 1
        return twin

    def released(data, _user_data):
        told.append(pyds.CustomDataStruct.cast(pyds.NvDsUserMeta.cast(data).user_meta_data).structId)

    user = pyds.nvds_acquire_user_meta_from_pool(batch)
    custom = pyds.alloc_custom_struct(user)
    custom.structId, custom.message = 1, "hello"
    user.user_meta_data = custom
    pyds.user_copyfunc(user, copied)
    pyds.user_releasefunc(user, released)
    pyds.nvds_add_user_meta_to_frame(frame, user)
    fork = batch._c.meta.fork()
    assert told == ["copy"]
    del fork
    gc.collect()
    assert told == ["copy", 2]
    pyds.unset_callback_funcs()


def test_failing_user_functions_do_no_harm(batch, frame, caplog):
    user = pyds.nvds_acquire_user_meta_from_pool(batch)
    pyds.user_copyfunc(user, lambda data, _: 1 / 0)
    pyds.nvds_add_user_meta_to_frame(frame, user)
    assert batch._c.meta.fork().frames[0].user[0].data is None
    assert "user_copyfunc failed" in caplog.text
    pyds.unset_callback_funcs()


def test_surfaces_that_do_not_exist():
    with pytest.raises(RuntimeError, match="not NvBufSurfaces"):
        pyds.NvBufSurfaceCreate(1, 2, 3)
    with pytest.raises(AttributeError, match="read only"):
        pyds.NvBufSurfaceParams().width = 3


def test_every_class_has_cast_and_constructor():
    kinds = [value for name in pyds.__all__ if isinstance(value := getattr(pyds, name), type)]
    handles = [kind for kind in kinds if hasattr(kind, "cast")]
    assert len(handles) > 60
    for kind in handles:
        one = kind()
        assert kind.cast(one) is one
