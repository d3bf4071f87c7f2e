"""Results of regions and tiles put together: one for each frame or object that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headrace.elements.inference.results import Target
from headrace.errors import ModelError
from headrace.infer.result import Result
from headrace.infer.targets.merging import MergeOptions, merge
from headrace.meta.detections import Detections


def put_together(
    targets: Sequence[Target], results: Sequence[Result], options: MergeOptions
) -> tuple[list[Target], list[Result]]:
    """Objects merged frame by frame; labels and raw outputs as they are, each with the part that it is of.

    Args:
        targets: What the results speak of.
        results: Boxes in pixels of the frame.
        options: How objects that several parts show become one.

    Raises:
        ModelError: A segmentation of a part: a frame's has one value for each of its pixels.
    """
    number: dict[tuple[int, int], int] = {}
    group = [number.setdefault((target.frame, target.row), len(number)) for target in targets]
    found = merge([result.detections or Detections.empty() for result in results], group, options)
    first: dict[int, Result] = {}
    for place, result in zip(group, results, strict=True):
        if result.detections is not None:
            first.setdefault(place, result)
    places = list(number)
    wholes = [Target(*places[place]) for place in first]
    merged = [replace(result.objects, detections=found[place]) for place, result in first.items()]
    for target, result in zip(targets, results, strict=True):
        if result.segmentation is not None and target.box is not None:
            raise ModelError(
                "the model gives a segmentation, which cannot be put together from regions or tiles; "
                "leave out regions and tile-size"
            )
        wholes.append(target)
        merged.append(_placed(replace(result, detections=None), target))
    return wholes, merged


def _placed(result: Result, target: Target) -> Result:
    """Raw outputs of a part of a frame lead back to pixels of the frame, as those of whole frames do."""
    tensors = result.tensors
    if tensors is None or target.box is None or target.row >= 0 or not all(tensors.scale):
        return result
    start = np.multiply(target.box[:2], tensors.scale)
    left, top = np.subtract(tensors.offset, start).tolist()
    return replace(result, tensors=replace(tensors, offset=(left, top)))
