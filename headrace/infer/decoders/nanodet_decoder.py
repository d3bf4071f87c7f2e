"""NanoDet: class scores and a distribution over distances for each side, map by map (arXiv:2006.04388)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.decoders.base import STRIDES, DecodeOptions, grid
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions
from headrace.meta import Detections

_SIDES = 4
_DISTANCE_WORDS = ("dis", "reg", "bbox")
#: Row lengths for the usual 8, 11, 16 or 17 bins on each of four sides.
_DISTANCE_LENGTHS = (32, 44, 64, 68)


class NanodetDecoder:
    """For each stride a pair of outputs ``(N, cells, classes)`` and ``(N, cells, 4 * bins)``.

    A side's distance from the cell's centre is the mean of its distribution times the stride.

    Example:
        >>> NanodetDecoder().preprocess(ModelGraph("m.onnx", (), ())).resize
        'stretch'
    """

    name = "nanodet"
    needs_nms = True

    def matches(self, graph: ModelGraph) -> float | None:
        """By pairs of outputs with as many rows as each stride's map has cells."""
        size = graph.input_size()
        shapes = [output.shape for output in graph.outputs]
        if size is None or len(shapes) != 2 * len(STRIDES) or any(len(shape) != 3 for shape in shapes):
            return None
        cells = [-(-size[0] // stride) * -(-size[1] // stride) for stride in STRIDES]
        if sorted(shape[1] or 0 for shape in shapes) != sorted(cells * 2) or self.class_count(graph) is None:
            return None
        return 0.9

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the score outputs."""
        lengths = {output.name: output.shape[-1] for output in graph.outputs}
        roles = _roles(lengths)
        return None if roles is None else lengths[roles[0][0]]

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR, stretched, normalised by the means and deviations of ImageNet."""
        return PreprocessOptions(
            resize="stretch",
            color="BGR",
            scale=1.0,
            mean=(103.53, 116.28, 123.675),
            std=(57.375, 57.12, 58.395),
        )

    def decode(self, outputs: Mapping[str, NDArray[Any]], options: DecodeOptions) -> list[Detections]:
        """See `Decoder.decode`."""
        roles = _roles({name: array.shape[-1] for name, array in outputs.items()})
        if roles is None:
            raise ValueError("they are not pairs of scores and distances")
        scores, distances = (
            np.concatenate(
                sorted((outputs[name] for name in names), key=lambda array: -array.shape[1]), axis=1
            )
            for names in roles
        )
        cells = grid(options.width, options.height)
        return [_decode_one(s, d, cells, options.confidence) for s, d in zip(scores, distances, strict=True)]


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


def _decode_one(
    scores: NDArray[np.float32],
    distances: NDArray[np.float32],
    cells: NDArray[np.float32],
    confidence: float,
) -> Detections:
    best = scores.max(axis=1)
    keep = np.flatnonzero(best >= confidence)
    cell = cells[keep]
    logits = distances[keep].reshape(len(keep), _SIDES, distances.shape[1] // _SIDES)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    bins = np.arange(logits.shape[2], dtype=np.float32)
    sides = (weights @ bins) / weights.sum(axis=2) * cell[:, 2:]
    centres = (cell[:, :2] + 0.5) * cell[:, 2:]
    boxes = np.hstack([centres - sides[:, :2], centres + sides[:, 2:]])
    return Detections(boxes, best[keep], scores[keep].argmax(axis=1).astype(np.int32))


DECODER = NanodetDecoder()
