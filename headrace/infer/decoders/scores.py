"""Which boxes of a batch are sure enough: the part of decoding that looks at every score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from array_api_compat import array_namespace

from headrace.infer.candidates import Array


class NotFiniteError(ValueError):
    """What a network says is not finite: NaN or infinite.

    Example:
        >>> above(np.full((1, 2, 3), np.nan), 0.5)
        Traceback (most recent call last):
        headrace.infer.decoders.scores.NotFiniteError: scores are not finite (NaN)
    """


class Sure(NamedTuple):
    """Boxes that reach the confidence, in the order of frames and boxes; every array is ``(n,)``.

    Attributes:
        frame: Row of the batch.
        box: Row of the box.
        score: 0–1.
        class_id: From 0.

    Example:
        >>> above(np.array([[[0.1, 0.2], [0.3, 0.9]]]), 0.5).class_id.tolist()
        [1]
    """

    frame: Array
    box: Array
    score: Array
    class_id: Array


def above(scores: Array, confidence: float, objectness: Array | None = None) -> Sure:
    """Boxes whose best class reaches the confidence.

    Args:
        scores: ``(frames, boxes, classes)`` in 0–1, the classes next to each other in memory; for the other order
            see `above_columns`.
        confidence: Least score, after the product with objectness.
        objectness: ``(frames, boxes)`` in 0–1, multiplied with the scores; class scores are looked at only where it
            reaches the confidence alone, because a product cannot exceed it.

    Raises:
        NotFiniteError: Scores are NaN; they would look like pictures with nothing in them.
    """
    xp = array_namespace(scores)
    frame, box = _rows(scores, confidence) if objectness is None else xp.nonzero(~(objectness < confidence))
    chosen = scores[frame, box]
    best = xp.max(chosen, axis=1) if chosen.shape[0] else chosen[:, 0]
    if objectness is not None:
        best = objectness[frame, box] * best
    keep = numbers(best) >= confidence
    return Sure(frame[keep], box[keep], best[keep], xp.argmax(chosen[keep], axis=1))


def above_columns(scores: Array, confidence: float) -> Sure:
    """Boxes whose best class reaches the confidence, where the boxes lie next to each other in memory.

    Args:
        scores: ``(frames, classes, boxes)`` in 0–1.
        confidence: Least score.

    Raises:
        NotFiniteError: Scores are NaN.
    """
    xp = array_namespace(scores)
    boxes = scores.shape[2]
    best = xp.reshape(numbers(xp.max(scores, axis=1)), (-1,))
    (hits,) = xp.nonzero(best >= confidence)
    frame, box = hits // boxes, hits % boxes
    return Sure(frame, box, best[hits], xp.argmax(scores[frame, :, box], axis=1))


def every_above(scores: Array, confidence: float) -> Sure:
    """All pairs of box and class that reach the confidence: a box may come with several classes.

    Args:
        scores: ``(frames, boxes, classes)`` in 0–1.
        confidence: Least score.

    Raises:
        NotFiniteError: Scores are NaN.
    """
    hits, (_, boxes, classes) = _hits(scores, confidence), scores.shape
    frame, box, class_id = hits // (boxes * classes), hits // classes % boxes, hits % classes
    return Sure(frame, box, numbers(scores[frame, box, class_id]), class_id)


def _rows(scores: Array, confidence: float) -> tuple[Array, Array]:
    """Frame and box with any class that reaches the confidence or is NaN."""
    _, boxes, classes = scores.shape
    rows = array_namespace(scores).unique_values(_hits(scores, confidence) // classes)
    return rows // boxes, rows % boxes


def _hits(scores: Array, confidence: float) -> Array:
    """Positions in the flat array of what reaches the confidence or is NaN.

    One flat search: a maximum for each box would be a loop of its own over a few classes, and a search along three
    axes keeps three counters; either takes several times as long.
    """
    xp = array_namespace(scores)
    (hits,) = xp.nonzero(xp.reshape(~(scores < confidence), (-1,)))
    return hits


def numbers(scores: Array) -> Array:
    """The scores themselves.

    Raises:
        NotFiniteError: One is NaN.
    """
    # The greatest of numbers and NaN is NaN, which alone differs from itself.
    if 0 not in scores.shape and (most := array_namespace(scores).max(scores)) != most:
        raise NotFiniteError("scores are not finite (NaN)")
    return scores


def sigmoid(logits: Array) -> Array:
    """Logits to 0–1, in single precision and without overflow."""
    return (array_namespace(logits).tanh(single(logits) / 2) + 1) / 2


def logit(confidence: float) -> float:
    """The number whose `sigmoid` a confidence is: scores are compared before the function is worked out."""
    if not 0 < confidence < 1:
        return float(-np.inf if confidence <= 0 else np.inf)
    return float(np.log(confidence / (1 - confidence)))


def single(array: Array) -> Array:
    """As 32-bit floats: boxes in 16 bits are off by whole pixels."""
    xp = array_namespace(array)
    return xp.astype(array, xp.float32, copy=False)
