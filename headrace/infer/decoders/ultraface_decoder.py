"""UltraFace: faces, boxes decoded in the graph or not (Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, grid_cells, like
from headrace.infer.decoders.priors import moved
from headrace.infer.decoders.scores import above, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

#: Sides in pixels of the boxes in each cell of the map of a stride (vision/ssd/config/fd_config.py).
_SIDES = {8: (10, 16, 24), 16: (32, 48), 32: (64, 96), 64: (128, 192, 256)}
_VARIANCES = (0.1, 0.2)
_FACE = 1


class UltrafaceDecoder(BoxDecoder):
    """Outputs ``(N, boxes, 2)``, chances of background and face, and ``(N, boxes, 4)``, corners in fractions.

    There may be more classes than faces (with mask and without). In the files "without postprocessing" boxes are
    deltas of default boxes, which shows in the numbers: the right side of some is left of their left one.

    Example:
        >>> import numpy as np
        >>> outputs = {"scores": np.array([[[0.1, 0.9]]]), "boxes": np.array([[[0.25, 0.5, 0.5, 1.0]]])}
        >>> UltrafaceDecoder().decode(outputs, DecodeOptions(0.7, 320, 240)).xyxy.tolist()
        [[80.0, 120.0, 160.0, 240.0]]
    """

    name = "ultraface"
    task = "detect"
    class_names = ("face",)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the number of boxes, which is that of its maps' cells."""
        size, shapes = graph.input_size(), {output.name: output.shape for output in graph.outputs}
        roles = _roles({name: shape[-1] for name, shape in shapes.items() if len(shape) == 3})
        if roles is None or size is None or len(shapes) != 2:
            return None
        if graph.class_count not in (None, self.class_count(graph)):
            return None
        boxes = sum(len(sides) * grid_cells(size, (stride,)) for stride, sides in _SIDES.items())
        rows = {shapes[name][1] for name in roles}
        reason = f"those of {size[0]}x{size[1]} at strides 8 to 64, background and face"
        if rows == {None}:
            return Match(0.5, f"boxes whose number is open, {reason}")
        return Match(0.95, f"{boxes} boxes, {reason}") if rows == {boxes} else None

    def class_count(self, graph: ModelGraph) -> int | None:
        """Scores of a box less that of the background."""
        roles = _roles({output.name: output.shape[-1] for output in graph.outputs if output.shape})
        lengths = {output.name: output.shape[-1] for output in graph.outputs if output.shape}
        return None if roles is None else (lengths[roles[0]] or 0) - 1

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB less 127, by 128, stretched (detect_imgs_onnx.py)."""
        return PreprocessOptions(resize="stretch", scale=1.0, mean=(127.0,) * 3, std=(128.0,) * 3)

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        roles = _roles({name: array.shape[-1] for name, array in outputs.items() if array.ndim == 3})
        if roles is None:
            raise ValueError("they are not scores and boxes of faces")
        scores, boxes = (outputs[name] for name in roles)
        xp = array_namespace(scores)
        frame, row, best, classes = above(scores[:, :, _FACE:], options.confidence)
        found = single(boxes[frame, row])
        if bool(xp.any(boxes[:, :, 2] < boxes[:, :, 0])):
            defaults = _default_boxes(options.width, options.height)
            if len(defaults) != boxes.shape[1]:
                raise ValueError(f"{boxes.shape[1]} deltas, but there are {len(defaults)} default boxes")
            found = moved(like(defaults, boxes)[row], found, _VARIANCES)
        size = xp.asarray([options.width, options.height] * 2, dtype=xp.float32, device=boxes.device)
        return Candidates(frame, found * size, best, classes)


def _roles(lengths: Mapping[str, int | None]) -> tuple[str, str] | None:
    """The names of scores and boxes; three scores at most, so that they are not taken for each other."""
    by_length = {length: name for name, length in lengths.items()}
    scores = [name for length, name in by_length.items() if length in (2, 3)]
    return (scores[0], by_length[4]) if len(lengths) == 2 and scores and 4 in by_length else None


@lru_cache(maxsize=8)
def _default_boxes(width: int, height: int) -> NDArray[np.float32]:
    """Centre, width and height in fractions, cut at the picture's size; all boxes of a cell, then the next cell."""
    parts = []
    for stride, sides in _SIDES.items():
        rows, columns = -(-height // stride), -(-width // stride)
        y, x, side = np.meshgrid(
            (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns, sides, indexing="ij"
        )
        parts.append(np.stack([x, y, side / width, side / height], axis=-1).reshape(-1, 4))
    table: NDArray[np.float32] = np.clip(np.concatenate(parts), 0, 1).astype(np.float32)
    table.flags.writeable = False
    return table


DECODER = UltrafaceDecoder()
