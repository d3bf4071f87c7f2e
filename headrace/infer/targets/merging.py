"""Objects that several overlapping pictures of one frame show, made one again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.infer.nms import gaussian_overlap, gaussians
from headrace.meta.detections import Detections
from headrace.meta.turning import enclosing

MergeMode = Literal["nmm", "nms", "none"]
MergeMetric = Literal["ios", "iou"]
_CHOICES = {"mode": ("nmm", "nms", "none"), "metric": ("ios", "iou")}
_Rows = NDArray[np.intp]
_Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """How objects that lie over each other in several pictures become one.

    Attributes:
        mode: ``nmm`` joins boxes into one around all of them (greedy non-maximum merging, as slicing aided inference
            does), ``nms`` keeps the most confident, ``none`` keeps all.
        metric: What is compared: ``ios``, the intersection over the smaller box, which also finds the half of an object
            at a tile's edge; ``iou``, over the union.
        threshold: From which overlap on (0–1) boxes show the same object.

    Raises:
        ConfigError: A value out of its choices or bounds.

    Example:
        >>> MergeOptions(mode="nms", metric="iou").threshold
        0.5
    """

    mode: MergeMode = "nmm"
    metric: MergeMetric = "ios"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(f"merge {name} is {getattr(self, name)!r}; use one of {', '.join(choices)}")
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"merge-threshold is {self.threshold:g}; use more than 0, and 1 at most")


def merge(
    parts: Sequence[Detections], group: Sequence[int] | _Rows, options: MergeOptions
) -> list[Detections]:
    """What was found in each group of pictures, seen twice or not.

    Boxes are compared across pictures only: what a model found in one picture went through its own suppression, so that
    two people who stand close together stay two. Only boxes of one class are joined. The most confident gives class,
    confidence and everything else; boxes that are turned, or carry a mask, are not joined but dropped, as in ``nms``.

    Args:
        parts: What was found in each picture, in pixels that all pictures of a group share.
        group: Group of each picture, from 0.
        options: How.

    Returns:
        One entry for each group, most confident first.

    Example:
        >>> left = Detections([[50, 10, 64, 30]], [0.6], [0])
        >>> right = Detections([[48, 10, 90, 30]], [0.8], [0])
        >>> merge([left, right], [0, 0], MergeOptions())[0].xyxy.tolist()
        [[48.0, 10.0, 90.0, 30.0]]
    """
    groups = int(max(group, default=-1)) + 1
    picture = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    found = Detections.joined(parts)
    place = np.asarray(group, np.intp)[picture]
    order = np.lexsort((-found.confidence, place))
    found, picture, place = found[order], picture[order], place[order]
    if options.mode != "none":
        kind = place * (int(found.class_id.max(initial=0)) + 1) + found.class_id
        head = _heads(len(found), *_same(found, kind, picture, options))
        if options.mode == "nmm" and found.rotation is None and found.masks is None:
            np.minimum.at(found.xyxy[:, :2], head, found.xyxy[:, :2].copy())
            np.maximum.at(found.xyxy[:, 2:], head, found.xyxy[:, 2:].copy())
        keep = np.flatnonzero(head == np.arange(len(head)))
        found, place = found[keep], place[keep]
    bounds = np.searchsorted(place, np.arange(groups + 1)).tolist()
    return [found[start:stop] for start, stop in pairwise(bounds)]


def _same(found: Detections, kind: _Rows, picture: _Rows, options: MergeOptions) -> tuple[_Rows, _Rows]:
    """Pairs of rows that show one object, the lower (more confident) row first."""
    boxes = _bounds(found)
    first, second = _touching(boxes, kind)
    keep = picture[first] != picture[second]
    first, second = np.minimum(first, second)[keep], np.maximum(first, second)[keep]
    if found.rotation is not None:
        shapes = gaussians(found.xyxy, found.rotation)
        overlap = gaussian_overlap(shapes[first].T, shapes[second])
    else:
        overlap = _overlap(boxes[first], boxes[second], options.metric)
    same = overlap >= options.threshold
    return first[same], second[same]


def _bounds(found: Detections) -> _Floats:
    """Upright boxes around the objects."""
    boxes = found.xyxy if found.rotation is None else enclosing(found.xyxy, found.rotation)
    return boxes.astype(np.float64)


def _touching(boxes: _Floats, kind: _Rows) -> tuple[_Rows, _Rows]:
    """Pairs of rows of one kind whose boxes overlap.

    Rows are sorted along one axis, on which kinds lie apart; then each touches a run of those that follow.
    """
    apart = kind * (np.ptp(boxes[:, [0, 2]]) + 1.0) if len(boxes) else np.empty(0)
    left, right = boxes[:, 0] + apart, boxes[:, 2] + apart
    order = np.argsort(left, kind="stable")
    following = np.arange(1, len(order) + 1)
    counts = np.maximum(np.searchsorted(left[order], right[order]) - following, 0)
    one = np.repeat(np.arange(len(order)), counts)
    other = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts) + following[one]
    one, other = order[one], order[other]
    level = (boxes[one, 1] < boxes[other, 3]) & (boxes[other, 1] < boxes[one, 3])
    return one[level], other[level]


def _overlap(one: _Floats, other: _Floats, metric: MergeMetric) -> _Floats:
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = [np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (one, other)]
    whole = np.minimum(*areas) if metric == "ios" else areas[0] + areas[1] - shared
    return np.asarray(shared / np.maximum(whole, np.finfo(np.float64).tiny))


def _heads(n: int, better: _Rows, worse: _Rows) -> _Rows:
    """For each row the one that stands for it, itself for those that stay, as a greedy pass over all rows finds it.

    All rows that no undecided better one overlaps stay at once, and what they overlap goes; a few rounds decide all.
    """
    first, second = better, worse
    gone = np.zeros(n, np.bool_)
    while len(better):
        blocked = np.zeros(n, np.bool_)
        blocked[worse] = True
        stays = ~blocked[better]
        gone[worse[stays]] = True
        undecided = ~(gone[better] | gone[worse])
        better, worse = better[undecided], worse[undecided]
    head = np.arange(n)
    taken = ~gone[first]
    head[second[taken]] = n
    np.minimum.at(head, second[taken], first[taken])
    return head
