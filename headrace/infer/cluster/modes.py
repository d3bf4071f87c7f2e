"""The five cluster modes, class by class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.infer.attributes import ClassAttributes
from headrace.infer.cluster.dbscan import dbscan, without_outliers
from headrace.infer.cluster.grouping import group_rectangles
from headrace.infer.nms import class_aware_nms
from headrace.meta import Detections


def cluster(found: Detections, attributes: Sequence[ClassAttributes], mode: int) -> Detections:
    """Reduce the boxes of one frame to objects.

    First boxes below their class's ``pre_cluster_threshold`` are dropped, and those of classes that have no
    attributes. What follows is done within each class; ``topk`` comes last.

    ==== ===================================================================================================
    0    ``groupRectangles``: means of similar boxes, whole pixels, confidence -0.1; needs ``group_threshold``
    1    DBSCAN: means of clusters, weighted by confidence; those below ``post_cluster_threshold`` go
    2    non-maximum suppression; what remains has to exceed ``post_cluster_threshold``
    3    DBSCAN drops outliers, then as 2
    4    nothing
    ==== ===================================================================================================

    Args:
        found: Boxes of one frame, in pixels of the network's input. Not changed.
        attributes: One for each class, by class id.
        mode: 0–4, nvinfer's ``cluster-mode``.

    Returns:
        Objects in order of class, within it of falling confidence (0, 4: of rows). All other columns are
        those of the kept rows; averaged boxes (0 with grouping, 1) have none.

    Raises:
        ConfigError: No such mode.

    Example:
        >>> found = Detections([[0, 0, 9, 9], [0, 0, 9, 8], [0, 0, 9, 9]], [0.5, 0.9, 0.1], [0, 0, 1])
        >>> cluster(found, [ClassAttributes(), ClassAttributes()], 2).xyxy.tolist()
        [[0.0, 0.0, 9.0, 8.0]]
    """
    if mode not in range(len(_MODES)):
        raise ConfigError(f"cluster-mode is {mode}; use 0 to {len(_MODES) - 1}")
    one_class, ordered = _MODES[mode], mode in (1, 2, 3)
    kept = found[_admissible(found, attributes)]
    parts = []
    for class_id in np.unique(kept.class_id):
        rules = attributes[class_id]
        objects = one_class(kept[kept.class_id == class_id], rules)
        parts.append(objects[top_rows(objects.confidence, rules.topk, ordered)])
    return Detections.joined(parts)


def _admissible(found: Detections, attributes: Sequence[ClassAttributes]) -> NDArray[np.intp]:
    thresholds = np.array([rules.pre_cluster_threshold for rules in attributes], np.float32)
    rows = np.flatnonzero((found.class_id >= 0) & (found.class_id < len(attributes)))
    return rows[found.confidence[rows] >= thresholds[found.class_id[rows]]]


def top_rows(confidence: NDArray[np.float32], topk: int, ordered: bool) -> NDArray[np.intp]:
    """Row numbers of the ``topk`` most confident (-1: all), by falling confidence or in their given order."""
    falling = np.argsort(-confidence, kind="stable")[: topk if topk >= 0 else None]
    return falling if ordered else np.sort(falling)


def _nms(found: Detections, rules: ClassAttributes) -> Detections:
    kept = class_aware_nms(found, rules.nms_iou_threshold, len(found))
    return kept[kept.confidence > rules.post_cluster_threshold]


def _dbscan(found: Detections, rules: ClassAttributes) -> Detections:
    objects = dbscan(found, rules.eps, rules.min_boxes, rules.dbscan_min_score)
    return objects[objects.confidence >= rules.post_cluster_threshold]


def _hybrid(found: Detections, rules: ClassAttributes) -> Detections:
    return _nms(without_outliers(found, rules.eps, rules.min_boxes, rules.dbscan_min_score), rules)


def _group(found: Detections, rules: ClassAttributes) -> Detections:
    return group_rectangles(found, rules.group_threshold, rules.eps)


def _none(found: Detections, rules: ClassAttributes) -> Detections:
    return found


_MODES: tuple[Callable[[Detections, ClassAttributes], Detections], ...] = (
    _group,
    _dbscan,
    _nms,
    _hybrid,
    _none,
)
