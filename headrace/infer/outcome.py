"""From what a user's model returned to checked results; what does not fit is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headrace.errors import ModelError
from headrace.infer.result import Result
from headrace.meta import Detections, Label, TensorOutput


def as_results(
    values: Any, frames: int, where: str, labels: Sequence[str], noun: str = "result"
) -> list[Result]:
    """Results of a batch from what a model's method returned.

    Args:
        values: A sequence with one entry for each frame: `Detections`, a sequence of `Label`, a mapping of output
            names to arrays, or a `Result`.
        frames: Number of frames.
        where: Class and method, for messages.
        labels: Names of the model's classes.
        noun: What an entry is called in messages.

    Raises:
        ModelError: Something else was returned, or a value is not finite or has no label.
    """
    check_count(values, frames, where, noun)
    return [
        _as_result(value, f"{where}, frame {row} of the batch", labels) for row, value in enumerate(values)
    ]


def check_count(values: Any, frames: int, where: str, noun: str) -> None:
    """Refuse what is not one entry for each frame.

    Raises:
        ModelError: It is no list or tuple, or has another length.
    """
    if not isinstance(values, list | tuple):
        raise ModelError(f"{where} returned {type(values).__name__}; expected a list, one {noun} per frame")
    if len(values) != frames:
        raise ModelError(f"{where} returned {len(values)} results for {frames} frames; expected one each")


def _as_result(value: Any, where: str, labels: Sequence[str]) -> Result:
    if isinstance(value, Result):
        if value.detections is not None:
            check_detections(value.detections, where, value.names or labels)
        return value
    if isinstance(value, Detections):
        check_detections(value, where, labels)
        return Result(detections=value, names=labels)
    if isinstance(value, Mapping):
        return Result(tensors=TensorOutput(0, {name: np.asarray(array) for name, array in value.items()}))
    if isinstance(value, list | tuple) and all(isinstance(label, Label) for label in value):
        return Result(labels=tuple(value))
    raise ModelError(f"{where}: returned {type(value).__name__}; expected headrace.Detections")


def check_detections(found: Any, where: str, labels: Sequence[str]) -> None:
    """Refuse detections that cannot be used.

    Raises:
        ModelError: Something else than detections, values that are not finite, or classes without a label.
    """
    if not isinstance(found, Detections):
        raise ModelError(f"{where}: returned {type(found).__name__}; expected headrace.Detections")
    for name in ("xyxy", "confidence", "rotation", "keypoints"):
        column = getattr(found, name)
        if column is not None and not np.isfinite(column).all():
            raise ModelError(f"{where}: {name} is not finite (NaN or infinite); expected pixels and 0-1")
    classes = found.class_id.tolist()
    if classes and min(classes) < 0:
        raise ModelError(f"{where}: class {min(classes)} is negative; expected numbers from 0")
    if classes and labels and max(classes) >= len(labels):
        raise ModelError(
            f"{where}: class {max(classes)} has no label, there are {len(labels)} labels; "
            f"give {max(classes) + 1} or more"
        )
