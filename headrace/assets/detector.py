"""The stand-in for the primary detector: the demo model with the inputs and outputs of a DetectNet_v2 network.

Such a network looks at 960x544 pixels and answers, in a grid of cells of 16 pixels, how sure it is of each class
(``output_cov``) and how far the four sides of the object are from the cell, in units of 35 pixels (``output_bbox``).
The demo model answers in three grids. Each cell of the one grid takes the surest answer among those cells of the
three that lie in it, for each class alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import headrace
from headrace.assets.onnxfile import Graph

WIDTH, HEIGHT, STRIDE, BOX_NORM = 960, 544, 16, 35.0
ROWS, COLUMNS = HEIGHT // STRIDE, WIDTH // STRIDE
INPUT, COVERAGE, BOXES = "input_1:0", "output_cov/Sigmoid:0", "output_bbox/BiasAdd:0"
SHAPE = ("batch", 3, HEIGHT, WIDTH)
#: Version of ONNX's operators that the demo model was written with.
OPSET = 17

DEMO = Path(headrace.__file__).parent / "models" / "demo.onnx"
#: The size that the demo model gets to see; multiples of 32.
_SEEN_WIDTH, _SEEN_HEIGHT = 640, 352
_LEVELS = (8, 16, 32)


def detector(classes: Sequence[int | None] = (0, 1, 2, 3)) -> bytes:
    """The ONNX file.

    Args:
        classes: The demo model's class behind each class of the file; ``None`` for one that is never found.

    Raises:
        ModelError: The demo model is missing or broken.
    """
    grid = (ROWS, COLUMNS)
    outputs = {COVERAGE: ("batch", len(classes), *grid), BOXES: ("batch", 4 * len(classes), *grid)}
    description = "Finds objects of Headrace's rendered scenes, with the tensors of a DetectNet_v2 network"
    return detector_graph(classes).model({INPUT: SHAPE}, outputs, OPSET, description)


def detector_graph(classes: Sequence[int | None]) -> Graph:
    """The detector's steps from `INPUT` to `COVERAGE` and `BOXES`; see `detector`."""
    graph = Graph.read(DEMO)
    graph.trim(_raw(level, part) for level in range(len(_LEVELS)) for part in ("box", "score"))
    behind, graph.nodes = graph.nodes, []
    # A hair more, so that rounding down the size keeps it.
    scales = np.array([1, 1, (_SEEN_HEIGHT + 0.01) / HEIGHT, (_SEEN_WIDTH + 0.01) / WIDTH], np.float32)
    graph.add("Resize", [INPUT, "", graph.constant("hr_scales", scales)], "images", mode="linear")
    graph.nodes += behind
    _Merger(graph, classes).merge()
    return graph


def _raw(level: int, part: str) -> str:
    """Name of the demo model's tensor: distances to the sides (box) or logits (score) of one level."""
    return f"/heads.{level}/{part}/{part}.2/Conv_output_0"


