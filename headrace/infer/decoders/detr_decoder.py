"""DETR's descendants with sigmoid scores: Deformable DETR, DINO, RT-DETR (arXiv:2010.04159, 2203.03605, 2304.08069)."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, above, corners
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions

_BOX = 4


class DetrDecoder(BoxDecoder):
    """Two outputs: ``…logits`` ``(N, queries, classes)`` and ``…boxes`` ``(N, queries, 4)``.

    Boxes are centre x, y, width, height in fractions of the input's size. Every query is one object at most.

    Example:
        >>> import numpy as np
        >>> outputs = {"pred_logits": np.array([[[-9, 2.0]]]), "pred_boxes": np.array([[[0.5, 0.5, 0.25, 0.5]]])}
        >>> found = DetrDecoder().decode(outputs, DecodeOptions(0.5, 64, 32))
        >>> found.xyxy.tolist(), found.class_id.tolist()
        ([[24.0, 8.0, 40.0, 24.0]], [1])
    """

    name = "detr"
    task = "detect"
    overlapping = False

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the two names and by three axes."""
        roles = _roles([output.name for output in graph.outputs])
        if roles is None:
            return None
        shapes = {output.name: output.shape for output in graph.outputs}
        logits, boxes = (shapes[name] for name in roles)
        if len(logits) != 3 or len(boxes) != 3 or boxes[2] not in (_BOX, None):
            return None
        return Match(0.9, f"outputs {roles[0]} and {roles[1]}, a row for each query")

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the logits."""
        roles = _roles([output.name for output in graph.outputs])
        lengths = {output.name: output.shape[-1] for output in graph.outputs}
        return None if roles is None else lengths[roles[0]]

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB, stretched, normalised by the means and deviations of ImageNet."""
        return IMAGENET_RGB

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        roles = _roles(list(outputs))
        if roles is None:
            raise ValueError("they are not logits and boxes")
        logits, boxes = (outputs[name] for name in roles)
        xp = array_namespace(logits)
        frame, query, scores, classes = above(1 / (1 + xp.exp(-logits)), options.confidence)
        size = xp.asarray([options.width, options.height] * 2, dtype=boxes.dtype, device=boxes.device)
        return Candidates(frame, corners(boxes[frame, query]) * size, scores, classes)


def _roles(names: list[str]) -> tuple[str, str] | None:
    """The logits' and the boxes' name."""
    logits = [name for name in names if "logit" in name.lower()]
    boxes = [name for name in names if "box" in name.lower()]
    return (logits[0], boxes[0]) if len(names) == 2 and len(logits) == len(boxes) == 1 else None


DECODER = DetrDecoder()
