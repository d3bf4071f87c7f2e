"""Non-maximum suppression within each class."""

from __future__ import annotations

import cv2
import numpy as np

from headrace.errors import ConfigError
from headrace.meta import Detections


def class_aware_nms(found: Detections, iou_threshold: float, limit: int = 300) -> Detections:
    """Keep, of boxes of one class that overlap, the most confident.

    Boxes are taken in order of falling confidence (equal ones in their given order); a box stays unless
    its intersection over union with a kept box of its class exceeds the threshold. Boxes without an area
    are dropped. Releases the GIL.

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
    if not 0 <= iou_threshold <= 1:
        raise ConfigError(f"NMS threshold is {iou_threshold}; use 0 to 1")
    sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
    rows = np.flatnonzero((sides > 0).all(axis=1))
    rows = rows[np.argsort(-found.confidence[rows], kind="stable")]
    if len(rows) == 0:
        return found[rows]
    corners = found.xyxy[rows].astype(np.float64)
    boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    # Classes are moved apart by more than any box reaches, so that one pass serves all; OpenCV's own batched
    # form does the same but mixes classes up when corners are negative.
    boxes[:, :2] += found.class_id[rows, None] * (np.ptp(corners) + 1.0)
    # Confidences have done their work in the sort. Falling ranks keep OpenCV from mixing up equal ones and
    # from dropping those at or below its score threshold.
    ranks = np.arange(len(rows), 0, -1, dtype=np.float32)
    kept = cv2.dnn.NMSBoxes(boxes, ranks, 0.0, iou_threshold)  # type: ignore[arg-type]
    return found[rows[np.asarray(kept, np.intp).reshape(-1)][:limit]]
