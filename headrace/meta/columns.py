"""Between the columns of `Detections` and what only few objects of the table have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.meta.detections import Detections
from headrace.meta.objects import UNTRACKED, ObjectTable
from headrace.meta.osd import Mask
from headrace.meta.skeleton import Edges, Skeleton
from headrace.meta.turning import enclosing
from headrace.meta.user import ObjectReidUserMetadata, embedding_of

_MASK_THRESHOLD = 0.5

Floats = NDArray[np.float32]


def write_optional(table: ObjectTable, rows: slice, found: Detections, skeleton: Edges | None = None) -> None:
    """Write the optional columns of detections to the rows that were added for them."""
    if found.rotation is not None:
        table.column("rotation")[rows] = found.rotation
    numbers = range(rows.start, rows.stop)
    if found.masks is not None:
        table.masks.update(
            (row, Mask(_MASK_THRESHOLD, mask)) for row, mask in zip(numbers, found.masks, strict=True)
        )
    if found.keypoints is not None:
        table.skeletons.update(
            (row, Skeleton(points, skeleton)) for row, points in zip(numbers, found.keypoints, strict=True)
        )
    if found.embeddings is not None:
        for row, vector in zip(numbers, found.embeddings, strict=True):
            table.user.setdefault(row, []).append(ObjectReidUserMetadata(vector))


def detections_of(table: ObjectTable, rows: NDArray[np.intp]) -> Detections:
    """Rows of the table as detections with copies of all that is known of them; see `FrameMetadata.detections`."""
    ltwh = table.column("rect")[rows]
    ids = table.column("object_id")[rows]
    rotation = table.column("rotation")[rows]
    numbers = rows.tolist()
    masks = [table.masks[row].mask_array if row in table.masks else None for row in numbers]
    points = [table.skeletons[row].points if row in table.skeletons else None for row in numbers]
    vectors = [embedding_of(table.user[row]) if row in table.user else None for row in numbers]
    return Detections(
        np.hstack([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]]),
        table.column("confidence")[rows],
        table.column("class_id")[rows],
        np.where(ids == np.uint64(UNTRACKED), np.int64(-1), ids.astype(np.int64)),
        _masks(masks),
        rotation if rotation.any() else None,
        _padded(points),
        _padded(vectors),
    )


def upright_boxes(table: ObjectTable, rows: NDArray[np.intp] | Sequence[int] | slice) -> Floats:
    """Left, top, width, height ``(n, 4)`` of the boxes, or of what encloses those that are turned; a copy."""
    boxes: Floats = table.column("rect")[rows]
    if isinstance(rows, slice):
        boxes = boxes.copy()
    rotation = table.column("rotation")[rows]
    if rotation.any():
        boxes[:, 2:] += boxes[:, :2]
        boxes = enclosing(boxes, rotation)
        boxes[:, 2:] -= boxes[:, :2]
    return boxes


def more_of(table: ObjectTable, row: int) -> dict[str, Any]:
    """What only few objects have, as plain data: ``rotation`` in degrees, ``keypoints`` as rows of three numbers."""
    more: dict[str, Any] = {}
    if rotation := float(table.cell("rotation", row)):
        more["rotation"] = round(rotation, 3)
    if row in table.skeletons:
        more["keypoints"] = np.round(table.skeletons[row].points.astype(np.float64), 3).tolist()
    return more


def _padded(arrays: Sequence[NDArray[Any] | None]) -> Floats | None:
    """One array of them all; those that are missing or shorter than others are filled with zeros."""
    given = [array for array in arrays if array is not None]
    if not given:
        return None
    column = np.zeros((len(arrays), max(map(len, given)), *given[0].shape[1:]), np.float32)
    for row, array in enumerate(arrays):
        if array is not None:
            column[row, : len(array)] = array
    return column


def _masks(masks: Sequence[Floats | None]) -> Floats | None:
    """Masks over boxes as one array of the greatest height and width; missing ones are empty."""
    given = [mask.shape for mask in masks if mask is not None and mask.size]
    if not given:
        return None
    height, width = np.max(given, axis=0).tolist()
    column = np.zeros((len(masks), height, width), np.float32)
    for row, mask in enumerate(masks):
        if mask is not None and mask.size:
            column[row] = mask if mask.shape == (height, width) else _enlarged(mask, (height, width))
    return column


def _enlarged(mask: Floats, shape: tuple[int, int]) -> Floats:
    """The mask at a greater height and width, each value repeated."""
    nearest = (np.arange(side) * have // side for side, have in zip(shape, mask.shape, strict=True))
    return mask[np.ix_(*nearest)]
