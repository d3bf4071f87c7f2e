"""Detectors that give finished boxes, scores and classes: SSD and others with suppression inside the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs
from headrace.infer.decoders.layouts import in_pixels
from headrace.infer.decoders.scores import numbers
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_CLASS_WORDS = ("class", "label", "categor")
#: TensorFlow's name; its boxes are top, left, bottom, right.
_TENSORFLOW = "detection_boxes"


@dataclass(frozen=True, slots=True)
class _Roles:
    boxes: str
    scores: str
    classes: str
    count: str | None


class SsdDecoder(BoxDecoder):
    """Finished boxes as three outputs.

    Boxes ``(N, M, 4)``, scores ``(N, M)``, classes ``(N, M)`` (an integer output, or one with ``class`` or ``label``
    in its name), and perhaps the number of valid rows ``(N, 1)``. Boxes may be in pixels of the input or in fractions
    of its size; TensorFlow's ``detection_boxes`` are top, left, bottom, right.

    Example:
        >>> import numpy as np
        >>> rows = {"boxes": np.array([[[10, 20, 30, 40]]]), "scores": np.array([[0.9]]), "labels": np.array([[3]])}
        >>> SsdDecoder().decode(rows, DecodeOptions(0.5, 64, 64)).class_id.tolist()
        [3]
    """

    name = "ssd"
    usual_size = (300, 300)
    task = "detect"
    overlapping = False

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the number of axes and by names."""
        roles = roles_in(graph)
        if roles is None:
            return None
        score = 0.8 if roles.count is None or _TENSORFLOW in roles.boxes else 0.6
        return Match(score, f"outputs {roles.boxes}, {roles.scores}, {roles.classes}")

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–255, stretched."""
        return PreprocessOptions(resize="stretch", scale=1.0)

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        roles = _roles({name: (a.ndim, a.shape[-1], str(a.dtype)) for name, a in outputs.items()})
        if roles is None:
            raise ValueError("they are not boxes, scores and classes")
        boxes, scores = outputs[roles.boxes], outputs[roles.scores]
        xp = array_namespace(boxes)
        if _TENSORFLOW in roles.boxes:
            boxes = xp.stack([boxes[..., side] for side in (1, 0, 3, 2)], axis=-1)
        if roles.count is not None:
            numbers = xp.arange(scores.shape[1], device=scores.device)
            scores = xp.where(numbers[None] < xp.reshape(outputs[roles.count], (-1, 1)), scores, -1)
        return _chosen(boxes, scores, outputs[roles.classes], options)


def roles_in(graph: ModelGraph) -> _Roles | None:
    """Which output of a graph is what; ``None`` where they are not three, or four with a count."""
    if any(not output.shape for output in graph.outputs):
        return None
    return _roles({o.name: (len(o.shape), o.shape[-1], o.dtype) for o in graph.outputs})


def _roles(shapes: Mapping[str, tuple[int, int | None, str]]) -> _Roles | None:
    """Which output is what, by number of axes, last axis, type and name."""
    boxes = [name for name, (ndim, last, _) in shapes.items() if ndim == 3 and last == 4]
    counts = [
        name for name, (ndim, last, _) in shapes.items() if "num" in name.lower() and (ndim, last) != (3, 4)
    ]
    columns = [name for name, (ndim, _, _) in shapes.items() if ndim == 2 and name not in counts]
    if len(boxes) != 1 or len(counts) > 1 or len(columns) != 2 or len(shapes) != 3 + len(counts):
        return None
    classes = [name for name in columns if any(word in name.lower() for word in _CLASS_WORDS)]
    classes = classes or [name for name in columns if "int" in shapes[name][2]]
    if len(classes) != 1:
        return None
    scores = next(name for name in columns if name != classes[0])
    return _Roles(boxes[0], scores, classes[0], counts[0] if counts else None)


def _chosen(boxes: Array, scores: Array, classes: Array, options: DecodeOptions) -> Candidates:
    xp = array_namespace(boxes)
    frame, row = xp.nonzero(numbers(scores) >= options.confidence)
    class_id = xp.astype(classes[frame, row], xp.int32)
    return Candidates(frame, in_pixels(boxes[frame, row], options), scores[frame, row], class_id)


DECODER = SsdDecoder()
