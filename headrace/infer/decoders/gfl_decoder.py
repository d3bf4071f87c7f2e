"""GFL: the raw maps of five strides (arXiv:2006.04388; open-mmlab/mmdetection, gfl_head)."""

from __future__ import annotations

from dataclasses import replace

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, grid, like
from headrace.infer.decoders.distances import distribution_boxes, paired, score_length
from headrace.infer.decoders.scores import above_columns, logit, sigmoid
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions

_STRIDES = (8, 16, 32, 64, 128)


class GflDecoder(BoxDecoder):
    """For strides 8 to 128 a pair of outputs ``(N, classes, h, w)``, logits, and ``(N, 4 * bins, h, w)``.

    Distances count from the cell's top left, where mmdetection puts the centre of its anchors.

    Example:
        >>> GflDecoder().preprocess(ModelGraph("m.onnx", (), ())).padding
        'topleft'
    """

    name = "gfl"
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By pairs of maps of five strides."""
        size, shapes = graph.input_size(), [output.shape for output in graph.outputs]
        if size is None or any(len(shape) != 4 for shape in shapes) or self.class_count(graph) is None:
            return None
        maps = [(-(-size[1] // stride), -(-size[0] // stride)) for stride in _STRIDES]
        if sorted((shape[2] or 0, shape[3] or 0) for shape in shapes) != sorted(maps * 2):
            return None
        return Match(0.9, f"pairs of maps of strides {_STRIDES}, {self.class_count(graph)} classes")

    def class_count(self, graph: ModelGraph) -> int | None:
        """Channels of the score maps."""
        if any(len(output.shape) != 4 for output in graph.outputs):
            return None
        return score_length({output.name: output.shape[1] for output in graph.outputs})

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB, letterboxed to the top left on black, ImageNet's means and deviations (mmdetection's test pipeline)."""
        return replace(IMAGENET_RGB, resize="letterbox", padding="topleft", pad_value=0.0)

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`."""
        return _STRIDES[-1]

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        scores, distances = paired({name: _columns(array) for name, array in outputs.items()}, 2)
        cells = grid(options.width, options.height, _STRIDES)
        if scores.shape[2] != len(cells):
            raise ValueError(f"{scores.shape[2]} cells, but the grid has {len(cells)}")
        frame, cell, best, classes = above_columns(scores, logit(options.confidence))
        boxes = distribution_boxes(distances[frame, :, cell], like(cells, scores)[cell], 0.0)
        return Candidates(frame, boxes, sigmoid(best), classes)


def _columns(maps: Array) -> Array:
    """``(N, channels, h, w)`` as ``(N, channels, h * w)``."""
    if maps.ndim != 4:
        raise ValueError("they are not maps")
    return array_namespace(maps).reshape(maps, (maps.shape[0], maps.shape[1], -1))


DECODER = GflDecoder()
