"""YOLOv4 of the PyTorch port that most ONNX and TensorRT exports come from: boxes in the graph."""

from __future__ import annotations

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs
from headrace.infer.decoders.layouts import fit, from_fractions
from headrace.infer.decoders.scores import above
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_BOX = (1, 4)


class Yolov4BoxesDecoder(BoxDecoder):
    """Outputs ``(N, M, 1, 4)`` left, top, right, bottom in fractions, and ``(N, M, classes)`` scores.

    Example:
        >>> import numpy as np
        >>> outputs = {"boxes": np.array([[[[0.25, 0.5, 0.75, 1.0]]]]), "confs": np.array([[[0.1, 0.9]]])}
        >>> Yolov4BoxesDecoder().decode(outputs, DecodeOptions(0.5, 64, 64)).xyxy.tolist()
        [[16.0, 32.0, 48.0, 64.0]]
    """

    name = "yolov4boxes"
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By boxes with an axis of one."""
        classes = self.class_count(graph)
        if classes is None:
            return None
        score = fit(graph, classes, 0.95, 0.9, 0.5)
        return Match(score, f"{'; '.join(map(str, graph.outputs))}: a box and {classes} classes in each row")

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the scores."""
        shapes = sorted((output.shape for output in graph.outputs), key=len)
        if (
            [len(shape) for shape in shapes] != [3, 4]
            or shapes[1][2:] != _BOX
            or shapes[0][1] != shapes[1][1]
        ):
            return None
        return shapes[0][2]

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, stretched."""
        return PreprocessOptions(resize="stretch")

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        arrays = sorted(outputs.values(), key=lambda array: int(array.ndim))
        if [array.ndim for array in arrays] != [3, 4] or tuple(arrays[1].shape[2:]) != _BOX:
            raise ValueError("they are not scores and boxes")
        frame, row, scores, classes = above(arrays[0], options.confidence)
        return Candidates(frame, from_fractions(arrays[1][frame, row, 0], options), scores, classes)


DECODER = Yolov4BoxesDecoder()
