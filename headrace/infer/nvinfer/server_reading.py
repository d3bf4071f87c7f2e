"""From nvinferserver's configuration, a protocol-buffers text, to the settings of nvinfer (contract: configs §2)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.errors import ConfigError
from headrace.infer.nvinfer.config import CLASSIFIER, DETECTOR, OTHER, SEMANTIC, NvInferConfig
from headrace.infer.nvinfer.keys import warn_once
from headrace.infer.nvinfer.model_repository import locate_model
from headrace.infer.nvinfer.prototext import Message, parse_prototext
from headrace.infer.nvinfer.server_classes import CLUSTERINGS, class_attributes
from headrace.infer.nvinfer.server_schema import warn_unknown
from headrace.paths import resolve

_FORMATS = {"IMAGE_FORMAT_RGB": 0, "IMAGE_FORMAT_BGR": 1, "IMAGE_FORMAT_GRAY": 2, "MEDIA_FORMAT_NONE": 0,
            "IMAGE_FORMAT_NONE": 0}  # fmt: skip
_ORDERS = {"TENSOR_ORDER_NONE": 0, "TENSOR_ORDER_LINEAR": 0, "TENSOR_ORDER_NHWC": 1}
_MODES = {"PROCESS_MODE_DEFAULT": 1, "PROCESS_MODE_FULL_FRAME": 1, "PROCESS_MODE_CLIP_OBJECTS": 2}

_PREPROCESS = "infer_config.preprocess"
_POSTPROCESS = "infer_config.postprocess"
#: What fields of the settings are called in these files, for messages.
NAMES = {
    "gie_unique_id": "infer_config.unique_id",
    "batch_size": "infer_config.max_batch_size",
    "onnx_file": "infer_config.backend.triton",
    "infer_dims": "infer_config.backend.inputs.dims",
    "output_blob_names": "infer_config.backend.outputs.name",
    "model_color_format": f"{_PREPROCESS}.network_format",
    "offsets": f"{_PREPROCESS}.normalize.channel_offsets",
    "mean_file": f"{_PREPROCESS}.normalize.mean_file",
    "labelfile_path": f"{_POSTPROCESS}.labelfile_path",
    "network_type": _POSTPROCESS,
    "num_detected_classes": f"{_POSTPROCESS}.detection.num_detected_classes",
    "cluster_mode": f"{_POSTPROCESS}.detection",
    "parse_bbox_func_name": f"{_POSTPROCESS}.detection.custom_parse_bbox_func",
    "parse_classifier_func_name": f"{_POSTPROCESS}.classification.custom_parse_classifier_func",
    "parse_segmentation_func_name": f"{_POSTPROCESS}.segmentation.custom_parse_segmentation_func",
}


def read_server_config(path: str | os.PathLike[str]) -> NvInferConfig:
    """Read a configuration of nvinferserver; the model is an ONNX file in a repository, or one on a server.

    Args:
        path: The file. Paths in it start from its own folder.

    Raises:
        ConfigError: The file cannot be read, a value cannot be used, or the model is not in the
            repository; names file and field.
    """
    place = resolve(path)
    try:
        text = place.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"nvinferserver configuration {place} cannot be read: {error}") from error
    root = parse_prototext(text, place)
    if "infer_config" not in root.fields:
        raise ConfigError(
            f"{place} has no infer_config; write infer_config {{ backend {{ triton {{ ... }} }} }}"
        )
    warn_unknown(root)
    infer = root.child("infer_config")
    values = {
        **_model(infer, place.parent),
        **_input(infer, place.parent),
        **_control(root),
        **_results(infer, root.child("output_control"), place.parent),
    }
    config = NvInferConfig(path=place, names=NAMES, given=frozenset(values), **values)
    attributes = class_attributes(
        infer.child("postprocess").child("detection"), root.child("output_control"), config
    )
    return config.with_values(attributes=attributes)


def _triton(infer: Message) -> Message:
    backend = infer.child("backend")
    return backend.child("triton" if "triton" in backend.fields else "trt_is")


def _model(infer: Message, folder: Path) -> dict[str, Any]:
    backend, triton = infer.child("backend"), _triton(infer)
    values: dict[str, Any] = {
        "gie_unique_id": infer.number("unique_id", 0),
        "batch_size": max(infer.number("max_batch_size", 1), 1),
        "output_blob_names": tuple(one.text("name") for one in backend.children("outputs")),
        "onnx_file": locate_model(triton, folder),
        "input_tensor_from_meta": "input_tensor_from_meta" in infer.fields,
    }
    dims = backend.child("inputs").numbers("dims")
    if len(dims) == 3:
        order = infer.child("preprocess").choice("tensor_order", _ORDERS)
        values["infer_dims"] = dims if order == 0 else (dims[2], *dims[:2])
    library = infer.child("custom_lib").text("path")
    if library:
        values["custom_lib_path"] = str(resolve(library, folder))
    return values


def _input(infer: Message, folder: Path) -> dict[str, Any]:
    preprocess = infer.child("preprocess")
    normalize = preprocess.child("normalize")
    mean = normalize.text("mean_file")
    return {
        "model_color_format": preprocess.choice("network_format", _FORMATS),
        "network_input_order": preprocess.choice("tensor_order", _ORDERS),
        "maintain_aspect_ratio": preprocess.flag("maintain_aspect_ratio"),
        "symmetric_padding": preprocess.flag("symmetric_padding"),
        "scaling_filter": preprocess.number("frame_scaling_filter", 1),
        "net_scale_factor": normalize.decimal("scale_factor", 0.0) or 1.0,
        "offsets": normalize.decimals("channel_offsets"),
        "mean_file": str(resolve(mean, folder)) if mean else "",
    }


def _control(root: Message) -> dict[str, Any]:
    control, output = root.child("input_control"), root.child("output_control")
    limits = control.child("object_control").child("bbox_filter")
    values: dict[str, Any] = {
        "process_mode": control.choice("process_mode", _MODES),
        "operate_on_gie_id": control.number("operate_on_gie_id", -1),
        "operate_on_class_ids": control.numbers("operate_on_class_ids"),
        "interval": control.number("interval", 0),
        "classifier_async_mode": control.flag("async_mode"),
        "input_object_min_width": limits.number("min_width", 1),
        "input_object_min_height": limits.number("min_height", 1),
        "input_object_max_width": limits.number("max_width", 0),
        "input_object_max_height": limits.number("max_height", 0),
        "output_tensor_meta": output.flag("output_tensor_meta"),
        "filter_out_class_ids": output.child("detect_control").numbers("filter_out_class_ids"),
        "classifier_type": output.text("classifier_type"),
    }
    if "secondary_reinfer_interval" in control.fields:
        values["secondary_reinfer_interval"] = control.number("secondary_reinfer_interval", 0)
    return values


def _results(infer: Message, output: Message, folder: Path) -> dict[str, Any]:
    post = infer.child("postprocess")
    labels = post.text("labelfile_path")
    values: dict[str, Any] = {"labelfile_path": str(resolve(labels, folder)) if labels else ""}
    kinds = {"detection": _detection, "classification": _classification, "segmentation": _segmentation,
             "triton_classification": _triton_classification}  # fmt: skip
    found = next((name for name in kinds if name in post.fields), None)
    if found is not None:
        return {**values, **kinds[found](post.child(found))}
    older = _triton(infer)
    if "class_params" in older.fields and "other" not in post.fields:
        return {**values, **_triton_classification(older.child("class_params"))}
    return {**values, "network_type": OTHER}


def _detection(message: Message) -> Mapping[str, Any]:
    clustering = next((name for name in CLUSTERINGS if name in message.fields), "simple_cluster")
    return {
        "network_type": DETECTOR,
        "num_detected_classes": message.number("num_detected_classes", 0),
        "parse_bbox_func_name": message.text("custom_parse_bbox_func"),
        "cluster_mode": CLUSTERINGS[clustering],
    }


def _classification(message: Message) -> Mapping[str, Any]:
    return {
        "network_type": CLASSIFIER,
        "classifier_threshold": message.decimal("threshold", 0.0),
        "parse_classifier_func_name": message.text("custom_parse_classifier_func"),
    }


def _triton_classification(message: Message) -> Mapping[str, Any]:
    """The server's own classification; here its numbers are read, and its names asked for once.

    Of several classes that ``topk`` asks for, the best is used.
    """
    tensor = message.text("tensor_name")
    if message.number("topk", 1) > 1:
        warn_once(f"{message.place}.topk={message.text('topk')} has no effect: the best class is used")
    return {**_classification(message), **({"output_blob_names": (tensor,)} if tensor else {})}


def _segmentation(message: Message) -> Mapping[str, Any]:
    return {
        "network_type": SEMANTIC,
        "segmentation_threshold": message.decimal("threshold", 0.0),
        "num_detected_classes": message.number("num_segmentation_classes", 0),
        "parse_segmentation_func_name": message.text("custom_parse_segmentation_func"),
    }
