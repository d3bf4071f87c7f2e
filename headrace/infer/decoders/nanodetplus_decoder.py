"""NanoDet-Plus: scores and distributions of four strides in one output (RangiLyu/nanodet, nanodet_plus_head)."""

from __future__ import annotations

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import (
    BoxDecoder,
    DecodeOptions,
    Match,
    Outputs,
    grid,
    grid_cells,
    like,
    only_output,
)
from headrace.infer.decoders.distances import distribution_boxes
from headrace.infer.decoders.scores import above
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_BGR, PreprocessOptions

_STRIDES = (8, 16, 32, 64)
#: Eight bins for each of four sides: ``reg_max`` is 7 in all configurations.
_DISTANCES = 32
_COCO = 80


class NanodetPlusDecoder(BoxDecoder):
    """Output ``(N, cells, classes + 32)``: scores in 0–1, then a distribution over eight bins for each side.

    Unlike NanoDet's, distances count from the cell's top left.

    Example:
        >>> import numpy as np
        >>> rows = np.zeros((1, 85, 1 + 32), np.float32)  # 64 pixels: 8x8, 4x4, 2x2 cells and 1
        >>> rows[0, 80, 0], rows[0, 80, 2::8] = 0.9, 99  # the first cell of stride 32, distances of one stride
        >>> NanodetPlusDecoder().decode({"output": rows}, DecodeOptions(0.5, 64, 64)).xyxy.tolist()
        [[-32.0, -32.0, 32.0, 32.0]]
    """

    name = "nanodetplus"
    task = "detect"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By one row for each cell of four maps."""
        output, size, classes = only_output(graph), graph.input_size(), self.class_count(graph)
        if output is None or size is None or classes is None or classes < 1:
            return None
        if output.shape[1] != grid_cells(size, _STRIDES):
            return None
        sure = classes == _COCO if graph.class_count is None else classes == graph.class_count
        reason = f"{output}: {classes} scores and {_DISTANCES} bins in each cell of strides {_STRIDES}"
        return Match(0.95 if sure else 0.6 if graph.class_count is None else 0.1, reason)

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length less the bins."""
        length = graph.outputs[0].shape[-1]
        return None if length is None else length - _DISTANCES

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR, stretched, ImageNet's means and deviations (``keep_ratio: False`` in nanodet-plus-m_416.yml)."""
        return IMAGENET_BGR

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`."""
        return _STRIDES[-1]

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = outputs.values()
        cells = grid(options.width, options.height, _STRIDES)
        if batch.shape[1] != len(cells):
            raise ValueError(f"{batch.shape[1]} rows, but the grid has {len(cells)} cells")
        frame, row, scores, classes = above(batch[:, :, :-_DISTANCES], options.confidence)
        boxes = distribution_boxes(batch[frame, row, -_DISTANCES:], like(cells, batch)[row], 0.0)
        return Candidates(frame, boxes, scores, classes)


DECODER = NanodetPlusDecoder()
