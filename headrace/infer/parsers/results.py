"""What users' parsers may return, made the project's own nouns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.masks import stack_masks
from headrace.meta import Detections, Label, Segmentation

_ROW = 6


def as_detections(result: Any) -> Detections:
    """Detections of any kind, rows of six numbers, or objects with DeepStream's attributes; see `load_parser`.

    Raises:
        TypeError: None of these.
        ValueError: Rows of another length, or a number that is not finite.
        AttributeError: An object lacks an attribute.
    """
    if isinstance(result, Detections):
        return result[:]
    if not isinstance(result, Sequence | np.ndarray) or isinstance(result, str):
        raise TypeError(f"{type(result).__name__}, not Detections, rows or a list of objects")
    if len(result) == 0:
        return Detections.empty()
    if hasattr(result[0], "classId"):
        return _from_objects(list(result))
    rows = np.asarray(result, np.float64)
    if rows.ndim != 2 or rows.shape[1] != _ROW:
        raise ValueError(
            f"an array of shape {rows.shape}, not rows [class_id, confidence, left, top, right, bottom]"
        )
    return _detections(rows[:, 2:], rows[:, 1], rows[:, 0])


def _from_objects(objects: Sequence[Any]) -> Detections:
    columns = np.array(
        [(o.classId, o.detectionConfidence, o.left, o.top, o.width, o.height) for o in objects], np.float64
    )
    boxes = np.hstack([columns[:, 2:4], columns[:, 2:4] + columns[:, 4:]])
    masks = stack_masks([_mask(o) for o in objects]) if hasattr(objects[0], "mask") else None
    return _detections(boxes, columns[:, 1], columns[:, 0], masks)


def _mask(item: Any) -> NDArray[np.float32]:
    mask = np.asarray(item.mask, np.float32)
    return mask if mask.ndim == 2 else mask.reshape(item.mask_height, item.mask_width)


def _detections(
    boxes: NDArray[Any],
    confidence: NDArray[Any],
    classes: NDArray[Any],
    masks: NDArray[np.float32] | None = None,
) -> Detections:
    if not (np.isfinite(boxes).all() and np.isfinite(confidence).all() and np.isfinite(classes).all()):
        raise ValueError("a number that is not finite")
    return Detections(
        boxes.astype(np.float32), confidence.astype(np.float32), classes.astype(np.int32), masks=masks
    )


def as_labels(result: Any) -> list[Label]:
    """Labels, names, pairs of name and probability, or objects with DeepStream's attributes.

    Raises:
        TypeError: None of these.
        AttributeError: An object lacks an attribute.
    """
    if not isinstance(result, list | tuple):
        raise TypeError(f"{type(result).__name__}, not a list of labels")
    return [_as_label(item, number) for number, item in enumerate(result)]


def _as_label(item: Any, number: int) -> Label:
    if isinstance(item, Label):
        return item
    if isinstance(item, str):
        return Label(item, prob=1.0, label_id=number)
    if isinstance(item, tuple | list):
        name, probability = item
        return Label(str(name), prob=float(probability), label_id=number)
    value, index = int(item.attributeValue), int(item.attributeIndex)
    return Label(item.attributeLabel or "", value, float(item.attributeConfidence), index)


def as_segmentation(result: Any) -> Segmentation:
    """A segmentation, a class map, or a pair of class map and probabilities.

    Raises:
        TypeError: None of these.
        ValueError: Arrays of other shapes.
    """
    if isinstance(result, Segmentation):
        return result
    classes, scores = result if isinstance(result, tuple) else (result, None)
    if not isinstance(classes, np.ndarray) or not np.issubdtype(classes.dtype, np.integer):
        raise TypeError(f"{type(classes).__name__}, not an integer array with the class of each pixel")
    if classes.ndim != 2:
        raise ValueError(f"a class map of shape {classes.shape}, not (height, width)")
    if scores is None:
        return Segmentation(0, classes.astype(np.int32))
    scores = np.asarray(scores, np.float32)
    if scores.ndim != 3 or scores.shape[:2] != classes.shape:
        raise ValueError(f"probabilities of shape {scores.shape} for a class map of {classes.shape}")
    return Segmentation(0, classes.astype(np.int32), scores)
