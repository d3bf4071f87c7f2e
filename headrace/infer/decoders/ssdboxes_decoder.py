"""SSD whose graph makes boxes and leaves them overlapping: PyTorch's SSD MobileNet, as jetson-inference has it."""

from __future__ import annotations

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs
from headrace.infer.decoders.layouts import in_pixels
from headrace.infer.decoders.scores import above
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_BOXES, _SCORES = "boxes", "scores"
#: Default boxes of SSD MobileNet at 300x300: six in each cell of maps of 19, 10, 5, 3, 2 and 1.
_COUNT, _SIDE = 3000, 300


class SsdBoxesDecoder(BoxDecoder):
    """Outputs ``scores`` ``(N, M, 1 + classes)``, the background first, and ``boxes`` ``(N, M, 4)`` in fractions.

    Example:
        >>> import numpy as np
        >>> outputs = {"scores": np.array([[[0.1, 0.0, 0.9]]]), "boxes": np.array([[[0.25, 0.5, 0.75, 1.0]]])}
        >>> found = SsdBoxesDecoder().decode(outputs, DecodeOptions(0.5, 64, 64))
        >>> found.xyxy.tolist(), found.class_id.tolist()
        ([[16.0, 32.0, 48.0, 64.0]], [1])
    """

    name = "ssdboxes"
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the names and the number of default boxes."""
        classes = self.class_count(graph)
        if classes is None or graph.input_size() != (_SIDE, _SIDE):
            return None
        if any(output.shape[1] != _COUNT for output in graph.outputs):
            return None
        return Match(0.95, f"outputs {_SCORES} and {_BOXES} of {_COUNT} default boxes, {classes} classes")

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the scores less that of the background."""
        shapes = {output.name: output.shape for output in graph.outputs}
        if set(shapes) != {_BOXES, _SCORES} or any(len(shape) != 3 for shape in shapes.values()):
            return None
        length = shapes[_SCORES][2]
        return None if length is None or shapes[_BOXES][2] != 4 else length - 1

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB less 127, by 128, stretched."""
        return PreprocessOptions(resize="stretch", scale=1.0, mean=(127.0,) * 3, std=(128.0,) * 3)

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        if set(outputs) != {_BOXES, _SCORES}:
            raise ValueError(f"they are not {_SCORES} and {_BOXES}")
        frame, row, scores, classes = above(outputs[_SCORES][:, :, 1:], options.confidence)
        return Candidates(frame, in_pixels(outputs[_BOXES][frame, row], options), scores, classes)


DECODER = SsdBoxesDecoder()
