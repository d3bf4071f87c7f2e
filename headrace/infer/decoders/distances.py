"""Boxes, and points, as distances from the cells of feature maps: what NanoDet, PicoDet, GFL and SCRFD share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, grid, grid_cells, like
from headrace.infer.decoders.scores import above, single
from headrace.infer.engines.base import ModelGraph

SIDES = 4
_DISTANCE_WORDS = ("dis", "reg", "bbox", "box")
#: Row lengths for 8, 11, 16, 17 or 32 bins on each of four sides; those of other lengths are boxes of anchors.
_DISTANCE_LENGTHS = (32, 44, 64, 68, 128)


def around(points: Array, sides: Array) -> Array:
    """Boxes ``(n, 4)`` from points ``(n, 2)`` and the distances to left, top, right and bottom ``(n, 4)``."""
    xp = array_namespace(points)
    return xp.concat([points[:, :2] - sides[:, :2], points[:, :2] + sides[:, 2:]], axis=1)


def distribution_boxes(logits: Array, cells: Array, centre: float) -> Array:
    """Boxes whose sides are the means of distributions, times the stride (arXiv:2006.04388).

    Args:
        logits: ``(n, 4 * bins)``.
        cells: ``(n, 3)`` column, row and stride.
        centre: Where in its cell a box's reference point lies: 0.5 in the middle, 0 at the top left.
    """
    xp = array_namespace(logits)
    bins = logits.shape[1] // SIDES
    sides = _means(xp.reshape(single(logits), (-1, SIDES, bins))) * cells[:, 2:]
    return around((cells[:, :2] + centre) * cells[:, 2:], sides)


def _means(logits: Array) -> Array:
    """Expected values of distributions over 0, 1, 2 … along the last axis."""
    xp = array_namespace(logits)
    weights = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    bins = xp.arange(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return xp.sum(weights * bins, axis=-1) / xp.sum(weights, axis=-1)


class PairDecoder(BoxDecoder):
    """For each stride a pair of outputs ``(N, cells, classes)``, scores in 0–1, and ``(N, cells, 4 * bins)``.

    Attributes:
        strides: Reductions of the feature maps.
        centre: Where in its cell a box's reference point lies.
    """

    task = "detect"
    strides: tuple[int, ...]
    centre: float = 0.5

    def matches(self, graph: ModelGraph) -> Match | None:
        """By pairs of outputs with as many rows as each stride's map has cells."""
        size, shapes = graph.input_size(), [output.shape for output in graph.outputs]
        if size is None or any(len(shape) != 3 for shape in shapes) or self.class_count(graph) is None:
            return None
        cells = [grid_cells(size, (stride,)) for stride in self.strides]
        if sorted(shape[1] or 0 for shape in shapes) != sorted(cells * 2):
            return None
        rows = ", ".join(map(str, cells))
        return Match(0.9, f"pairs of outputs with {rows} rows, the cells of strides {self.strides}")

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the score outputs."""
        return score_length({output.name: output.shape[-1] for output in graph.outputs})

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`."""
        return self.strides[-1]

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        scores, distances = paired(outputs)
        cells = grid(options.width, options.height, self.strides)
        if scores.shape[1] != len(cells):
            raise ValueError(f"{scores.shape[1]} rows, but the grid has {len(cells)} cells")
        frame, row, best, classes = above(scores, options.confidence)
        boxes = distribution_boxes(distances[frame, row], like(cells, scores)[row], self.centre)
        return Candidates(frame, boxes, best, classes)


def paired(outputs: Outputs, cells: int = 1) -> tuple[Array, Array]:
    """All maps' scores ``(N, cells, classes)`` and distances ``(N, cells, 4 * bins)``, the finest map first.

    Args:
        outputs: Those of each map.
        cells: The axis of the cells, 1 or 2.

    Raises:
        ValueError: They are not pairs of scores and distances.
    """
    three = all(array.ndim == 3 for array in outputs.values())
    roles = _roles({name: array.shape[3 - cells] for name, array in outputs.items()}) if three else None
    if roles is None:
        raise ValueError("they are not pairs of scores and distances")
    xp: Any = array_namespace(*outputs.values())
    scores, distances = (
        xp.concat(
            sorted((outputs[name] for name in names), key=lambda array: -array.shape[cells]), axis=cells
        )
        for names in roles
    )
    return scores, distances


def score_length(lengths: Mapping[str, int | None]) -> int | None:
    """Number of classes by the outputs' row lengths; ``None`` if they are no pairs."""
    roles = _roles(lengths)
    return None if roles is None else lengths[roles[0][0]]


def _roles(lengths: Mapping[str, int | None]) -> tuple[list[str], list[str]] | None:
    """Names of the score outputs and of the distance outputs, told by name or else by row length."""
    for distances in (
        [name for name in lengths if any(word in name.lower() for word in _DISTANCE_WORDS)],
        [name for name, length in lengths.items() if length in _DISTANCE_LENGTHS],
    ):
        scores = [name for name in lengths if name not in distances]
        both = [{lengths[name] for name in group} for group in (scores, distances)]
        if len(scores) == len(distances) and all(len(group) == 1 and None not in group for group in both):
            return (scores, distances) if lengths[distances[0]] in _DISTANCE_LENGTHS else None
    return None
