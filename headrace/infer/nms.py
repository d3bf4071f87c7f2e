"""Suppression of overlapping boxes: greedy, soft, and of boxes that are turned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.infer.candidates import Candidates, strongest
from headrace.infer.options import NmsMode
from headrace.meta import Detections
from headrace.meta.boxes import pairwise_iou

#: Most boxes of a frame that are compared with each other, the most confident.
MOST_COMPARED = 30_000
#: How fast soft suppression lowers confidence with overlap (arXiv:1704.04503 §3).
_SIGMA = 0.5

_Floats = NDArray[np.floating[Any]]


def suppress(
    found: Candidates, iou_threshold: float, mode: NmsMode = "class", confidence: float = 0.0
) -> Candidates:
    """Leave out boxes that overlap better ones of the same frame.

    Args:
        found: Boxes of a batch in NumPy's arrays. Turned boxes overlap as Gaussians do (arXiv:2106.06072), which is
            what the families of turned boxes are trained and measured with.
        iou_threshold: 0–1; 1 keeps every box that has an area. Not used by ``soft`` and ``none``.
        mode: ``class``: only boxes of one class suppress each other; ``agnostic``: all of a frame;
            ``soft``: confidence falls with the overlap instead (arXiv:1704.04503); ``none``.
        confidence: With ``soft``: boxes whose confidence falls below it go.

    Returns:
        The kept boxes, by frame and in order of falling confidence; none without an area.

    Raises:
        ConfigError: The threshold is outside 0–1.
    """
    if not 0 <= iou_threshold <= 1:
        raise ConfigError(f"NMS threshold is {iou_threshold}; use 0 to 1")
    # Taken out only where there are any, here and below: choosing rows lets go of the interpreter each time.
    areas = (found.xyxy[:, 2] > found.xyxy[:, 0]) & (found.xyxy[:, 3] > found.xyxy[:, 1])
    if np.count_nonzero(areas) < len(areas):
        found = found[areas]
    found = strongest(found, MOST_COMPARED)
    if mode == "none" or not len(found):
        return found
    classes = np.zeros_like(found.class_id) if mode == "agnostic" else found.class_id
    if mode == "soft":
        return _softened(found, found.frame * (int(classes.max()) + 1) + classes, confidence)
    # Frame by frame: the time grows with the square of the number of boxes that are compared.
    parts = [part for part in found.parts(int(found.frame[-1]) + 1) if part.stop > part.start]
    if found.rotation is None:
        kept = [greedy(found.xyxy[part], classes[part], iou_threshold) for part in parts]
    else:
        shapes = gaussians(found.xyxy, found.rotation)
        kept = [_greedy_turned(shapes[part], classes[part], iou_threshold) for part in parts]
    rows = [part.start + some for part, some in zip(parts, kept, strict=True)]
    return found[rows[0] if len(rows) == 1 else np.concatenate(rows)]


def greedy(xyxy: _Floats, groups: NDArray[np.intp], iou_threshold: float) -> NDArray[np.intp]:
    """Rows of upright boxes that stay: each but for those that overlap a better one of their group.

    Args:
        xyxy: ``(n, 4)`` in order of falling confidence within each group, every box with an area.
        groups: ``(n,)`` from 0; boxes of different groups do not touch each other.
        iou_threshold: 0–1. Releases the GIL.

    Returns:
        Rows, rising.
    """
    if not len(xyxy):
        return np.empty(0, np.intp)
    boxes = xyxy.astype(np.float64)
    reach = boxes.max() - boxes.min() + 1.0
    boxes[:, 2:] -= boxes[:, :2]
    # Groups are moved apart by more than any box reaches, so that one pass serves all; OpenCV's own batched
    # form does the same but mixes classes up when corners are negative.
    boxes[:, :2] += groups[:, None] * reach
    # Confidences have done their work in the order. Falling ranks keep OpenCV from mixing up equal ones and
    # from dropping those at or below its score threshold.
    ranks = np.arange(len(boxes), 0, -1, dtype=np.float32)
    kept = cv2.dnn.NMSBoxes(boxes, ranks, 0.0, iou_threshold)  # type: ignore[arg-type]
    return np.asarray(kept, np.intp).reshape(-1)  # in the order of the ranks


def class_aware_nms(found: Detections, iou_threshold: float, limit: int = 300) -> Detections:
    """Keep, of boxes of one frame and class that overlap, turned ones too, the most confident; see `suppress`.

    Args:
        found: Boxes of one frame.
        iou_threshold: 0–1; 1 keeps every box that has an area.
        limit: How many boxes to keep at most.

    Returns:
        The kept boxes in order of falling confidence.

    Raises:
        ConfigError: The threshold is outside 0–1.

    Example:
        >>> found = Detections([[0, 0, 9, 9], [0, 0, 9, 8], [0, 0, 9, 9]], [0.5, 0.9, 0.4], [0, 0, 1])
        >>> class_aware_nms(found, 0.45).class_id.tolist()
        [0, 1]
    """
    rows = np.arange(len(found))
    frame = np.zeros(len(found), np.intp)
    # Factors carry the rows' numbers through, so that every column of the detections can follow.
    classes = found.class_id.astype(np.intp)
    boxes = Candidates(frame, found.xyxy, found.confidence, classes, found.rotation, factors=rows)
    kept = np.asarray(suppress(boxes, iou_threshold).factors, np.intp)
    return found[kept[:limit]]


def _greedy_turned(shapes: _Floats, groups: NDArray[np.intp], threshold: float) -> NDArray[np.intp]:
    alive = np.ones(len(shapes), np.bool_)
    for row in range(len(shapes)):
        if alive[row]:
            others = row + 1 + np.flatnonzero(alive[row + 1 :] & (groups[row + 1 :] == groups[row]))
            alive[others] = gaussian_overlap(shapes[row], shapes[others]) <= threshold
    return np.flatnonzero(alive)


def _softened(found: Candidates, groups: NDArray[np.intp], confidence: float) -> Candidates:
    overlap: Callable[[_Floats, _Floats], _Floats]
    if found.rotation is None:
        overlap, shapes = _iou, found.xyxy.astype(np.float64)
    else:
        overlap, shapes = gaussian_overlap, gaussians(found.xyxy, found.rotation)
    scores = found.confidence.astype(np.float64)
    left = np.ones(len(found), np.bool_)
    for _ in range(len(found)):
        best = int(np.argmax(np.where(left, scores, -1.0)))
        left[best] = False
        others = np.flatnonzero(left & (groups == groups[best]))
        scores[others] *= np.exp(-(overlap(shapes[best], shapes[others]) ** 2) / _SIGMA)
    kept = replace(found, confidence=scores.astype(np.float32))[scores >= confidence]
    return strongest(kept, len(kept))


def _iou(box: _Floats, others: _Floats) -> _Floats:
    return np.asarray(pairwise_iou(box[None], others)[0])


def gaussians(xyxy: _Floats, rotation: _Floats) -> _Floats:
    """Turned boxes as Gaussians: mean x, y and covariance xx, yy, xy; ``(n, 5)``.

    Args:
        xyxy: ``(n, 4)`` boxes before they are turned.
        rotation: ``(n,)`` degrees clockwise.
    """
    xyxy, angle = xyxy.astype(np.float64), np.radians(rotation.astype(np.float64))
    centre, variance = (xyxy[:, :2] + xyxy[:, 2:]) / 2, (xyxy[:, 2:] - xyxy[:, :2]) ** 2 / 12
    cos, sin = np.cos(angle), np.sin(angle)
    across, down = variance.T
    xx, yy = across * cos**2 + down * sin**2, across * sin**2 + down * cos**2
    return np.column_stack([centre, xx, yy, (across - down) * cos * sin])


def gaussian_overlap(one: _Floats, others: _Floats) -> _Floats:
    """One less the Hellinger distance of Gaussians, 0–1 (arXiv:2106.06072, ProbIoU).

    Args:
        one: ``(5,)`` mean x, y and covariance xx, yy, xy.
        others: ``(n, 5)``.
    """
    x, y = others[:, 0] - one[0], others[:, 1] - one[1]
    xx, yy, xy = (others[:, column] + one[column] for column in (2, 3, 4))
    determinant = xx * yy - xy**2
    distance = (xx * y**2 + yy * x**2 - 2 * xy * x * y) / (4 * determinant)
    areas = (others[:, 2] * others[:, 3] - others[:, 4] ** 2) * (one[2] * one[3] - one[4] ** 2)
    spread = np.log(determinant / (4 * np.sqrt(areas))) / 2
    return np.asarray(1 - np.sqrt(1 - np.exp(-np.clip(distance + spread, 1e-7, 100.0))))
