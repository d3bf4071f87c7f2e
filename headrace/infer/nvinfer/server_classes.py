"""Thresholds, limits and colours of each class in nvinferserver's configuration."""

from __future__ import annotations

from typing import Any

from headrace.errors import ConfigError
from headrace.infer.attributes import ClassAttributes
from headrace.infer.nvinfer.config import NvInferConfig
from headrace.infer.nvinfer.prototext import Message

#: Ways of clustering, and the ``cluster-mode`` of nvinfer that each is.
CLUSTERINGS = {"nms": 2, "dbscan": 1, "group_rectangle": 0, "simple_cluster": 4}
#: Field of a clustering or filter, and attribute of the class.
_DECIMALS = {
    "confidence_threshold": "pre_cluster_threshold",
    "pre_threshold": "pre_cluster_threshold",
    "threshold": "pre_cluster_threshold",
    "iou_threshold": "nms_iou_threshold",
    "eps": "eps",
    "min_score": "dbscan_min_score",
}
_NUMBERS = {"topk": "topk", "group_threshold": "group_threshold", "min_boxes": "min_boxes"}
_MARGINS = ("roi_top_offset", "roi_bottom_offset")
_LIMITS = {"min_width": "detected_min_w", "min_height": "detected_min_h", "max_width": "detected_max_w",
           "max_height": "detected_max_h"}  # fmt: skip


def class_attributes(
    detection: Message, output: Message, config: NvInferConfig
) -> tuple[ClassAttributes, ...]:
    """The attributes of each class: of the clustering, then of the class.

    Raises:
        ConfigError: A value cannot be used, or a class does not exist; names the field.
    """
    if not config.detects:
        return ()
    clustering = next((detection.child(name) for name in CLUSTERINGS if name in detection.fields), detection)
    control = output.child("detect_control")
    common = {
        "pre_cluster_threshold": 0.0,
        **_clustered(clustering),
        **_filtered(control.child("default_filter")),
    }
    own: dict[int, dict[str, Any]] = {}
    for messages, read in (
        (detection.children("per_class_params"), _clustered),
        (control.children("specific_class_filters"), _filtered),
    ):
        for entry in messages:
            number = entry.number("key", 0)
            if not 0 <= number < config.num_detected_classes:
                raise ConfigError(
                    f"{entry.place}: key {number} is no class; there are {config.num_detected_classes}"
                )
            own.setdefault(number, {}).update(read(entry.child("value")))
    try:
        return tuple(
            ClassAttributes(**{**common, **own.get(number, {})})
            for number in range(config.num_detected_classes)
        )
    except ConfigError as error:
        raise ConfigError(f"{detection.place}: {error}") from error


def _clustered(message: Message) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in _DECIMALS.items():
        if name in message.fields:
            values[field] = message.decimal(name, 0.0)
    for name, field in _NUMBERS.items():
        if name in message.fields:
            values[field] = message.number(name, 0)
    if values.get("topk") == 0:  # a number that is not set, in this format
        values["topk"] = -1
    return values


def _filtered(message: Message) -> dict[str, Any]:
    limits = message.child("bbox_filter")
    values: dict[str, Any] = {
        field: limits.number(name, 0) for name, field in _LIMITS.items() if name in limits.fields
    }
    values.update({name: message.number(name, 0) for name in _MARGINS if name in message.fields})
    for name in ("border_color", "bg_color"):
        if name in message.fields:
            color = message.child(name)
            values[name] = tuple(color.decimal(channel, 0.0) for channel in "rgba")
    return values
