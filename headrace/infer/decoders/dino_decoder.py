"""Deformable DETR, DINO and their kin, with sigmoid scores (arXiv:2010.04159, 2203.03605)."""

from __future__ import annotations

from headrace.infer.decoders.base import Match
from headrace.infer.decoders.queries import QueryDecoder, sigmoid_match
from headrace.infer.engines.base import ModelGraph

#: COCO's category numbers as classes, and the queries of DINO.
_COCO, _QUERIES = 91, 900


class DinoDecoder(QueryDecoder):
    """Outputs ``…logits`` ``(N, queries, classes)`` and ``…boxes`` ``(N, queries, 4)``.

    Example:
        >>> import numpy as np
        >>> from headrace.infer.decoders import DecodeOptions
        >>> outputs = {"pred_logits": np.array([[[-9, 2.0]]]), "pred_boxes": np.array([[[0.5, 0.5, 0.25, 0.5]]])}
        >>> found = DinoDecoder().decode(outputs, DecodeOptions(0.5, 64, 32))
        >>> found.xyxy.tolist(), found.class_id.tolist()
        ([[24.0, 8.0, 40.0, 24.0]], [1])
    """

    name = "dino"
    usual_size = (800, 800)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the numbers of the published weights; RT-DETR gives the same outputs."""
        return sigmoid_match(graph, lambda queries, classes: classes == _COCO or queries == _QUERIES)


DECODER = DinoDecoder()
