"""RetinaFace: faces with five landmarks (arXiv:1905.00641; biubug6/Pytorch_Retinaface)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import (
    STRIDES,
    BoxDecoder,
    DecodeOptions,
    Match,
    Outputs,
    corners,
    grid,
    grid_cells,
    like,
)
from headrace.infer.decoders.scores import above, single
from headrace.infer.decoders.yunet_decoder import certain
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

#: Sides of the two anchors of a cell in strides: 16 and 32 pixels at stride 8 and so on.
_SIDES = (2, 4)
_FACE = 1
_CENTRE, _SIZE = 0.1, 0.2  # the factors that boxes are predicted with
_LENGTHS = (2, 4, 10)


class RetinafaceDecoder(BoxDecoder):
    """Outputs ``(N, rows, 4)``, ``(N, rows, 2)`` and ``(N, rows, 10)``: boxes, chances, landmarks.

    There are two rows for each cell of strides 8, 16 and 32. Landmarks have a confidence of 1.

    Example:
        >>> RetinafaceDecoder().preprocess(ModelGraph("retinaface.onnx", (), ())).mean
        (104.0, 117.0, 123.0)
    """

    name = "retinaface"
    task = "detect"
    class_names = ("face",)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the number of rows, two for each cell."""
        size, shapes = graph.input_size(), {output.name: output.shape for output in graph.outputs}
        roles = _roles({name: shape[-1] for name, shape in shapes.items() if len(shape) == 3})
        if roles is None or len(shapes) != len(roles) or graph.class_count not in (None, 1):
            return None
        rows = {shapes[name][1] for name in roles}
        if size is not None and rows == {len(_SIDES) * grid_cells(size)}:
            return Match(
                0.95, f"two rows for each cell of {size[0]}x{size[1]}: a box, background and face, landmarks"
            )
        return Match(0.8, "rows of a box, background and face, landmarks") if rows == {None} else None

    def class_count(self, graph: ModelGraph) -> int | None:
        """One."""
        return 1

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR less 104, 117, 123, letterboxed to the top left on black."""
        return PreprocessOptions(
            padding="topleft", pad_value=0.0, color="BGR", scale=1.0, mean=(104.0, 117.0, 123.0)
        )

    def default_input_size(self, graph: ModelGraph) -> tuple[int, int] | None:
        """640x640."""
        return 640, 640

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`."""
        return STRIDES[-1]

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        roles = _roles({name: array.shape[-1] for name, array in outputs.items() if array.ndim == 3})
        if roles is None:
            raise ValueError("they are not boxes, chances and landmarks of faces")
        scores, boxes, points = (outputs[name] for name in roles)
        xp, anchors = array_namespace(scores), _anchors(options.width, options.height)
        if scores.shape[1] != len(anchors):
            raise ValueError(f"{scores.shape[1]} rows, but the grid gives {len(anchors)}")
        frame, row, best, classes = above(scores[:, :, _FACE:], options.confidence)
        anchor = like(anchors, scores)[row]
        centre, side, raw = anchor[:, :2], anchor[:, 2:], single(boxes[frame, row])
        found = xp.concat([centre + raw[:, :2] * _CENTRE * side, side * xp.exp(raw[:, 2:] * _SIZE)], axis=1)
        shifts = xp.reshape(single(points[frame, row]), (-1, 5, 2)) * _CENTRE
        landmarks = certain(centre[:, None] + shifts * side[:, None])
        return Candidates(frame, corners(found), best, classes, keypoints=landmarks)


@lru_cache(maxsize=16)
def _anchors(width: int, height: int) -> NDArray[np.float32]:
    """Centre x, y and side of each anchor in pixels."""
    column, row, stride = np.repeat(grid(width, height, STRIDES), len(_SIDES), axis=0).T
    sides = np.tile(np.array(_SIDES, np.float32), len(stride) // len(_SIDES))
    return np.stack([(column + 0.5) * stride, (row + 0.5) * stride, sides * stride], axis=1)


def _roles(lengths: Mapping[str, int | None]) -> tuple[str, ...] | None:
    """The names of scores, boxes and landmarks."""
    by_length = {length: name for name, length in lengths.items()}
    if len(lengths) != len(_LENGTHS) or set(by_length) != set(_LENGTHS):
        return None
    return tuple(by_length[length] for length in _LENGTHS)


DECODER = RetinafaceDecoder()
