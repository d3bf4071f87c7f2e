"""DetectNet v2: a grid of coverage and boxes (contract of nvinfer's built-in parser)."""

from __future__ import annotations

from collections.abc import Mapping

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, clipped
from headrace.infer.decoders.distances import around
from headrace.infer.decoders.scores import numbers, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

#: Pixels that an output of 1 stands for.
BOX_NORM = 35.0
_WORDS = ("cov", "bbox")


class DetectnetDecoder(BoxDecoder):
    """Outputs ``…cov…`` ``(N, classes, rows, columns)`` in 0–1 and ``…bbox…`` ``(N, 4 * classes, rows, columns)``.

    Cell ``(x, y)`` has its centre at ``stride * x + 0.5``; the four box outputs of a class are the distances from it to
    left, top, right and bottom in units of 35 pixels. Boxes are clipped to the network's input.

    Example:
        >>> import numpy as np
        >>> cov, bbox = np.zeros((1, 1, 4, 4), np.float32), np.ones((1, 4, 4, 4), np.float32)
        >>> cov[0, 0, 2, 3] = 0.9
        >>> DetectnetDecoder().decode({"cov": cov, "bbox": bbox}, DecodeOptions(0.5, 64, 64)).xyxy.tolist()
        [[13.5, 0.0, 64.0, 64.0]]
    """

    name = "detectnet"
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the two names."""
        shapes = {output.name: output.shape for output in graph.outputs}
        roles = _roles(shapes)
        if roles is None or any(len(shapes[name]) != 4 for name in roles):
            return None
        coverage, boxes = (shapes[name][1] for name in roles)
        if coverage is not None and boxes is not None and boxes != 4 * coverage:
            return None
        return Match(0.95, f"outputs {roles[0]} and {roles[1]}, a grid of coverage and one of boxes")

    def class_count(self, graph: ModelGraph) -> int | None:
        """Channels of the coverage."""
        shapes = {output.name: output.shape for output in graph.outputs}
        roles = _roles(shapes)
        return None if roles is None else shapes[roles[0]][1]

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, stretched (NVIDIA's configurations of TrafficCamNet and its kin)."""
        return PreprocessOptions(resize="stretch")

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        coverage, sides = _layers(outputs)
        xp = array_namespace(coverage)
        frames, classes, rows, columns = coverage.shape
        frame, class_id, y, x = xp.nonzero(numbers(coverage) >= options.confidence)
        strides = -(-options.width // columns), -(-options.height // rows)
        sides = xp.reshape(sides, (frames, classes, 4, rows, columns))[frame, class_id, :, y, x]
        centres = single(xp.stack([x * strides[0], y * strides[1]], axis=1)) + 0.5
        boxes = clipped(around(centres / BOX_NORM, single(sides)) * BOX_NORM, options)
        return Candidates(frame, boxes, coverage[frame, class_id, y, x], class_id)


def _roles(names: Mapping[str, object]) -> tuple[str, str] | None:
    """The names of coverage and boxes; ``None`` if there is not one of each."""
    found = [[name for name in names if word in name.lower()] for word in _WORDS]
    return (found[0][0], found[1][0]) if [len(group) for group in found] == [1, 1] else None


def _layers(outputs: Outputs) -> tuple[Array, Array]:
    roles = _roles(outputs)
    shapes = ", ".join(f"{name} {tuple(array.shape)}" for name, array in outputs.items())
    if roles is None or any(outputs[name].ndim != 4 for name in roles):
        raise ValueError(
            "there must be a layer with 'cov' in its name, of shape (classes, rows, columns), and one with 'bbox', of "
            f"shape (4 * classes, rows, columns); there are: {shapes}"
        )
    coverage, sides = (outputs[name] for name in roles)
    if coverage.shape[2:] != sides.shape[2:] or 4 * coverage.shape[1] != sides.shape[1]:
        raise ValueError(f"coverage and boxes are not of one grid: {shapes}")
    return coverage, sides


DECODER = DetectnetDecoder()
