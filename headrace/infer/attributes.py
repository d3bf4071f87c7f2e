"""Settings of one class of objects: ``[class-attrs-*]`` of an nvinfer configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from headrace.errors import ConfigError

Color = tuple[float, float, float, float]
_FRACTIONS = ("pre_cluster_threshold", "post_cluster_threshold", "nms_iou_threshold")
_COLORS = ("border_color", "bg_color")


@dataclass(frozen=True, slots=True)
class ClassAttributes:
    """Thresholds, clustering, size limits and colours of one class (contract: configs §1.2).

    Attributes:
        pre_cluster_threshold: Least confidence (0–1) of a box before clustering.
        post_cluster_threshold: Least confidence (0–1) after clustering.
        eps: How unlike boxes of one cluster may be: ``groupRectangles``'s relative difference, or for DBSCAN the
            distance ``1 - IoU``; not negative.
        group_threshold: ``groupRectangles`` keeps clusters of more boxes than this; 0 does not group.
        min_boxes: Boxes, itself included, that DBSCAN wants around a box that starts a cluster.
        dbscan_min_score: Least sum of confidences of a DBSCAN cluster.
        nms_iou_threshold: Boxes that overlap a better one by more (0–1) are dropped.
        topk: Objects to keep, the most confident; -1 keeps all.
        roi_top_offset: Rows at the top of the frame where no object may be, in pixels.
        roi_bottom_offset: Rows at the bottom of the frame where no object may be, in pixels.
        detected_min_w: Least width in pixels of the frame.
        detected_min_h: Least height in pixels of the frame.
        detected_max_w: Greatest width in pixels of the frame; 0 for no limit.
        detected_max_h: Greatest height in pixels of the frame; 0 for no limit.
        border_color: Red, green, blue, alpha in 0–1.
        bg_color: Fill of the box, red, green, blue, alpha in 0–1; ``None`` for none.

    Raises:
        ConfigError: A value is outside its range.

    Example:
        >>> ClassAttributes(topk=20).pre_cluster_threshold
        0.2
        >>> ClassAttributes(topk=-2)
        Traceback (most recent call last):
            ...
        headrace.errors.ConfigError: topk is -2; use -1 for all, or the number of objects to keep
    """

    pre_cluster_threshold: float = 0.2
    post_cluster_threshold: float = 0.0
    eps: float = 0.0
    group_threshold: int = 0
    min_boxes: int = 0
    dbscan_min_score: float = 0.0
    nms_iou_threshold: float = 0.3
    topk: int = -1
    roi_top_offset: int = 0
    roi_bottom_offset: int = 0
    detected_min_w: int = 0
    detected_min_h: int = 0
    detected_max_w: int = 0
    detected_max_h: int = 0
    border_color: Color = (1.0, 0.0, 0.0, 1.0)
    bg_color: Color | None = None

    def __post_init__(self) -> None:
        if self.topk < -1:
            raise ConfigError(f"topk is {self.topk}; use -1 for all, or the number of objects to keep")
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if name in _COLORS:
                _check_color(name, value)
            elif name in _FRACTIONS:
                _check(0 <= value <= 1, name, value, "0 to 1")
            elif name != "topk":
                _check(0 <= value < math.inf, name, value, "0 or a positive number")


def _check_color(name: str, color: Color | None) -> None:
    if color is not None:
        right = len(color) == 4 and all(0 <= part <= 1 for part in color)
        _check(right, name, color, "four numbers in 0 to 1: red, green, blue, alpha")


def _check(holds: bool, name: str, value: object, remedy: str) -> None:
    if not holds:
        raise ConfigError(f"{name} is {value}; use {remedy}")
