"""The fields that nvinferserver's configuration knows, to warn about others (contract: configs §2)."""

from __future__ import annotations

from typing import Any

from headrace.infer.nvinfer.keys import nearest, warn_once
from headrace.infer.nvinfer.prototext import Message


def _scalars(names: str, **messages: Any) -> dict[str, Any]:
    return {**dict.fromkeys(names.split()), **messages}


_ANY: dict[str, Any] = {}
_BOX = _scalars("min_width min_height max_width max_height")
_COLOR = _scalars("r g b a")
_FILTER = _scalars("roi_top_offset roi_bottom_offset", bbox_filter=_BOX, border_color=_COLOR, bg_color=_COLOR)
_TRITON = _scalars(
    "model_name version",
    class_params=_scalars("topk threshold tensor_name"),
    grpc=_scalars("url enable_cuda_buffer_sharing"),
    model_repo=_scalars(
        "root log_level strict_model_config tf_gpu_memory_fraction tf_disable_soft_placement min_compute_capacity "
        "backend_dir model_control_mode pinned_memory_pool_byte_size",
        cuda_device_memory=_ANY,
        backend_configs=_ANY,
    ),
)
_DETECTION = _scalars(
    "num_detected_classes custom_parse_bbox_func",
    per_class_params={"key": None, "value": _scalars("pre_threshold")},
    nms=_scalars("confidence_threshold iou_threshold topk"),
    dbscan=_scalars("pre_threshold eps min_boxes min_score"),
    group_rectangle=_scalars("confidence_threshold group_threshold eps"),
    simple_cluster=_scalars("threshold"),
)
#: Field to its message's fields; ``None`` for scalars, empty where any field may stand.
SCHEMA: dict[str, Any] = {
    "infer_config": _scalars(
        "unique_id gpu_ids max_batch_size clip_object_outside_roi",
        backend=_scalars(
            "output_mem_type disable_warmup",
            inputs=_scalars("name dims data_type"),
            outputs=_scalars("name max_buffer_bytes"),
            triton=_TRITON,
            trt_is=_TRITON,
        ),
        preprocess=_scalars(
            "network_format tensor_order tensor_name maintain_aspect_ratio symmetric_padding frame_scaling_hw "
            "frame_scaling_filter",
            normalize=_scalars("scale_factor channel_offsets mean_file"),
        ),
        input_tensor_from_meta=_scalars("is_first_dim_batch"),
        postprocess=_scalars(
            "labelfile_path",
            detection=_DETECTION,
            classification=_scalars("threshold custom_parse_classifier_func"),
            triton_classification=_scalars("topk threshold tensor_name"),
            segmentation=_scalars("threshold num_segmentation_classes custom_parse_segmentation_func"),
            other=_scalars("type_name"),
        ),
        custom_lib=_scalars("path"),
        extra=_ANY,
        lstm=_ANY,
    ),
    "input_control": _scalars(
        "process_mode operate_on_gie_id operate_on_class_ids interval secondary_reinfer_interval async_mode",
        object_control={"bbox_filter": _BOX},
    ),
    "output_control": _scalars(
        "output_tensor_meta classifier_type",
        detect_control=_scalars(
            "filter_out_class_ids",
            default_filter=_FILTER,
            specific_class_filters={"key": None, "value": _FILTER},
        ),
    ),
}


def warn_unknown(message: Message, known: dict[str, Any] = SCHEMA) -> None:
    """Warn, once for each place, about fields that mean nothing here."""
    for name, values in message.fields.items():
        if name not in known:
            warn_once(f"{message.place} has an unknown field {name}{nearest(name, known)}")
            continue
        for value in values:
            if isinstance(value, Message) and known[name]:
                warn_unknown(value, known[name])
