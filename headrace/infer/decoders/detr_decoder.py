"""DETR's descendants with sigmoid scores: Deformable DETR, DINO, RT-DETR (arXiv:2010.04159, 2203.03605, 2304.08069)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.decoders.base import DecodeOptions, corners
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions
from headrace.meta import Detections

_BOX = 4


class DetrDecoder:
    """Two outputs: ``…logits`` ``(N, queries, classes)`` and ``…boxes`` ``(N, queries, 4)``.

    Boxes are centre x, y, width, height in fractions of the input's size. Every query is one object at most.

    Example:
        >>> outputs = {"pred_logits": np.array([[[-9, 2.0]]]), "pred_boxes": np.array([[[0.5, 0.5, 0.25, 0.5]]])}
        >>> [found] = DetrDecoder().decode(outputs, DecodeOptions(0.5, 64, 32))
        >>> found.xyxy.tolist(), found.class_id.tolist()
        ([[24.0, 8.0, 40.0, 24.0]], [1])
    """

    name = "detr"
    needs_nms = False

    def matches(self, graph: ModelGraph) -> float | None:
        """By the two names and by three axes."""
        roles = _roles([output.name for output in graph.outputs])
        if roles is None:
            return None
        shapes = {output.name: output.shape for output in graph.outputs}
        logits, boxes = shapes[roles[0]], shapes[roles[1]]
        return 0.9 if len(logits) == len(boxes) == 3 and boxes[2] in (_BOX, None) else None

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the logits."""
        roles = _roles([output.name for output in graph.outputs])
        lengths = {output.name: output.shape[-1] for output in graph.outputs}
        return None if roles is None else lengths[roles[0]]

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB, stretched, normalised by the means and deviations of ImageNet."""
        mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
        return PreprocessOptions(resize="stretch", scale=1.0, mean=mean, std=std)

    def decode(self, outputs: Mapping[str, NDArray[Any]], options: DecodeOptions) -> list[Detections]:
        """See `Decoder.decode`."""
        roles = _roles(list(outputs))
        if roles is None:
            raise ValueError("they are not logits and boxes")
        size = np.array([options.width, options.height] * 2, np.float32)
        found = []
        for logits, boxes in zip(outputs[roles[0]], outputs[roles[1]], strict=True):
            scores = 1 / (1 + np.exp(-logits.max(axis=1).astype(np.float32)))
            keep = np.flatnonzero(scores >= options.confidence)
            chosen = corners(boxes[keep].astype(np.float32)) * size
            classes = logits[keep].argmax(axis=1).astype(np.int32)
            found.append(Detections(chosen.astype(np.float32), scores[keep], classes))
        return found


def _roles(names: list[str]) -> tuple[str, str] | None:
    """The logits' and the boxes' name."""
    logits = [name for name in names if "logit" in name.lower()]
    boxes = [name for name in names if "box" in name.lower()]
    return (logits[0], boxes[0]) if len(names) == 2 and len(logits) == len(boxes) == 1 else None


DECODER = DetrDecoder()
