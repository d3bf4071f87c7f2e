"""UltraFace: faces, decoded in the graph (Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB)."""

from __future__ import annotations

from collections.abc import Mapping

from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import (
    BoxDecoder,
    DecodeOptions,
    Match,
    Outputs,
    above,
    grid_cells,
    single,
)
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

#: Boxes in each cell of the map of a stride.
_BOXES = {8: 3, 16: 2, 32: 2, 64: 3}
_FACE = 1


class UltrafaceDecoder(BoxDecoder):
    """Outputs ``(N, boxes, 2)``, chances of background and face, and ``(N, boxes, 4)``, corners in fractions.

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
        boxes = sum(count * grid_cells(size, (stride,)) for stride, count in _BOXES.items())
        if any(shapes[name][1] != boxes for name in roles) or graph.class_count not in (None, 1):
            return None
        return Match(
            0.95, f"{boxes} boxes, those of {size[0]}x{size[1]} at strides 8 to 64, background and face"
        )

    def class_count(self, graph: ModelGraph) -> int | None:
        """One."""
        return 1

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
        size = xp.asarray([options.width, options.height] * 2, dtype=xp.float32, device=boxes.device)
        return Candidates(frame, single(boxes[frame, row]) * size, best, classes)


def _roles(lengths: Mapping[str, int | None]) -> tuple[str, str] | None:
    """The names of scores and boxes."""
    by_length = {length: name for name, length in lengths.items()}
    return (by_length[2], by_length[4]) if len(lengths) == 2 and set(by_length) == {2, 4} else None


DECODER = UltrafaceDecoder()
