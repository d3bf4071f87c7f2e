"""What models return besides upright boxes: turned boxes, masks and keypoints, each a `Detections`.

Slices of them, and what comes of them downstream, are plain `Detections`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headrace.infer.masks import masks_over_boxes
from headrace.meta.detections import Detections, rows_of, to_numpy


class Oriented(Detections):
    """Turned boxes.

    Args:
        xywhr: ``(n, 5)`` x and y of the centre, width and height in pixels of the frame, and the angle by which the
            box is turned: degrees, clockwise on the screen. `cv2.minAreaRect` gives these numbers, in this order.
        confidence: ``(n,)`` in 0–1; ones when left out.
        class_id: ``(n,)`` from 0; zeros when left out.

    Raises:
        ValueError: A column has another shape or length, or a width or height is negative.

    Example:
        >>> found = Oriented([[50, 40, 20, 10, 90]], [0.9])
        >>> found.xyxy.tolist(), found.rotation.tolist(), found.corners[0, 0].round().tolist()
        ([[40.0, 35.0, 60.0, 45.0]], [90.0], [55.0, 30.0])
    """

    __slots__ = ()

    def __init__(self, xywhr: Any, confidence: Any = (), class_id: Any = ()) -> None:
        boxes = rows_of(xywhr, "xywhr", 5)
        centre, half = boxes[:, :2], boxes[:, 2:4] / 2
        if (half < 0).any():
            row = int(np.flatnonzero((half < 0).any(axis=1))[0])
            raise ValueError(f"xywhr: width or height of box {row} is negative: {boxes[row].tolist()}")
        xyxy = np.hstack([centre - half, centre + half]).astype(np.float32)
        super().__init__(xyxy, confidence, class_id, rotation=boxes[:, 4])

    @classmethod
    def from_corners(cls, corners: Any, confidence: Any = (), class_id: Any = ()) -> Oriented:
        """Turned boxes of their corners.

        Args:
            corners: ``(n, 4, 2)`` in order around each box, clockwise or not; the box's width is the length of the
                edge between the first two. Corners of no true rectangle give the one with the same centre and the
                mean lengths of opposite edges.
            confidence: As for the class.
            class_id: As for the class.

        Raises:
            ValueError: ``corners`` has another shape.

        Example:
            >>> Oriented.from_corners([[[55, 30], [55, 50], [45, 50], [45, 30]]]).rotation.tolist()
            [90.0]
        """
        points = to_numpy(corners, np.float32)
        if points.size == 0:
            points = points.reshape(0, 4, 2)
        if points.ndim != 3 or points.shape[1:] != (4, 2):
            raise ValueError(f"corners has the shape {points.shape}; expected (n, 4, 2)")
        across = (points[:, 1] - points[:, 0] + points[:, 2] - points[:, 3]) / 2
        down = (points[:, 2] - points[:, 1] + points[:, 3] - points[:, 0]) / 2
        degrees = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
        sides = (np.hypot(*across.T), np.hypot(*down.T))
        return cls(np.column_stack([points.mean(axis=1), *sides, degrees]), confidence, class_id)


class Instances(Detections):
    """Objects by their pixels; boxes are found around them.

    Masks that lie over boxes already go into ``Detections(…, masks=…)``.

    Args:
        masks: ``(n, height, width)`` or ``(n, 1, height, width)`` of the size of the frame: booleans, or scores in 0–1.
            A mask without a pixel is an object without a place, and left out.
        confidence: ``(n,)`` in 0–1; ones when left out.
        class_id: ``(n,)`` from 0; zeros when left out.
        threshold: Pixels whose score is above it belong to the object.

    Raises:
        ValueError: A column has another shape or length.

    Example:
        >>> mask = np.zeros((1, 90, 160), bool)
        >>> mask[0, 10:30, 40:50] = True
        >>> Instances(mask, [0.9]).xyxy.tolist()
        [[40.0, 10.0, 50.0, 30.0]]
    """

    __slots__ = ()

    def __init__(self, masks: Any, confidence: Any = (), class_id: Any = (), threshold: float = 0.5) -> None:
        scores = to_numpy(masks, None)
        if scores.ndim == 4 and scores.shape[1] == 1:
            scores = scores[:, 0]
        if scores.size == 0:
            scores = np.empty((0, 1, 1))
        if scores.ndim != 3:
            raise ValueError(f"masks has the shape {scores.shape}; expected (n, height, width)")
        inside = scores > threshold
        xyxy = np.array([_extent(mask) for mask in inside], np.float32).reshape(-1, 4)
        whole = Detections(xyxy, confidence, class_id)
        seen = np.flatnonzero(xyxy[:, 2] > 0)
        found = whole[seen]
        over = masks_over_boxes(inside[seen], found.xyxy)
        super().__init__(found.xyxy, found.confidence, found.class_id, masks=over)


class Keypoints(Detections):
    """Objects by their keypoints: poses, landmarks of faces, corners of things.

    Lines between the points are drawn as the model's ``skeleton`` says; those of people (17 points, COCO's order) are
    known.

    Args:
        points: ``(n, k, 3)`` x, y in pixels of the frame and confidence in 0–1, or ``(n, k, 2)`` for sure ones. Points
            of confidence 0 are not seen.
        confidence: ``(n,)`` in 0–1; when left out, the mean of the points that are seen.
        class_id: ``(n,)`` from 0; zeros when left out.
        xyxy: ``(n, 4)`` boxes; when left out, those around the points that are seen.

    Raises:
        ValueError: A column has another shape or length.

    Example:
        >>> found = Keypoints([[[10, 20, 1.0], [30, 60, 0.5], [0, 0, 0]]])
        >>> found.xyxy.tolist(), found.confidence.tolist()
        ([[10.0, 20.0, 30.0, 60.0]], [0.75])
    """

    __slots__ = ()

    def __init__(self, points: Any, confidence: Any = None, class_id: Any = (), xyxy: Any = None) -> None:
        column = to_numpy(points, np.float32)
        if column.size == 0:
            column = column.reshape(0, column.shape[1] if column.ndim == 3 else 0, 3)
        if column.ndim != 3 or column.shape[2] not in (2, 3):
            raise ValueError(f"points has the shape {column.shape}; expected (n, k, 3) or (n, k, 2)")
        if column.shape[2] == 2:
            column = np.concatenate([column, np.ones_like(column[..., :1])], axis=2)
        seen = column[..., 2] > 0
        if confidence is None:
            confidence = column[..., 2].sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
        super().__init__(
            _around(column, seen) if xyxy is None else xyxy, confidence, class_id, keypoints=column
        )


def _extent(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the pixels that are set; zeros without any."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _around(
    points: np.ndarray[Any, np.dtype[np.float32]], seen: np.ndarray[Any, np.dtype[np.bool_]]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Boxes ``(n, 4)`` around the points that are seen; zeros where none is."""
    where = seen[..., None]
    low = points[..., :2].min(axis=1, initial=np.inf, where=where)
    high = points[..., :2].max(axis=1, initial=-np.inf, where=where)
    boxes = np.hstack([low, high])
    return np.where(np.isfinite(boxes), boxes, 0).astype(np.float32)
