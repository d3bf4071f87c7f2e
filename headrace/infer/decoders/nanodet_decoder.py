"""NanoDet: class scores and a distribution over distances for each side, map by map (arXiv:2006.04388)."""

from __future__ import annotations

from collections.abc import Mapping

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import (
    STRIDES,
    BoxDecoder,
    DecodeOptions,
    Match,
    Outputs,
    above,
    grid,
    like,
)
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_BGR, PreprocessOptions

_SIDES = 4
_DISTANCE_WORDS = ("dis", "reg", "bbox")
#: Row lengths for the usual 8, 11, 16 or 17 bins on each of four sides.
_DISTANCE_LENGTHS = (32, 44, 64, 68)


class NanodetDecoder(BoxDecoder):
    """For each stride a pair of outputs ``(N, cells, classes)`` and ``(N, cells, 4 * bins)``.

    A side's distance from the cell's centre is the mean of its distribution times the stride.

    Example:
        >>> NanodetDecoder().preprocess(ModelGraph("m.onnx", (), ())).resize
        'stretch'
    """

    name = "nanodet"
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By pairs of outputs with as many rows as each stride's map has cells."""
        size = graph.input_size()
        shapes = [output.shape for output in graph.outputs]
        if size is None or len(shapes) != 2 * len(STRIDES) or any(len(shape) != 3 for shape in shapes):
            return None
        cells = [-(-size[0] // stride) * -(-size[1] // stride) for stride in STRIDES]
        if sorted(shape[1] or 0 for shape in shapes) != sorted(cells * 2) or self.class_count(graph) is None:
            return None
        return Match(
            0.9, f"pairs of outputs with {', '.join(map(str, cells))} rows, the cells of each stride"
        )

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the score outputs."""
        lengths = {output.name: output.shape[-1] for output in graph.outputs}
        roles = _roles(lengths)
        return None if roles is None else lengths[roles[0][0]]

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR, stretched, normalised by the means and deviations of ImageNet."""
        return IMAGENET_BGR

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        roles = _roles({name: array.shape[-1] for name, array in outputs.items()})
        if roles is None:
            raise ValueError("they are not pairs of scores and distances")
        xp = array_namespace(*outputs.values())
        scores, distances = (
            xp.concat(sorted((outputs[name] for name in names), key=lambda array: -array.shape[1]), axis=1)
            for names in roles
        )
        frame, row, best, classes = above(scores, options.confidence)
        cell = like(grid(options.width, options.height), scores)[row]
        bins = distances.shape[2] // _SIDES
        sides = _means(xp.reshape(distances[frame, row], (-1, _SIDES, bins))) * cell[:, 2:]
        centres = (cell[:, :2] + 0.5) * cell[:, 2:]
        boxes = xp.concat([centres - sides[:, :2], centres + sides[:, 2:]], axis=1)
        return Candidates(frame, boxes, best, classes)


def _roles(lengths: Mapping[str, int | None]) -> tuple[list[str], list[str]] | None:
    """Names of the score outputs and of the distance outputs, told by name or else by row length."""
    distances = [name for name in lengths if any(word in name.lower() for word in _DISTANCE_WORDS)]
    if not distances:
        distances = [name for name, length in lengths.items() if length in _DISTANCE_LENGTHS]
    scores = [name for name in lengths if name not in distances]
    both = ({lengths[name] for name in group} for group in (scores, distances))
    if len(scores) != len(distances) or any(len(group) != 1 or None in group for group in both):
        return None
    return None if (lengths[distances[0]] or 0) % _SIDES else (scores, distances)


def _means(logits: Array) -> Array:
    """Expected values of distributions over 0, 1, 2 … along the last axis."""
    xp = array_namespace(logits)
    weights = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    bins = xp.arange(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return xp.sum(weights * bins, axis=-1) / xp.sum(weights, axis=-1)


DECODER = NanodetDecoder()
