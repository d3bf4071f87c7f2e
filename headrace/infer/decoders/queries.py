"""What DETR's descendants have in common: logits and boxes of queries."""

from __future__ import annotations

from collections.abc import Callable

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, corners
from headrace.infer.decoders.layouts import from_fractions
from headrace.infer.decoders.scores import every_above, logit, sigmoid
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions

_BOX = 4


class QueryDecoder(BoxDecoder):
    """Logits ``(N, queries, classes)`` and boxes ``(N, queries, 4)``; derive a family from it.

    Boxes are centre x, y, width, height in fractions of the input's size. Scores are sigmoids, so a query may be of
    several classes, and comes out once for each, as the families' own code does it.
    """

    task = "detect"
    overlapping = False

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the logits."""
        shape = query_shape(graph)
        return None if shape is None else shape[1]

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB, stretched, normalised by the means and deviations of ImageNet."""
        return IMAGENET_RGB

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        logits, boxes = query_roles(outputs)
        return from_logits(logits, boxes, options)


def from_logits(logits: Array, boxes: Array, options: DecodeOptions) -> Candidates:
    """Every pair of query and class whose sigmoid reaches the confidence; factors are the numbers of the queries."""
    frame, query, value, classes = every_above(logits, logit(options.confidence))
    found = from_fractions(corners(boxes[frame, query]), options)
    return Candidates(frame, found, sigmoid(value), classes, factors=query[:, None])


def sigmoid_match(graph: ModelGraph, published: Callable[[int | None, int | None], bool]) -> Match | None:
    """How likely outputs are queries with sigmoid scores; a class more than labels tells of a softmax.

    Args:
        graph: The model.
        published: Whether numbers of queries and classes are those of the family's published weights.
    """
    shape = query_shape(graph)
    if shape is None:
        return None
    queries, classes = shape
    reason = f"logits and boxes of {queries or 'some'} queries, {classes or 'some'} classes"
    if classes is not None and graph.class_count == classes - 1:
        return Match(0.3, f"{reason}, one more than there are labels")
    return Match(0.85 if published(queries, classes) else 0.6, reason)


def query_roles(outputs: Outputs) -> tuple[Array, Array]:
    """Logits and boxes.

    Raises:
        ValueError: They are not.
    """
    roles = _roles(list(outputs))
    if roles is None:
        raise ValueError("they are not logits and boxes")
    logits, boxes = (outputs[name] for name in roles)
    if logits.ndim != 3 or boxes.shape != (*logits.shape[:2], _BOX):
        raise ValueError(f"boxes {tuple(boxes.shape)} do not go with logits {tuple(logits.shape)}")
    return logits, boxes


def query_shape(graph: ModelGraph) -> tuple[int | None, int | None] | None:
    """Number of queries, and of logits of each, ``None`` where open; ``None`` for other outputs."""
    roles = _roles([output.name for output in graph.outputs])
    if roles is None:
        return None
    shapes = {output.name: output.shape for output in graph.outputs}
    logits, boxes = (shapes[name] for name in roles)
    if len(logits) != 3 or len(boxes) != 3 or boxes[2] not in (_BOX, None):
        return None
    return logits[1], logits[2]


def _roles(names: list[str]) -> tuple[str, str] | None:
    """The logits' and the boxes' name."""
    logits = [name for name in names if "logit" in name.lower()]
    boxes = [name for name in names if "box" in name.lower()]
    return (logits[0], boxes[0]) if len(names) == 2 and len(logits) == len(boxes) == 1 else None
