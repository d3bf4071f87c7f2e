"""Which objects of a frame go on: size limits and the margins where none may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headrace.infer.attributes import ClassAttributes
from headrace.meta import Detections
from headrace.meta.turning import enclosing


def admit(
    found: Detections,
    attributes: Sequence[ClassAttributes],
    frame_size: tuple[int, int],
    crop: bool = False,
) -> Detections:
    """Drop objects outside their class's size limits or in its margins (contract: configs §1.2, §1.3).

    A negative left or top becomes 0 first, width and height stay as they are. Then sizes are looked at, then
    margins: an object that reaches into one is dropped, or with ``crop`` cut at its edge, and dropped only when
    nothing is left. A margin of 0 rows leaves every object alone. Turned boxes are judged by the upright ones around
    them, and not changed.

    Args:
        found: Objects in pixels of the frame, classes within ``attributes``. Not changed.
        attributes: One for each class, by class id.
        frame_size: Width and height of the frame in pixels.
        crop: nvinfer's ``crop-objects-to-roi-boundary``.

    Returns:
        The objects that go on, in their given order.

    Example:
        >>> found = Detections([[-5, 0, 20, 40], [10, 10, 14, 90]], class_id=[0, 0])
        >>> admit(found, [ClassAttributes(detected_min_w=8)], (100, 100)).xyxy.tolist()
        [[0.0, 0.0, 25.0, 40.0]]
        >>> admit(found, [ClassAttributes(roi_bottom_offset=20)], (100, 100), crop=True).xyxy[1].tolist()
        [10.0, 10.0, 14.0, 80.0]
    """
    if len(found) == 0:
        return found
    upright = found.rotation is None
    boxes = found.xyxy if found.rotation is None else enclosing(found.xyxy, found.rotation)
    boxes = boxes + np.tile(np.maximum(-boxes[:, :2], 0), 2)
    rules = [attributes[class_id] for class_id in found.class_id]
    limits = np.array([_limits(rule) for rule in rules], np.float32)
    sizes = boxes[:, 2:] - boxes[:, :2]
    keep = ((sizes >= limits[:, :2]) & (sizes <= limits[:, 2:])).all(axis=1)
    edges = np.array([_edges(rule, frame_size[1]) for rule in rules], np.float32)
    if crop and upright:
        boxes[:, 1::2] = np.clip(boxes[:, 1::2], edges[:, :1], edges[:, 1:])
        keep &= boxes[:, 3] > boxes[:, 1]
    else:
        keep &= (boxes[:, 1] >= edges[:, 0]) & (boxes[:, 3] <= edges[:, 1])
    return (replace(found, xyxy=boxes) if upright else found)[keep]


def _limits(rule: ClassAttributes) -> tuple[float, float, float, float]:
    """Least width and height, greatest width and height."""
    most = (rule.detected_max_w or np.inf, rule.detected_max_h or np.inf)
    return rule.detected_min_w, rule.detected_min_h, *most


def _edges(rule: ClassAttributes, height: int) -> tuple[float, float]:
    """First row after the upper margin, first row of the lower one."""
    bottom = height - rule.roi_bottom_offset if rule.roi_bottom_offset else np.inf
    return rule.roi_top_offset, bottom
