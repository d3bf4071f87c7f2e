"""How far the detections of two runs agree, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from headrace.infer.agreement import Agreement
from headrace.infer.result import Result
from headrace.meta import Detections

#: Overlaps at which detections are compared: found at all, and in the same place.
LOOSE, TIGHT = 0.5, 0.9
#: Source and number of a frame to what was found in it.
Found = Mapping[tuple[int, int], Detections]


def read_detections(path: Path) -> Found:
    """What ``headrace run --detections`` wrote.

    Raises:
        OSError: The file cannot be read.
    """
    lines = path.read_bytes().splitlines()
    records = [msgspec.json.decode(line) for line in lines]
    return {(record["source"], record["frame"]): _detections(record["objects"]) for record in records}


def _detections(objects: list[dict[str, Any]]) -> Detections:
    if not objects:
        return Detections.empty()
    boxes, confidence, classes = ([one[key] for one in objects] for key in ("box", "confidence", "class_id"))
    return Detections(
        np.array(boxes, np.float32), np.array(confidence, np.float32), np.array(classes, np.int32)
    )


def f1_score(first: Found, second: Found, iou: float) -> float:
    """F1 score of the second if the first were the truth, over the frames that both have; 1 where nothing is in them.

    Args:
        first: The truth.
        second: What is judged.
        iou: Overlap from which two boxes of a class are one.

    Example:
        >>> found = {(0, 0): Detections([[0, 0, 9, 9]], [0.8], [0])}
        >>> f1_score(found, {(0, 0): Detections.empty()}, 0.5)
        0.0
    """
    agreement = Agreement(iou)
    for key in first.keys() & second.keys():
        agreement.add(Result(first[key]), Result(second[key]))
    return agreement.f1
