"""Detectors that suppress overlapping boxes inside the graph: SSD, EfficientNMS, end-to-end YOLO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.decoders.base import STRIDES, DecodeOptions, grid_cells, only_output
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions
from headrace.meta import Detections

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


class SsdDecoder:
    """Finished boxes, as three outputs or as rows of six numbers.

    Three outputs: boxes ``(N, M, 4)``, scores ``(N, M)``, classes ``(N, M)`` (an integer output, or one with
    ``class`` or ``label`` in its name), and perhaps the number of valid rows ``(N, 1)``. Rows:
    ``(N, M, 6)`` with left, top, right, bottom, score, class. Boxes may be in pixels of the input or in
    fractions of its size; TensorFlow's ``detection_boxes`` are top, left, bottom, right.

    Example:
        >>> rows = np.array([[[10, 20, 30, 40, 0.9, 3], [0, 0, 5, 5, 0.1, 0]]], np.float32)
        >>> SsdDecoder().decode({"output": rows}, DecodeOptions(0.5, 64, 64))[0].class_id.tolist()
        [3]
    """

    name = "ssd"
    needs_nms = False

    def matches(self, graph: ModelGraph) -> float | None:
        """By the number of axes and by names; see `Decoder.matches`."""
        output, size = only_output(graph), graph.input_size()
        if output is not None and output.shape[2] == _ROW:
            cells = None if size is None else grid_cells(size, STRIDES)
            return 0.2 if cells is not None and output.shape[1] in (cells, 3 * cells) else 0.8
        found = _roles({o.name: (len(o.shape), o.shape[-1], o.dtype) for o in graph.outputs})
        return None if found is None else 0.8

    def class_count(self, graph: ModelGraph) -> int | None:
        """Unknown: a class is a number in a row."""
        return None

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """Letterboxed RGB 0–1 for rows of six (YOLO), stretched RGB 0–255 for three outputs (SSD)."""
        if only_output(graph) is not None:
            return PreprocessOptions()
        return PreprocessOptions(resize="stretch", scale=1.0)

    def decode(self, outputs: Mapping[str, NDArray[Any]], options: DecodeOptions) -> list[Detections]:
        """See `Decoder.decode`."""
        if len(outputs) == 1:
            (rows,) = outputs.values()
            parts = [(row[:, :4], row[:, 4], row[:, 5]) for row in rows]
            return [_select(*part, options) for part in parts]
        roles = _roles({name: (a.ndim, a.shape[-1], str(a.dtype)) for name, a in outputs.items()})
        if roles is None:
            raise ValueError("they are not boxes, scores and classes")
        boxes = outputs[roles.boxes]
        if "detection_boxes" in roles.boxes:
            boxes = boxes[..., [1, 0, 3, 2]]
        found = []
        for row in range(len(boxes)):
            valid = slice(None if roles.count is None else int(outputs[roles.count].reshape(-1)[row]))
            scores, classes = outputs[roles.scores][row, valid], outputs[roles.classes][row, valid]
            found.append(_select(boxes[row, valid], scores, classes, options))
        return found


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


def _select(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[Any], options: DecodeOptions
) -> Detections:
    keep = np.flatnonzero(scores >= options.confidence)
    chosen = boxes[keep].astype(np.float32)
    if len(chosen) and np.abs(chosen).max() < _FRACTIONS_BELOW:
        chosen *= np.array([options.width, options.height] * 2, np.float32)
    return Detections(chosen, scores[keep].astype(np.float32), classes[keep].astype(np.int32))


DECODER = SsdDecoder()
