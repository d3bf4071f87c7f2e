"""FastestDet: one map, one box for each cell (dog-qiuqiu/FastestDet, handle_preds in utils/tool.py)."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, corners, only_output
from headrace.infer.decoders.scores import numbers, sigmoid, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_STRIDE = 16
_ROW = 5
_COCO = 80


class FastestdetDecoder(BoxDecoder):
    """Output ``(N, 5 + classes, h, w)``: objectness, centre x, y, width, height, then the classes' chances.

    A box's confidence is objectness to the 0.6 times the chance to the 0.4. Its centre is the hyperbolic tangent in
    cells from the cell's corner, its size a sigmoid in fractions of the picture.

    Example:
        >>> import numpy as np
        >>> maps = np.zeros((1, 7, 2, 2), np.float32)
        >>> maps[0, [0, 6], 1, 1] = 1
        >>> FastestdetDecoder().decode({"out": maps}, DecodeOptions(0.5, 32, 32)).xyxy.tolist()
        [[8.0, 8.0, 24.0, 24.0]]
    """

    name = "fastestdet"
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By one map at a sixteenth of the input."""
        output, size, classes = only_output(graph, 4), graph.input_size(), self.class_count(graph)
        if output is None or size is None or classes is None or classes < 1:
            return None
        if output.shape[2:] != (size[1] // _STRIDE, size[0] // _STRIDE):
            return None
        known = _COCO if graph.class_count is None else graph.class_count
        reason = f"{output}: objectness, a box and {classes} classes for each {_STRIDE}x{_STRIDE} pixels"
        return Match(0.9 if classes == known else 0.55 if graph.class_count is None else 0.1, reason)

    def class_count(self, graph: ModelGraph) -> int | None:
        """Channels less objectness and box."""
        output = only_output(graph, 4)
        return None if output is None or output.shape[1] is None else output.shape[1] - _ROW

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR 0–1, stretched (test.py)."""
        return PreprocessOptions(resize="stretch", color="BGR")

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (maps,) = outputs.values()
        if maps.ndim != 4 or maps.shape[1] <= _ROW:
            raise ValueError("it is no map of objectness, box and classes")
        xp = array_namespace(maps)
        height, width = maps.shape[2:]
        # Classes are looked at only where objectness alone, to its power, reaches the confidence.
        least = options.confidence ** (1 / 0.6)
        frame, y, x = xp.nonzero(numbers(maps[:, 0]) >= least)
        rows = single(maps[frame, :, y, x])
        scores = numbers(rows[:, 0] ** 0.6 * xp.max(rows[:, _ROW:], axis=1) ** 0.4)
        keep = scores >= options.confidence
        frame, rows, scores = frame[keep], rows[keep], scores[keep]
        cells = single(xp.stack([x[keep], y[keep]], axis=1))
        steps = xp.asarray(
            [options.width / width, options.height / height], dtype=rows.dtype, device=rows.device
        )
        size = xp.asarray([options.width, options.height], dtype=rows.dtype, device=rows.device)
        boxes = xp.concat([(xp.tanh(rows[:, 1:3]) + cells) * steps, sigmoid(rows[:, 3:5]) * size], axis=1)
        return Candidates(frame, corners(boxes), scores, xp.argmax(rows[:, _ROW:], axis=1))


DECODER = FastestdetDecoder()
