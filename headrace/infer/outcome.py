"""From what a user's model returned to checked results; what does not fit is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headrace.errors import ModelError
from headrace.infer.pictures import Embeddings, Labels
from headrace.infer.result import BoxResults, Result
from headrace.meta import Detections, Label, Segmentation, TensorOutput
from headrace.meta.detections import OPTIONAL_COLUMNS, to_numpy
from headrace.meta.skeleton import Edges

#: What a model may return for each frame.
Outcome = (
    Result | Detections | Labels | Embeddings | Segmentation | Sequence[Label] | Mapping[str, Any]
)  # fmt: skip

_EXPECTED = (
    "expected headrace.Detections (Oriented, Instances, Keypoints), Labels, Embeddings, Segmentation, a dictionary "
    "of arrays by name, or Result"
)
# Sums of float32 probabilities may be a little above 1.
_SLACK = 1e-3


def as_results(
    values: Any,
    frames: int,
    where: str,
    labels: Sequence[str],
    noun: str = "result",
    skeleton: Edges | None = None,
) -> list[Result]:
    """Results of a batch from what a model's method returned.

    Args:
        values: A list with one `Outcome` for each frame.
        frames: Number of frames.
        where: Class and method, for messages.
        labels: Names of the model's classes.
        noun: What an entry is called in messages.
        skeleton: Pairs of keypoints that a line joins.

    Raises:
        ModelError: Something else was returned, or a value is not finite, out of its range, or has no label.
    """
    check_count(values, frames, where, noun)
    if all(type(value) is Detections for value in values) and _plainly_fine(values, labels):
        return [Result(value, labels, skeleton=skeleton) for value in values]
    return [
        _checked(_as_result(value, place, labels, skeleton), place)
        for place, value in (
            (f"{where}, frame {row} of the batch", value) for row, value in enumerate(values)
        )
    ]


def _plainly_fine(batch: Sequence[Detections], labels: Sequence[str]) -> bool:
    """Whether `check_detections` holds for upright boxes: a look at a batch costs a third of one at each frame."""
    if not batch or any(getattr(found, name) is not None for found in batch for name in OPTIONAL_COLUMNS):
        return False
    xyxy, confidence, class_id = (
        np.concatenate([getattr(found, name) for found in batch])
        for name in ("xyxy", "confidence", "class_id")
    )
    if not len(xyxy):
        return True
    # What is not a number fails every comparison.
    return bool(
        np.isfinite(xyxy).all()
        and (xyxy[:, 2:] >= xyxy[:, :2]).all()
        and confidence.min() >= -_SLACK
        and confidence.max() <= 1 + _SLACK
        and class_id.min() >= 0
        and (not labels or class_id.max() < len(labels))
    )


def check_count(values: Any, frames: int, where: str, noun: str) -> None:
    """Refuse what is not one entry for each frame.

    Raises:
        ModelError: It is no list or tuple, or has another length.
    """
    if not isinstance(values, list | tuple | BoxResults):
        raise ModelError(f"{where} returned {type(values).__name__}; expected a list, one {noun} per frame")
    if len(values) != frames:
        raise ModelError(f"{where} returned {len(values)} results for {frames} frames; expected one each")


def _as_result(value: Any, where: str, labels: Sequence[str], skeleton: Edges | None) -> Result:
    if isinstance(value, Result):
        return replace(value, names=value.names or labels, skeleton=value.skeleton or skeleton)
    if isinstance(value, Detections):
        return Result(detections=value, names=labels, skeleton=skeleton)
    if isinstance(value, Labels):
        _check_values("confidence", value.confidence, where, most=1.0)
        _check_classes(value.class_id.tolist(), where, labels)
        return Result(labels=value.named(labels))
    if isinstance(value, Embeddings):
        return Result(embedding=value.vector)
    if isinstance(value, Segmentation):
        return Result(segmentation=value)
    if isinstance(value, Mapping):
        return Result(tensors=TensorOutput(0, {name: to_numpy(array, None) for name, array in value.items()}))
    if isinstance(value, list | tuple) and all(isinstance(label, Label) for label in value):
        return Result(labels=tuple(value))
    hint = "; for a frame without objects return Detections.empty()" if value is None else ""
    raise ModelError(f"{where}: returned {type(value).__name__}; {_EXPECTED}{hint}")


def _checked(result: Result, where: str) -> Result:
    """The result, objects as plain `Detections`; errors as for `check_detections`."""
    for name in ("embedding", "keypoints"):
        if (array := getattr(result, name)) is not None:
            _check_values(name, array, where)
    if result.detections is None:
        return result
    check_detections(result.detections, where, result.names)
    return replace(result, detections=result.detections[:])


def check_detections(found: Any, where: str, labels: Sequence[str]) -> None:
    """Refuse detections that cannot be used.

    Raises:
        ModelError: Something else than detections; values that are not finite or out of their range, boxes whose
            corners are the wrong way round, or classes without a label.
    """
    if not isinstance(found, Detections):
        raise ModelError(f"{where}: returned {type(found).__name__}; {_EXPECTED}")
    _check_values("confidence", found.confidence, where, most=1.0)
    for name in ("xyxy", "masks", "rotation", "keypoints", "embeddings"):
        if (column := getattr(found, name)) is not None:
            _check_values(name, column, where)
    if found.keypoints is not None:
        _check_values("keypoints[..., 2]", found.keypoints[..., 2], where, most=1.0)
    if (found.xyxy[:, 2:] < found.xyxy[:, :2]).any():
        row = int(np.flatnonzero((found.xyxy[:, 2:] < found.xyxy[:, :2]).any(axis=1))[0])
        raise ModelError(
            f"{where}: xyxy of object {row} is {found.xyxy[row].tolist()}, which ends before it begins; expected left, "
            "top, right, bottom in pixels"
        )
    _check_classes(found.class_id.tolist(), where, labels)


def _check_values(name: str, column: Any, where: str, most: float | None = None) -> None:
    """Refuse values that are not finite, or with ``most`` not between 0 and that."""
    if not np.isfinite(column).all():
        row = np.argwhere(~np.isfinite(column))[0].tolist()[0]
        raise ModelError(
            f"{where}: {name} is not finite (NaN or infinite) in row {row}; does the model overflow?"
        )
    if most is not None and column.size and not (column.min() >= -_SLACK and column.max() <= most + _SLACK):
        raise ModelError(
            f"{where}: {name} goes from {column.min():g} to {column.max():g}; expected 0 to {most:g}: are these "
            "logits or percentages?"
        )


def _check_classes(classes: Sequence[int], where: str, labels: Sequence[str]) -> None:
    if classes and min(classes) < 0:
        raise ModelError(f"{where}: class {min(classes)} is negative; expected numbers from 0")
    if classes and labels and max(classes) >= len(labels):
        raise ModelError(
            f"{where}: class {max(classes)} has no label, there are {len(labels)} labels; "
            f"give {max(classes) + 1} or more"
        )
