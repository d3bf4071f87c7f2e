"""BlazeFace: faces with six landmarks (arXiv:1907.05047; MediaPipe's short and full range)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, corners, grid, like
from headrace.infer.decoders.scores import logit, numbers, sigmoid, single
from headrace.infer.decoders.yunet_decoder import certain
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

#: Anchors in each cell by stride, of the short and of the full range.
_RANGES = ({8: 2, 16: 6}, {4: 1})
_LENGTHS = (1, 16)


class BlazefaceDecoder(BoxDecoder):
    """Outputs ``(N, rows, 1)``, logits, and ``(N, rows, 16)``: box and six points in pixels from a cell's middle.

    Landmarks are right eye, left eye, tip of the nose, middle of the mouth, right and left ear; their confidence is 1.

    Example:
        >>> logits, boxes = np.full((1, 896, 1), -9.0), np.zeros((1, 896, 16))
        >>> logits[0, 512, 0], boxes[0, 512, 2:4] = 9, 32
        >>> outputs = {"regressors": boxes, "classificators": logits}
        >>> BlazefaceDecoder().decode(outputs, DecodeOptions(0.5, 128, 128)).xyxy.tolist()
        [[-8.0, -8.0, 24.0, 24.0]]
    """

    name = "blazeface"
    task = "detect"
    class_names = ("face",)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the number of rows, which is that of its anchors."""
        size, shapes = graph.input_size(), {output.name: output.shape for output in graph.outputs}
        roles = _roles({name: shape[-1] for name, shape in shapes.items() if len(shape) == 3})
        if roles is None or size is None or len(shapes) != 2 or graph.class_count not in (None, 1):
            return None
        rows = {shapes[name][1] for name in roles}
        if not any(rows == {len(_anchors(*size, number))} for number in range(len(_RANGES))):
            return None
        return Match(0.95, f"{rows.pop()} anchors of {size[0]}x{size[1]}: a logit, a box and six points")

    def class_count(self, graph: ModelGraph) -> int | None:
        """One."""
        return 1

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB in -1 to 1, letterboxed to the centre on black."""
        return PreprocessOptions(pad_value=0.0, scale=1.0, mean=(127.5,) * 3, std=(127.5,) * 3)

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        roles = _roles({name: array.shape[-1] for name, array in outputs.items() if array.ndim == 3})
        if roles is None:
            raise ValueError("they are not logits, boxes and points of faces")
        logits, boxes = (outputs[name] for name in roles)
        tables = [_anchors(options.width, options.height, number) for number in range(len(_RANGES))]
        middles = next((table for table in tables if len(table) == logits.shape[1]), None)
        if middles is None:
            raise ValueError(
                f"{logits.shape[1]} rows, but the grid gives {' or '.join(map(str, map(len, tables)))}"
            )
        xp = array_namespace(logits)
        frame, row = xp.nonzero(numbers(logits[..., 0]) >= logit(options.confidence))
        middle, raw = like(middles, logits)[row], single(boxes[frame, row])
        found = corners(xp.concat([raw[:, :2] + middle, raw[:, 2:4]], axis=1))
        points = certain(xp.reshape(raw[:, 4:], (-1, 6, 2)) + middle[:, None])
        return Candidates(frame, found, sigmoid(logits[frame, row, 0]), xp.zeros_like(row), keypoints=points)


@lru_cache(maxsize=16)
def _anchors(width: int, height: int, number: int) -> NDArray[np.float32]:
    """Middles of all anchors' cells in pixels, ``(rows, 2)``."""
    parts = []
    for stride, count in _RANGES[number].items():
        cells = grid(width, height, (stride,))
        parts.append(np.repeat((cells[:, :2] + 0.5) * stride, count, axis=0))
    return np.concatenate(parts)


def _roles(lengths: Mapping[str, int | None]) -> tuple[str, str] | None:
    """The names of logits and of boxes."""
    by_length = {length: name for name, length in lengths.items()}
    if len(lengths) != len(_LENGTHS) or set(by_length) != set(_LENGTHS):
        return None
    return by_length[1], by_length[16]


DECODER = BlazefaceDecoder()
