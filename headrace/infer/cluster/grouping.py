"""Mode 0: the maths of OpenCV's ``groupRectangles``, which OpenCV 5 no longer has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headrace.infer.cluster.dbscan import cluster_numbers
from headrace.meta import Detections

#: What the method leaves of a confidence (contract: configs §1.3).
NO_CONFIDENCE = -0.1
#: From this many boxes on a group stands on its own feet inside a larger one (as in OpenCV).
_STRONG = 3


def group_rectangles(found: Detections, threshold: int, eps: float) -> Detections:
    """Means of similar boxes of one class.

    Two boxes are similar if each of their sides differs by no more than ``eps`` times half the sum of the smaller
    width and the smaller height; chains of similar boxes make one group. Groups of ``threshold`` boxes or fewer
    are dropped, and weak ones inside others. The method works in whole pixels: corners are cut to them first.

    Args:
        found: Boxes of one class.
        threshold: 0 leaves boxes alone.
        eps: Not negative.

    Returns:
        One box for each group, with confidence -0.1.
    """
    confidence = np.full(len(found), NO_CONFIDENCE, np.float32)
    if threshold == 0 or len(found) == 0:
        return replace(found, confidence=confidence)
    corners = found.xyxy.astype(np.int32).astype(np.float64)
    groups = cluster_numbers(_similar(corners, eps), 1)
    _, groups, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(groups, column) for column in _left_top_size(corners).T], axis=1)
    means = np.rint(sums / sizes[:, None])
    strong = sizes > threshold
    means, sizes = means[strong], sizes[strong]
    means[:, 2:] += means[:, :2]
    boxes = means[~_swallowed(means, sizes, eps)].astype(np.float32)
    return Detections(boxes, confidence[: len(boxes)], found.class_id[: len(boxes)])


def _left_top_size(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])


def _similar(corners: NDArray[np.float64], eps: float) -> NDArray[np.bool_]:
    width, height = (corners[:, 2:] - corners[:, :2]).T
    reach = eps * (np.minimum.outer(width, width) + np.minimum.outer(height, height)) / 2
    near = np.ones(reach.shape, np.bool_)
    for side in corners.T:
        near &= np.abs(np.subtract.outer(side, side)) <= reach
    np.fill_diagonal(near, True)
    return near


def _swallowed(boxes: NDArray[np.float64], sizes: NDArray[np.intp], eps: float) -> NDArray[np.bool_]:
    """Whether a group lies inside another that is stronger, or is so weak that any will do."""
    reach = np.rint((boxes[:, 2:] - boxes[:, :2]) * eps)
    outer = np.hstack([boxes[:, :2] - reach, boxes[:, 2:] + reach])
    inside = (boxes[:, None, :2] >= outer[:, :2]) & (boxes[:, None, 2:] <= outer[:, 2:])
    weaker = (sizes > np.maximum(_STRONG, sizes[:, None])) | (sizes[:, None] < _STRONG)
    swallowed = inside.all(axis=2) & weaker
    np.fill_diagonal(swallowed, False)
    return np.asarray(swallowed.any(axis=1))
