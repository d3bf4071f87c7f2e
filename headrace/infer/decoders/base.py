"""What a decoder is, and what several families share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headrace.infer.engines.base import ModelGraph, TensorSpec
from headrace.infer.preprocess import PreprocessOptions
from headrace.meta import Detections

#: Reductions of the three feature maps of the YOLO families.
STRIDES = (8, 16, 32)


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """What a decoder needs to know besides the tensors.

    Attributes:
        confidence: Rows below it (0–1) are left out before anything else is done with them.
        width: Width of the network's input in pixels.
        height: Height of the network's input in pixels.

    Example:
        >>> DecodeOptions(confidence=0.25, width=640, height=640).confidence
        0.25
    """

    confidence: float
    width: int
    height: int


class Decoder(Protocol):
    """One family of detectors; it has no state and may be used from any thread."""

    name: str
    #: Whether boxes still overlap, so that non-maximum suppression has to follow.
    needs_nms: bool

    def matches(self, graph: ModelGraph) -> float | None:
        """How sure it is, 0–1, that a graph is of its family; ``None`` when it cannot be."""
        ...

    def class_count(self, graph: ModelGraph) -> int | None:
        """Number of classes by the graph's shapes; ``None`` when they do not tell."""
        ...

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """What the family's own code does to pictures."""
        ...

    def decode(self, outputs: Mapping[str, NDArray[Any]], options: DecodeOptions) -> list[Detections]:
        """Objects of each row of the batch, boxes in pixels of the network's input.

        Raises:
            ValueError: The tensors are not of this family.
        """
        ...


def grid_cells(size: tuple[int, int], strides: tuple[int, ...] = STRIDES) -> int:
    """Number of cells of all feature maps for an input of ``(width, height)``."""
    return sum(-(-size[0] // stride) * -(-size[1] // stride) for stride in strides)


@lru_cache(maxsize=16)
def grid(width: int, height: int, strides: tuple[int, ...] = STRIDES) -> NDArray[np.float32]:
    """Column, row and stride of every cell, ``(cells, 3)``, map by map and row by row; read only."""
    parts = []
    for stride in strides:
        rows, columns = np.mgrid[: -(-height // stride), : -(-width // stride)]
        parts.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1))
    table = np.concatenate(parts).astype(np.float32)
    table.flags.writeable = False
    return table


def only_output(graph: ModelGraph, ndim: int = 3) -> TensorSpec | None:
    """The graph's output if it has just one and that has the number of axes."""
    if len(graph.outputs) == 1 and len(graph.outputs[0].shape) == ndim:
        return graph.outputs[0]
    return None


def corners(center_size: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes ``(n, 4)`` from centre x, centre y, width, height to left, top, right, bottom."""
    half = center_size[:, 2:] / 2
    return np.hstack([center_size[:, :2] - half, center_size[:, :2] + half])


def best_classes(
    scores: NDArray[np.float32], objectness: NDArray[np.float32], confidence: float
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.intp]]:
    """Rows whose objectness times best class score reaches the confidence.

    Args:
        scores: ``(n, classes)`` in 0–1.
        objectness: ``(n,)`` in 0–1.
        confidence: Least product.

    Returns:
        Row numbers, products and classes. Class scores are looked at only in rows whose objectness alone
        reaches the confidence: a product cannot exceed it.
    """
    rows = np.flatnonzero(objectness >= confidence)
    candidates = scores[rows]
    classes = candidates.argmax(axis=1)
    products = objectness[rows] * candidates[np.arange(len(rows)), classes]
    keep = products >= confidence
    return rows[keep], products[keep], classes[keep]
