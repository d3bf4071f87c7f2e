"""Decoders of two outputs: finished boxes of all cells, and the scores of their classes."""

from __future__ import annotations

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs
from headrace.infer.decoders.layouts import GridDecoder, fit, strides_of
from headrace.infer.decoders.scores import above, above_columns, single
from headrace.infer.engines.base import ModelGraph

_BOX = 4


class PairDecoder(GridDecoder):
    """Boxes ``(N, cells, 4)`` in pixels and scores ``(N, cells, classes)``; derive a family from it.

    Attributes:
        boxes_first: Whether the family's exports give the boxes before the scores.
        columns: Whether scores are ``(N, classes, cells)``.
    """

    task = "detect"
    boxes_first: bool = True
    columns: bool = False

    def matches(self, graph: ModelGraph) -> Match | None:
        """By one box for each cell; families with the same shapes differ in the order of the outputs."""
        classes = self.class_count(graph)
        if classes is None:
            return None
        shapes = [output.shape for output in graph.outputs]
        boxes_first = shapes[0][1:] == (self._cells(graph), _BOX)
        score = fit(graph, classes, 0.9, 0.8, 0.5) - (0.2 if boxes_first != self.boxes_first else 0)
        return Match(
            score, f"{'; '.join(map(str, graph.outputs))}: a box and {classes} classes for each cell"
        )

    def class_count(self, graph: ModelGraph) -> int | None:
        """The axis of the scores that is not the cells'."""
        cells, shapes = self._cells(graph), [output.shape[1:] for output in graph.outputs]
        if cells is None or (cells, _BOX) not in shapes:
            return None
        shapes.remove((cells, _BOX))
        classes, count = shapes[0] if self.columns else shapes[0][::-1]
        return classes if count == cells else None

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        boxes, scores = self._roles(outputs)
        frame, cell, sure, classes = (above_columns if self.columns else above)(scores, options.confidence)
        return Candidates(frame, single(boxes[frame, cell]), sure, classes)

    def _roles(self, outputs: Outputs) -> tuple[Array, Array]:
        arrays = list(outputs.values())
        if len(arrays) != 2 or any(array.ndim != 3 for array in arrays):
            raise ValueError("they are not boxes and scores")
        boxes, scores = arrays if self.boxes_first else arrays[::-1]
        if boxes.shape[2] != _BOX:
            boxes, scores = scores, boxes
        cells = scores.shape[2 if self.columns else 1]
        if boxes.shape[2] != _BOX or boxes.shape[1] != cells:
            raise ValueError(f"{boxes.shape[1]} boxes do not go with scores of {cells}")
        return boxes, scores

    @staticmethod
    def _cells(graph: ModelGraph) -> int | None:
        """Number of cells, if it is what the boxes' output of two says."""
        shapes = [output.shape for output in graph.outputs]
        if len(shapes) != 2 or any(len(shape) != 3 for shape in shapes):
            return None
        counts = [shape[1] for shape in shapes if shape[2] == _BOX]
        return next((count for count in counts if strides_of(count, graph.input_size())), None)
