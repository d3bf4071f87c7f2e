"""pyds, DeepStream's older Python bindings, over Headrace's metadata.

Every name of the contract (pyds.md) is here; programs import them from the module ``pyds``, see `headrace.compat`.
Members of enumerations are names of the module too.
"""
# ruff: noqa: F401
# isort: off
# fmt: off

from types import ModuleType
from typing import Any

from headrace.compat.pyds.analytics import (
    NvDsAnalyticsFrameMeta, NvDsAnalyticsObjInfo, nvds_get_user_meta_type,
)
from headrace.compat.pyds.attaching import (
    nvds_acquire_classifier_meta_from_pool, nvds_acquire_display_meta_from_pool,
    nvds_acquire_frame_meta_from_pool, nvds_acquire_label_info_meta_from_pool, nvds_acquire_meta_lock,
    nvds_acquire_obj_meta_from_pool, nvds_acquire_user_meta_from_pool, nvds_add_classifier_meta_to_object,
    nvds_add_display_meta_to_frame, nvds_add_frame_meta_to_batch, nvds_add_label_info_meta_to_classifier,
    nvds_add_obj_meta_to_frame, nvds_add_user_meta_to_batch, nvds_add_user_meta_to_frame,
    nvds_add_user_meta_to_obj, nvds_create_batch_meta, nvds_destroy_batch_meta,
    nvds_get_current_metadata_info, nvds_release_meta_lock, nvds_remove_classifier_meta_from_obj,
    nvds_remove_display_meta_from_frame, nvds_remove_frame_meta_from_batch,
    nvds_remove_label_info_meta_from_classifier, nvds_remove_obj_meta_from_frame,
    nvds_remove_user_meta_from_batch, nvds_remove_user_meta_from_frame, nvds_remove_user_meta_from_object,
)
from headrace.compat.pyds.base import NvDsBaseMeta
from headrace.compat.pyds.batch import NvDsBatchMeta, NvDsMetaPool, gst_buffer_get_nvds_batch_meta
from headrace.compat.pyds.buffers import (
    NvDsMeta, gst_buffer_add_nvds_meta, nvds_batch_meta_copy_func, nvds_batch_meta_release_func,
)
from headrace.compat.pyds.classifiers import NvDsClassifierMeta, NvDsLabelInfo
from headrace.compat.pyds.copying import (
    nvds_clear_batch_user_meta_list, nvds_clear_display_meta_list, nvds_clear_frame_meta_list,
    nvds_clear_frame_user_meta_list, nvds_clear_meta_list, nvds_clear_obj_meta_list,
    nvds_clear_obj_user_meta_list, nvds_copy_batch_user_meta_list, nvds_copy_display_meta_list,
    nvds_copy_frame_meta_list, nvds_copy_frame_user_meta_list, nvds_copy_obj_meta_list,
    nvds_get_nth_frame_meta,
)
from headrace.compat.pyds.display import NvDsDisplayMeta
from headrace.compat.pyds.encoder import (
    NvDsObjEncOutParams, NvDsObjEncUsrArgs, nvds_obj_enc_create_context, nvds_obj_enc_destroy_context,
    nvds_obj_enc_finish, nvds_obj_enc_process,
)
from headrace.compat.pyds.enums import (
    MEMBERS, ROI_STATUS_360D, GstNvDsMetaType, NvBufSurfaceColorFormat, NvBufSurfaceLayout,
    NvBufSurfaceMemMapFlags, NvBufSurfaceMemType, NvDsEventType, NvDsInferDataType, NvDsMetaType,
    NvDsObjectType, NvDsPayloadType, NvOSD_Arrow_Head_Direction, NvOSD_Mode,
)
from headrace.compat.pyds.events import (
    CustomDataStruct, NvDsCoordinate, NvDsEvent, NvDsEventMsgMeta, NvDsFaceObject, NvDsFaceObjectWithExt,
    NvDsGeoLocation, NvDsObjectSignature, NvDsPayload, NvDsPersonObject, NvDsPersonObjectExt, NvDsRect,
    NvDsVehicleObject, NvDsVehicleObjectExt, alloc_custom_struct, alloc_nvds_event,
    alloc_nvds_event_msg_meta, alloc_nvds_face_object, alloc_nvds_payload, alloc_nvds_person_object,
    alloc_nvds_vehicle_object, generate_ts_rfc3339,
)
from headrace.compat.pyds.frames import NvDsFrameMeta
from headrace.compat.pyds.inference import (
    NvDsInferAttribute, NvDsInferDims, NvDsInferDimsCHW, NvDsInferLayerInfo, NvDsInferNetworkInfo,
    NvDsInferObjectDetectionInfo, NvDsInferSegmentationMeta, NvDsInferTensorMeta, get_nvds_LayerInfo,
    get_segmentation_masks,
)
from headrace.compat.pyds.lists import GList
from headrace.compat.pyds.motion import NvDsOpticalFlowMeta, NvOFFlowVector, RectDim, get_optical_flow_vectors
from headrace.compat.pyds.objects import NvBbox_Coords, NvDsComp_BboxInfo, NvDsObjectMeta
from headrace.compat.pyds.osd import (
    NvOSD_ArrowParams, NvOSD_CircleParams, NvOSD_Color_info, NvOSD_ColorParams, NvOSD_FontParams,
    NvOSD_FrameArrowParams, NvOSD_FrameCircleParams, NvOSD_FrameLineParams, NvOSD_FrameRectParams,
    NvOSD_FrameTextParams, NvOSD_LineParams, NvOSD_MaskParams, NvOSD_RectParams, NvOSD_TextParams,
)
from headrace.compat.pyds.pointers import (
    alloc_buffer, alloc_char_buffer, free_buffer, free_gbuffer, get_detections, get_ptr, get_string,
    glist_get_nvds_batch_meta, glist_get_nvds_classifier_meta, glist_get_nvds_display_meta,
    glist_get_nvds_event_msg_meta, glist_get_nvds_frame_meta, glist_get_nvds_label_info,
    glist_get_nvds_object_meta, glist_get_nvds_person_object, glist_get_nvds_Surface_Params,
    glist_get_nvds_tensor_meta, glist_get_nvds_user_meta, glist_get_nvds_vehicle_object, memdup, strdup,
    strdup2str,
)
from headrace.compat.pyds.streams import (
    configure_source_for_ntp_sync, gst_element_send_nvevent_interval_update,
    gst_element_send_nvevent_new_stream_reset, nvds_measure_buffer_latency,
)
from headrace.compat.pyds.surfaces import (
    SURFACE_FUNCTIONS, NvBufSurface, NvBufSurfaceCreateParams, NvBufSurfaceMappedAddr, NvBufSurfaceParams,
    NvBufSurfacePlaneParams, get_nvds_buf_surface, get_nvds_buf_surface_gpu, unmap_nvds_buf_surface,
)
from headrace.compat.pyds.tracker import (
    NvDsObjReid, NvDsTargetMiscDataBatch, NvDsTargetMiscDataFrame, NvDsTargetMiscDataObject,
    NvDsTargetMiscDataStream,
)
from headrace.compat.pyds.user import (
    NvDsUserMeta, register_user_copyfunc, register_user_releasefunc, set_user_copyfunc,
    set_user_releasefunc, unset_callback_funcs, user_copyfunc, user_releasefunc,
)

# fmt: on

#: Version of the bindings that the names and values follow.
__version__ = "1.2.0"

globals().update(MEMBERS)
globals().update(SURFACE_FUNCTIONS)
del MEMBERS, SURFACE_FUNCTIONS

__all__ = [
    name
    for name, value in list(globals().items())
    if not (name.startswith("_") or isinstance(value, ModuleType) or name in ("Any", "ModuleType"))
]


def __getattr__(name: str) -> Any:  # for type checkers: members of enumerations are names too
    raise AttributeError(f"module 'pyds' has no attribute {name!r}")
