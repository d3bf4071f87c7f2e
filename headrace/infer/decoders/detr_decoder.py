"""DETR and what keeps its softmax: a class more than there are objects stands for none (arXiv:2005.12872)."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, corners
from headrace.infer.decoders.layouts import from_fractions
from headrace.infer.decoders.queries import QueryDecoder, query_roles, query_shape
from headrace.infer.decoders.scores import above, single
from headrace.infer.engines.base import ModelGraph

#: Queries and classes with the one for nothing: of DETR, and of its panoptic weights.
_COCO, _PANOPTIC, _QUERIES = 92, 251, 100


class DetrDecoder(QueryDecoder):
    """Outputs ``…logits`` ``(N, queries, classes + 1)`` and ``…boxes`` ``(N, queries, 4)``.

    DETR, YOLOS and Table Transformer are so. Scores are a softmax whose last class means that there is nothing.
    Every query is one object at most.

    Example:
        >>> import numpy as np
        >>> outputs = {"logits": np.array([[[-9, 2.0, 0]]]), "pred_boxes": np.array([[[0.5, 0.5, 0.25, 0.5]]])}
        >>> found = DetrDecoder().decode(outputs, DecodeOptions(0.5, 64, 32))
        >>> found.xyxy.tolist(), found.class_id.tolist()
        ([[24.0, 8.0, 40.0, 24.0]], [1])
    """

    name = "detr"
    usual_size = (800, 800)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By a class more than there are labels, or by the numbers of the published weights."""
        shape = query_shape(graph)
        if shape is None:
            return None
        queries, classes = shape
        reason = f"logits and boxes of {queries or 'some'} queries, {classes or 'some'} classes with one for nothing"
        if graph.class_count is not None and classes is not None:
            score = 0.9 if graph.class_count == classes - 1 else 0.3
            return Match(score, f"{reason}; {graph.class_count} labels")
        return Match(0.9 if queries == _QUERIES or classes in (_COCO, _PANOPTIC) else 0.6, reason)

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the logits less one."""
        classes = super().class_count(graph)
        return None if classes is None else classes - 1

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        logits, boxes = query_roles(outputs)
        xp, logits = array_namespace(logits), single(logits)
        shares = xp.exp(logits - xp.max(logits, axis=2, keepdims=True))
        scores = shares / xp.sum(shares, axis=2, keepdims=True)
        frame, query, sure, classes = above(scores[:, :, :-1], options.confidence)
        return Candidates(frame, from_fractions(corners(boxes[frame, query]), options), sure, classes)


DECODER = DetrDecoder()
