"""YOLOX: one row per grid cell with objectness, decoded in the graph or not (arXiv:2107.08430)."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import Any

from array_api_compat import array_namespace

from headrace.errors import ConfigError
from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import (
    DecodeOptions,
    Dense,
    Match,
    Outputs,
    corners,
    grid,
    like,
    only_output,
)  # fmt: skip
from headrace.infer.decoders.layouts import GridDecoder, fit, strides_of
from headrace.infer.decoders.scores import above, single
from headrace.infer.decoders.yolov6_decoder import OUTPUT as YOLOV6_OUTPUT
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions


class YoloxDecoder(GridDecoder):
    """Output ``(N, cells, 5 + classes)``: cell offsets x, y, log width, log height, objectness, scores.

    Exports with ``--decode_in_inference`` have the same shape, with centre x, y, width and height in pixels. They are
    told from the numbers: no decoded width is zero or below, and among the logarithms of all cells some are. The
    option ``decoded`` says it once and for all.

    Example:
        >>> import numpy as np
        >>> row = np.zeros((1, 21, 6), np.float32)
        >>> row[0, 0, 4:] = 1.0
        >>> YoloxDecoder().decode({"output": row}, DecodeOptions(0.5, 32, 32)).xyxy.tolist()
        [[-4.0, -4.0, 4.0, 4.0]]
    """

    name = "yolox"
    usual_size = (640, 640)
    task = "detect"
    settings = MappingProxyType({"decoded": "true or false: whether the graph gives boxes in pixels"})

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the number of rows, which is that of the grid's cells."""
        output, size, classes = only_output(graph), graph.input_size(), self.class_count(graph)
        if output is None or size is None or not strides_of(output.shape[1], size):
            return None
        if classes is None or classes < 1:
            return None
        shape = f"{output}: a box, objectness and {classes} classes for each cell of {size[0]}x{size[1]}"
        doubt = 0.2 if output.name == YOLOV6_OUTPUT else 0.0
        return Match(fit(graph, classes, 0.9, 0.7, 0.3) - doubt, shape)

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length less box and objectness."""
        length = graph.outputs[0].shape[-1] if graph.outputs and graph.outputs[0].shape else None
        return None if length is None else length - 5

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR 0–255, letterboxed to the top left on grey 114."""
        return PreprocessOptions(padding="topleft", color="BGR", scale=1.0)

    def check(self, options: DecodeOptions) -> None:
        """See `Decoder.check`."""
        super().check(options)
        if not isinstance(options.settings.get("decoded", False), bool):
            raise ConfigError(f"option decoded is {options.settings['decoded']!r}; use true or false")

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        (batch,) = outputs.values()
        strides = strides_of(batch.shape[1], (options.width, options.height))
        if strides is None:
            raise ValueError(f"{batch.shape[1]} rows are not the cells of {options.width}x{options.height}")
        frame, row, scores, classes = above(batch[:, :, 5:], options.confidence, batch[:, :, 4])
        raw = single(batch[frame, row, :4])
        if not _decoded(batch, options):
            raw = _placed(raw, like(grid(options.width, options.height, strides), raw)[row])
        return Candidates(frame, corners(raw), scores, classes)

    def dense(self, outputs: Outputs, options: DecodeOptions) -> Dense | None:
        """See `BoxDecoder.dense`."""
        (batch,) = outputs.values()
        strides = strides_of(batch.shape[1], (options.width, options.height))
        said = options.settings.get("decoded")
        if strides is None:
            return None
        boxes = single(batch[:, :, :4])
        if not said:
            xp = array_namespace(batch)
            cells = _cells(options.width, options.height, strides, xp, boxes.device)
            stride = cells[:, 2:]
            raw = xp.concat(
                [(boxes[..., :2] + cells[:, :2]) * stride, xp.exp(boxes[..., 2:]) * stride], axis=2
            )
            boxes = raw if said is False else xp.where(xp.min(boxes[..., 2:]) > 0, boxes, raw)
        return Dense(boxes, batch[:, :, 5:], batch[:, :, 4])


@lru_cache(maxsize=16)
def _cells(width: int, height: int, strides: tuple[int, ...], xp: Any, device: Any) -> Array:
    """`grid` on a device; kept, because nothing can be copied there while a CUDA graph is recorded."""
    return xp.asarray(grid(width, height, strides).copy(), device=device)


def _decoded(batch: Array, options: DecodeOptions) -> bool:
    said = options.settings.get("decoded")
    if said is not None:
        return bool(said)
    xp = array_namespace(batch)
    if not xp.min(batch[:, :, 2:4]) > 0:
        return False
    if xp.all(batch[:, :, 4] == 1):
        raise ValueError("objectness is one everywhere, which YOLOv6 does")
    return True


def _placed(raw: Array, cell: Array) -> Array:
    """Centres and sizes in pixels of ``(n, 4)`` offsets and logarithms in ``(n, 3)`` cells."""
    xp, stride = array_namespace(raw), cell[:, 2:]
    return xp.concat([(raw[:, :2] + cell[:, :2]) * stride, xp.exp(raw[:, 2:]) * stride], axis=1)


DECODER = YoloxDecoder()
