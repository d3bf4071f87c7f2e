"""YOLOv6: decoded rows with an objectness that is always one, one row per cell (arXiv:2209.02976)."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import DecodeOptions, Dense, Match, Outputs, corners, only_output
from headrace.infer.decoders.layouts import GridDecoder, fit, strides_of
from headrace.infer.decoders.scores import above, single
from headrace.infer.engines.base import ModelGraph

#: What the family's own exporter calls its output; YOLOX's calls it ``output``.
OUTPUT = "outputs"


class Yolov6Decoder(GridDecoder):
    """Output ``(N, cells, 5 + classes)``: centre x, y, width, height in pixels, one, class scores.

    Example:
        >>> import numpy as np
        >>> rows = np.array([[[50, 40, 20, 10, 1.0, 0.1, 0.9]]], np.float32)
        >>> Yolov6Decoder().decode({"outputs": rows}, DecodeOptions(0.5, 64, 64)).xyxy.tolist()
        [[40.0, 35.0, 60.0, 45.0]]
    """

    name = "yolov6"
    usual_size = (640, 640)
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the output's name; YOLOX gives the same shape."""
        output, classes = only_output(graph), self.class_count(graph)
        if output is None or output.name != OUTPUT or classes is None or classes < 1:
            return None
        if not strides_of(output.shape[1], graph.input_size()):
            return None
        return Match(
            fit(graph, classes, 0.95, 0.9, 0.5), f"{output}: a row for each cell, named as YOLOv6 does"
        )

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length less box and objectness."""
        length = graph.outputs[0].shape[-1] if graph.outputs and graph.outputs[0].shape else None
        return None if length is None else length - 5

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = outputs.values()
        if not array_namespace(batch).all(batch[:, :, 4] == 1):
            raise ValueError(
                "objectness is not one everywhere, as YOLOv6 leaves it; YOLOX has the same shape"
            )
        frame, row, scores, classes = above(batch[:, :, 5:], options.confidence)
        return Candidates(frame, corners(single(batch[frame, row, :4])), scores, classes)

    def dense(self, outputs: Outputs, options: DecodeOptions) -> Dense | None:
        """See `BoxDecoder.dense`."""
        (batch,) = outputs.values()
        return Dense(batch[:, :, :4], batch[:, :, 5:])


DECODER = Yolov6Decoder()
