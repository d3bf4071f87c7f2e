"""What the YOLO families' outputs have in common: grids, orders of axes, and how well classes fit."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import STRIDES, BoxDecoder, DecodeOptions, grid_cells
from headrace.infer.decoders.scores import single
from headrace.infer.engines.base import ModelGraph

#: Reductions of the feature maps: the usual three, with a finer, with a coarser, and of the tiny models.
STRIDE_SETS = ((8, 16, 32), (4, 8, 16, 32), (8, 16, 32, 64), (16, 32))
_BOXES_OF_A_CELL = (1, 3)
#: Boxes whose corners all stay below this many "pixels" are in fractions of the input's size.
_FRACTIONS_BELOW = 2.0
#: By how much of the input's size a right side may be left of the left one, of boxes that are next to nothing.
_ROUNDING = 0.01


def strides_of(count: int | None, size: tuple[int, int] | None, each: int = 1) -> tuple[int, ...] | None:
    """The reductions whose feature maps have a number of boxes; ``None`` when there are none such.

    Args:
        count: Number of boxes.
        size: Width and height of the network's input.
        each: Boxes in each cell.
    """
    if count is None or size is None:
        return None
    return next((strides for strides in STRIDE_SETS if each * grid_cells(size, strides) == count), None)


def fit(graph: ModelGraph, classes: int | None, sure: float, unknown: float, wrong: float) -> float:
    """A score by whether there are as many classes as labels, or no labels, or another number of them."""
    if graph.class_count is None or classes is None:
        return unknown
    return sure if graph.class_count == classes else wrong


def task_of(graph: ModelGraph) -> str | None:
    """What ultralytics says that the model does; ``None`` where another exporter wrote the file."""
    return graph.metadata.get("task")


def is_rtdetr(graph: ModelGraph) -> bool:
    """Whether the exporter calls the model an RT-DETR."""
    said = graph.metadata.get("head", "") + graph.metadata.get("description", "")
    return "rtdetr" in said.lower().replace("-", "")


def rows_last(batch: Array, options: DecodeOptions) -> Array:
    """``(N, boxes, numbers)`` of either order of axes: the one that counts cells, else the longer, is boxes."""
    size, (first, second) = (options.width, options.height), batch.shape[1:]
    by_cells = [strides_of(count, size) is not None for count in (first, second)]
    columns = by_cells[1] if by_cells[0] != by_cells[1] else second > first
    return array_namespace(batch).permute_dims(batch, (0, 2, 1)) if columns else batch


def in_pixels(boxes: Array, options: DecodeOptions) -> Array:
    """Corners ``(n, 4)`` as 32-bit floats in pixels of the input, where they may be in fractions of its size.

    Raises:
        ValueError: Fractions, but of centre and size: a width is no corner.
    """
    xp, boxes = array_namespace(boxes), single(boxes)
    if boxes.shape[0] and xp.max(xp.abs(boxes)) < _FRACTIONS_BELOW:
        if xp.any(boxes[:, 2:] < boxes[:, :2] - _ROUNDING):
            raise ValueError(
                "fractions whose right is left of their left; RT-DETR gives centre and size (rtdetr)"
            )
        return from_fractions(boxes, options)
    return boxes


def from_fractions(boxes: Array, options: DecodeOptions) -> Array:
    """Boxes ``(n, 4)`` as 32-bit floats in pixels, from fractions of the input's size; corners or centre and size."""
    size = [options.width, options.height] * 2
    boxes = single(boxes)
    return boxes * array_namespace(boxes).asarray(size, dtype=boxes.dtype, device=boxes.device)


def joined(parts: list[Candidates]) -> Candidates:
    """Boxes of several feature maps as one, frames in rising order; columns beyond the class are dropped."""
    xp = array_namespace(*(part.frame for part in parts))
    columns = (
        xp.concat([getattr(part, name) for part in parts])
        for name in ("frame", "xyxy", "confidence", "class_id")
    )
    found = Candidates(*columns)
    return found[xp.argsort(found.frame, stable=True)]


class GridDecoder(BoxDecoder):
    """A family whose boxes go by the cells of its maps, with one box, or one for each of three anchors, in a cell."""

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`: what the exporter says, what the number of boxes tells, else 32."""
        said = graph.metadata.get("stride", "")
        if said.isdigit() and int(said) > 0:
            return int(said)
        counts, size = (axis for output in graph.outputs for axis in output.shape[1:]), graph.input_size()
        found = (strides_of(count, size, each) for count in counts for each in _BOXES_OF_A_CELL)
        return max((strides[-1] for strides in found if strides), default=STRIDES[-1])
