"""SCRFD: faces, with five landmarks if the model has them (arXiv:2105.04714; deepinsight/insightface, scrfd.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import (
    STRIDES,
    BoxDecoder,
    DecodeOptions,
    Match,
    Outputs,
    grid,
    grid_cells,
    like,
)
from headrace.infer.decoders.distances import around
from headrace.infer.decoders.scores import numbers, single
from headrace.infer.decoders.yunet_decoder import certain
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

#: Row lengths of scores, boxes and landmarks.
_LENGTHS = (1, 4, 10)
#: Strides, and boxes in each cell, by the number of outputs of a kind.
_LAYOUTS = {3: (STRIDES, 2), 5: ((8, 16, 32, 64, 128), 1)}
_SIDE = 640


class ScrfdDecoder(BoxDecoder):
    """Six or nine outputs ``(rows, 1)``, ``(rows, 4)`` and perhaps ``(rows, 10)``, for strides 8, 16 and 32.

    There may be a batch axis in front. Each cell has two rows: a chance of a face, distances from the cell's top left
    corner to the sides, and to landmarks, in strides. Their confidence is 1: the network says nothing of it.

    Example:
        >>> ScrfdDecoder().preprocess(ModelGraph("scrfd.onnx", (), ())).std
        (128.0, 128.0, 128.0)
    """

    name = "scrfd"
    task = "detect"
    class_names = ("face",)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the numbers of outputs with one, four and ten numbers in a row."""
        groups = _groups({output.name: output.shape for output in graph.outputs})
        if groups is None or graph.class_count not in (None, 1):
            return None
        strides, boxes = _LAYOUTS[len(groups[0])]
        size, shapes = graph.input_size(), {output.name: output.shape for output in graph.outputs}
        rows = sorted(shapes[name][-2] or 0 for name in groups[0])
        if size is not None and 0 not in rows:
            if rows != sorted(boxes * grid_cells(size, (stride,)) for stride in strides):
                return None
            return Match(0.95, f"{boxes} rows for each cell of strides {strides}: a score, a box, landmarks")
        return Match(
            0.85, f"for each stride of {strides} outputs with {_LENGTHS[: len(groups)]} numbers in a row"
        )

    def class_count(self, graph: ModelGraph) -> int | None:
        """One."""
        return 1

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB less 127.5, by 128, letterboxed to the top left on black."""
        return PreprocessOptions(
            padding="topleft", pad_value=0.0, scale=1.0, mean=(127.5,) * 3, std=(128.0,) * 3
        )

    def default_input_size(self, graph: ModelGraph) -> tuple[int, int] | None:
        """640x640."""
        return _SIDE, _SIDE

    def batched(self, graph: ModelGraph) -> bool:
        """Whether outputs have three axes."""
        return len(graph.outputs[0].shape) == 3

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`."""
        groups = _groups({output.name: output.shape for output in graph.outputs})
        return None if groups is None else _LAYOUTS[len(groups[0])][0][-1]

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        groups = _groups({name: tuple(array.shape) for name, array in outputs.items()})
        if groups is None or any(array.ndim != 3 for array in outputs.values()):
            raise ValueError("they are not scores, boxes and landmarks of three or five strides")
        strides, boxes = _LAYOUTS[len(groups[0])]
        cells = grid(options.width, options.height, strides)
        scores, sides, *points = (_whole(outputs, names, boxes * len(cells)) for names in groups)
        xp = array_namespace(scores)
        frame, row = xp.nonzero(numbers(scores[..., 0]) >= options.confidence)
        cell = like(cells, scores)[row // boxes]
        corner, stride = cell[:, :2] * cell[:, 2:], cell[:, 2:]
        found = around(corner, single(sides[frame, row]) * stride)
        landmarks = None
        if points:
            shifts = xp.reshape(single(points[0][frame, row]), (-1, 5, 2)) * stride[:, None]
            landmarks = certain(corner[:, None] + shifts)
        return Candidates(frame, found, scores[frame, row, 0], xp.zeros_like(row), keypoints=landmarks)


def _groups(shapes: Mapping[str, Sequence[int | None]]) -> list[list[str]] | None:
    """Names of the outputs of scores, of boxes and perhaps of landmarks; ``None`` if they are others."""
    groups = [[name for name, shape in shapes.items() if shape[-1:] == (length,)] for length in _LENGTHS]
    counts = [len(group) for group in groups]
    if counts[0] not in _LAYOUTS or counts[1] != counts[0] or counts[2] not in (0, counts[0]):
        return None
    ranks = {len(shape) for shape in shapes.values()}
    if sum(counts) != len(shapes) or len(ranks) != 1 or not ranks <= {2, 3}:
        return None
    return [group for group in groups if group]


def _whole(outputs: Outputs, names: Sequence[str], rows: int) -> Array:
    """The rows of all strides, the finest first."""
    arrays = sorted((outputs[name] for name in names), key=lambda array: -array.shape[1])
    whole = array_namespace(*arrays).concat(arrays, axis=1)
    if whole.shape[1] != rows:
        raise ValueError(
            f"{whole.shape[1]} rows, but the grid gives {rows}; give input_size in multiples of 32"
        )
    return whole


DECODER = ScrfdDecoder()
