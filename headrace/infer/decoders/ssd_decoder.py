"""Detectors that suppress overlapping boxes inside the graph: SSD, EfficientNMS, end-to-end YOLO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import (
    STRIDES,
    BoxDecoder,
    DecodeOptions,
    Match,
    Outputs,
    grid_cells,
    only_output,
)
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_ROW = 6
#: A box whose corners all stay below this many "pixels" is in fractions of the input's size.
_FRACTIONS_BELOW = 2.0
_CLASS_WORDS = ("class", "label", "categor")


@dataclass(frozen=True, slots=True)
class _Roles:
    boxes: str
    scores: str
    classes: str
    count: str | None


class SsdDecoder(BoxDecoder):
    """Finished boxes, as three outputs or as rows of six numbers.

    Three outputs: boxes ``(N, M, 4)``, scores ``(N, M)``, classes ``(N, M)`` (an integer output, or one with
    ``class`` or ``label`` in its name), and perhaps the number of valid rows ``(N, 1)``. Rows:
    ``(N, M, 6)`` with left, top, right, bottom, score, class. Boxes may be in pixels of the input or in
    fractions of its size; TensorFlow's ``detection_boxes`` are top, left, bottom, right.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[10, 20, 30, 40, 0.9, 3], [0, 0, 5, 5, 0.1, 0]]], np.float32)
        >>> SsdDecoder().decode({"output": rows}, DecodeOptions(0.5, 64, 64)).class_id.tolist()
        [3]
    """

    name = "ssd"
    task = "detect"
    overlapping = False

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the number of axes and by names."""
        output, size = only_output(graph), graph.input_size()
        if output is not None and output.shape[2] == _ROW:
            cells = None if size is None else grid_cells(size, STRIDES)
            doubtful = cells is not None and output.shape[1] in (cells, 3 * cells)
            return Match(0.2 if doubtful else 0.8, f"{output}: rows of box, score, class")
        roles = _roles({o.name: (len(o.shape), o.shape[-1], o.dtype) for o in graph.outputs})
        return (
            None if roles is None else Match(0.8, f"outputs {roles.boxes}, {roles.scores}, {roles.classes}")
        )

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """Letterboxed RGB 0–1 for rows of six (YOLO), stretched RGB 0–255 for three outputs (SSD)."""
        if only_output(graph) is not None:
            return PreprocessOptions()
        return PreprocessOptions(resize="stretch", scale=1.0)

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        if len(outputs) == 1:
            (rows,) = outputs.values()
            return _chosen(rows[..., :4], rows[..., 4], rows[..., 5], options)
        roles = _roles({name: (a.ndim, a.shape[-1], str(a.dtype)) for name, a in outputs.items()})
        if roles is None:
            raise ValueError("they are not boxes, scores and classes")
        boxes, scores = outputs[roles.boxes], outputs[roles.scores]
        xp = array_namespace(boxes)
        if "detection_boxes" in roles.boxes:
            boxes = xp.stack([boxes[..., side] for side in (1, 0, 3, 2)], axis=-1)
        if roles.count is not None:
            numbers = xp.arange(scores.shape[1], device=scores.device)
            scores = xp.where(numbers[None] < xp.reshape(outputs[roles.count], (-1, 1)), scores, -1)
        return _chosen(boxes, scores, outputs[roles.classes], options)


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
    frame, row = xp.nonzero(scores >= options.confidence)
    chosen = boxes[frame, row]
    if len(chosen) and xp.max(xp.abs(chosen)) < _FRACTIONS_BELOW:
        chosen = chosen * xp.asarray(
            [options.width, options.height] * 2, dtype=chosen.dtype, device=chosen.device
        )
    return Candidates(frame, chosen, scores[frame, row], xp.astype(classes[frame, row], xp.int32))


DECODER = SsdDecoder()
