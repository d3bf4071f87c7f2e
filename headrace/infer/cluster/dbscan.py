"""Modes 1 and 3: density-based clusters of boxes (Ester et al., KDD 1996), with ``1 - IoU`` as the distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.meta import Detections

NOISE = -1


def dbscan(found: Detections, eps: float, min_boxes: int, min_score: float) -> Detections:
    """Means of the dense clusters of boxes of one class, weighted by confidence.

    Args:
        found: Boxes of one class.
        eps: Boxes at a distance ``1 - IoU`` of no more than this are neighbours.
        min_boxes: Neighbours, itself included, that make a box the core of a cluster.
        min_score: Clusters with a smaller sum of confidences are dropped.

    Returns:
        One box for each cluster: the mean of its boxes, weighted by confidence. Its confidence is that of its
        best box, so that it stays in 0–1 and can be compared with thresholds.
    """
    labels = strong_clusters(found, eps, min_boxes, min_score)
    numbers, index = np.unique(labels[labels != NOISE], return_inverse=True)
    members = found[labels != NOISE]
    weights = np.maximum(members.confidence, np.finfo(np.float32).tiny).astype(np.float64)
    totals = np.bincount(index, weights, len(numbers))
    columns = [np.bincount(index, weights * column, len(numbers)) / totals for column in members.xyxy.T]
    best = np.zeros(len(numbers), np.float32)
    np.maximum.at(best, index, members.confidence)
    return Detections(np.stack(columns, axis=1), best, found.class_id[: len(numbers)])


def without_outliers(found: Detections, eps: float, min_boxes: int, min_score: float) -> Detections:
    """The boxes that belong to a cluster of `dbscan`, as they are."""
    return found[strong_clusters(found, eps, min_boxes, min_score) != NOISE]


def strong_clusters(found: Detections, eps: float, min_boxes: int, min_score: float) -> NDArray[np.intp]:
    """The number of each box's cluster; -1 for boxes of none, and of those whose confidences sum up to too little."""
    labels = cluster_numbers(overlaps(found.xyxy) >= 1 - eps, min_boxes)
    clustered = labels != NOISE
    sums = np.bincount(labels[clustered], found.confidence[clustered], labels.max(initial=NOISE) + 1)
    labels[clustered] = np.where(sums[labels[clustered]] >= min_score, labels[clustered], NOISE)
    return labels


def cluster_numbers(near: NDArray[np.bool_], min_points: int) -> NDArray[np.intp]:
    """DBSCAN over a matrix of neighbourhood: the number of each point's cluster, -1 for noise.

    Cores that are neighbours share a cluster. A point near cores of several clusters joins the first.

    Args:
        near: ``(n, n)``, symmetric, true on the diagonal.
        min_points: Points in the neighbourhood of a core, itself included.
    """
    labels = np.full(len(near), NOISE, np.intp)
    core = near.sum(axis=1) >= min_points
    for number, seed in enumerate(np.flatnonzero(core)):
        if labels[seed] == NOISE:
            labels[_reach(near, core, seed) & (labels == NOISE)] = number
    return labels


def _reach(near: NDArray[np.bool_], core: NDArray[np.bool_], seed: np.intp) -> NDArray[np.bool_]:
    """All points that a chain of cores joins to a core."""
    reached: NDArray[np.bool_] = near[seed].copy()
    asked = np.zeros(len(near), np.bool_)
    while (fresh := reached & core & ~asked).any():
        asked |= fresh
        reached |= near[fresh].any(axis=0)
    return reached


def overlaps(xyxy: NDArray[np.float32]) -> NDArray[np.float64]:
    """Intersection over union of each pair of boxes, ``(n, n)``; 1 with itself, whatever its area."""
    left, top, right, bottom = xyxy.T.astype(np.float64)
    shared = _common(left, right) * _common(top, bottom)
    area = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    union = np.add.outer(area, area) - shared
    iou: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    np.fill_diagonal(iou, 1.0)
    return iou


def _common(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Length that each pair of spans shares, ``(n, n)``."""
    lengths: NDArray[np.float64] = np.minimum.outer(high, high) - np.maximum.outer(low, low)
    return np.maximum(lengths, 0)