class _Merger:
    """Adds the steps that lead from three grids to one."""

    def __init__(self, graph: Graph, classes: Sequence[int | None]) -> None:
        self._graph, self._classes = graph, classes
        self._class_axis = graph.constant("hr_class_axis", np.array([1], np.int64))
        self._side_axis = graph.constant("hr_side_axis", np.array([2], np.int64))
        self._scores = self._boxes = ""

    def merge(self) -> None:
        """Add all steps."""
        graph = self._graph
        for level, stride in enumerate(_LEVELS):
            score = graph.add("Sigmoid", [self._chosen(level)], f"hr_score{level}")
            reach = graph.add("Softplus", [_raw(level, "box")], f"hr_reach{level}")
            down = _cells(stride * HEIGHT / _SEEN_HEIGHT, ROWS)
            across = _cells(stride * WIDTH / _SEEN_WIDTH, COLUMNS)
            for k, rows in enumerate(down):
                for m, columns in enumerate(across):
                    self._candidate(f"hr_{level}{k}{m}", stride, (score, reach), (rows, columns))
        possible = np.array([known is not None for known in self._classes], np.float32).reshape(-1, 1, 1)
        graph.add("Mul", [self._scores, graph.constant("hr_possible", possible)], COVERAGE)
        shape = np.array([0, 4 * len(self._classes), ROWS, COLUMNS], np.int64)
        graph.add("Reshape", [self._boxes, graph.constant("hr_shape", shape)], BOXES)

    def _chosen(self, level: int) -> str:
        index = np.array([known or 0 for known in self._classes], np.int64)
        name = self._graph.constant(f"hr_classes{level}", index)
        return self._graph.add("Gather", [_raw(level, "score"), name], f"hr_logits{level}", axis=1)

    def _candidate(
        self,
        name: str,
        stride: int,
        level: tuple[str, str],
        cells: tuple[NDArray[np.int64], NDArray[np.int64]],
    ) -> None:
        """Let one cell of a level, named for each cell of the grid by ``cells``, compete with what there is."""
        graph = self._graph
        score, reach = (self._pick(f"{name}{part}", part, cells) for part in level)
        down, across = stride * HEIGHT / _SEEN_HEIGHT, stride * WIDTH / _SEEN_WIDTH
        unit = np.array([across, down, across, down], np.float32).reshape(4, 1, 1) / np.float32(BOX_NORM)
        scaled = graph.add("Mul", [reach, graph.constant(f"{name}_unit", unit)], f"{name}_scaled")
        shift = graph.constant(f"{name}_shift", _shift((cells[0] + 0.5) * down, (cells[1] + 0.5) * across))
        sides = graph.add("Add", [scaled, shift], f"{name}_sides")
        boxes = graph.add("Unsqueeze", [sides, self._class_axis], f"{name}_boxes")
        if not self._scores:
            # All classes start with the same boxes.
            every = np.ones((1, len(self._classes), 1, 1, 1), np.float32)
            boxes = graph.add("Mul", [boxes, graph.constant("hr_every", every)], "hr_boxes")
            self._scores, self._boxes = score, boxes
            return
        surer = graph.add("Greater", [score, self._scores], f"{name}_surer")
        surer = graph.add("Unsqueeze", [surer, self._side_axis], f"{name}_which")
        self._boxes = graph.add("Where", [surer, boxes, self._boxes], f"{name}_best_boxes")
        self._scores = graph.add("Max", [score, self._scores], f"{name}_best")

    def _pick(self, name: str, tensor: str, cells: tuple[NDArray[np.int64], NDArray[np.int64]]) -> str:
        rows = self._graph.constant(f"{name}_rows", cells[0])
        columns = self._graph.constant(f"{name}_columns", cells[1])
        picked = self._graph.add("Gather", [tensor, rows], f"{name}_down", axis=2)
        return self._graph.add("Gather", [picked, columns], f"{name}_across", axis=3)


def _cells(size: float, count: int) -> list[NDArray[np.int64]]:
    """For each of ``count`` cells of `STRIDE`, the cells of another size whose middles lie in it, as alternatives.

    Where none does, the one around its own middle.

    Example:
        >>> [index.tolist() for index in _cells(12.0, 4)]
        [[0, 1, 3, 4], [0, 2, 3, 4]]
    """
    first, last = [], []
    for cell in range(count):
        low = int(np.ceil(cell * STRIDE / size - 0.5))
        high = int(np.ceil((cell + 1) * STRIDE / size - 0.5)) - 1
        around = int((cell + 0.5) * STRIDE / size)
        first.append(low if low <= high else around)
        last.append(high if low <= high else around)
    same = first == last
    return [np.array(index, np.int64) for index in ([first] if same else [first, last])]


def _shift(down: NDArray[np.floating], across: NDArray[np.floating]) -> NDArray[np.float32]:
    """Distances from the cells' own points to those of the demo model's cells, ``(4, rows, columns)``, normed."""
    y = (np.arange(ROWS) * STRIDE + 0.5 - down)[:, None]
    x = (np.arange(COLUMNS) * STRIDE + 0.5 - across)[None]
    sides = np.stack([part + 0 * (x + y) for part in (x, y, -x, -y)])
    return np.asarray(sides / BOX_NORM, np.float32)
