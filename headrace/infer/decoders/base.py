"""What a decoder is, and what several families share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.infer.candidates import Array, Candidates
from headrace.infer.engines.base import ModelGraph, TensorSpec
from headrace.infer.preprocess import PreprocessOptions
from headrace.infer.result import Result

#: What a model is for.
Task = Literal["detect", "oriented", "segment", "pose", "semantic", "classify", "embed", "raw"]
#: Output name to array; the first axis is the batch.
Outputs = Mapping[str, Array]

#: Reductions of the three feature maps of the YOLO families.
STRIDES = (8, 16, 32)


@dataclass(frozen=True, slots=True)
class DecodeOptions:
    """What a decoder needs to know besides the tensors.

    Attributes:
        confidence: Rows below it (0–1) are left out before anything else is done with them.
        width: Width of the network's input in pixels.
        height: Height of the network's input in pixels.
        labels: Names of the classes, one for each class; empty where nothing tells how many there are.
        settings: The decoder's own options as the user gave them.
        metadata: What the exporter stored in the model file.

    Example:
        >>> DecodeOptions(confidence=0.25, width=640, height=640).confidence
        0.25
    """

    confidence: float
    width: int
    height: int
    labels: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


class Match(NamedTuple):
    """How well a graph fits a family.

    Attributes:
        score: How sure it is, above 0 up to 1. Two families whose scores differ by less than `AMBIGUOUS` are not
            told apart by shapes: the user is asked.
        reason: What spoke for it, such as ``8400 columns are the cells of 640x640 at strides 8, 16, 32``.

    Example:
        >>> Match(0.9, "rows of six numbers").score
        0.9
    """

    score: float
    reason: str


AMBIGUOUS = 0.05


class Decoder(ABC):
    """One family of models; it has no state and may be used from any thread.

    Derive from `BoxDecoder` or `PictureDecoder`. The module offers an instance as ``DECODER``.

    Attributes:
        name: What users write, as in ``decoder="yolov8"``.
        task: What the family is for.
        settings: Names of its own options, and what each takes.
        usual_size: Width and height of the published models' input, for graphs that leave it open.
        class_names: Names of the classes of families that have always the same, where nothing else names them.
    """

    name: str
    task: Task
    settings: Mapping[str, str] = MappingProxyType({})
    class_names: tuple[str, ...] = ()
    usual_size: tuple[int, int] | None = None

    @abstractmethod
    def matches(self, graph: ModelGraph) -> Match | None:
        """How well a graph fits this family; ``None`` when it cannot be of it."""

    def class_count(self, graph: ModelGraph) -> int | None:
        """Number of classes by the graph's shapes; ``None`` when they do not tell."""
        return None

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """What the family's own code does to pictures: RGB 0–1, letterboxed to the centre, unless overridden."""
        return PreprocessOptions()

    def check(self, options: DecodeOptions) -> None:
        """Refuse options that the family does not have or cannot use; called once, before anything is decoded.

        Raises:
            ConfigError: Names the option and what it takes.
        """
        for name in options.settings:
            if name not in self.settings:
                known = ", ".join(f"{known} ({takes})" for known, takes in self.settings.items())
                raise ConfigError(f"decoder {self.name} has no option {name!r}; it has {known or 'none'}")

    def default_input_size(self, graph: ModelGraph) -> tuple[int, int] | None:
        """Width and height for a graph that leaves them open, where nothing else says; ``None``: the user has to."""
        return self.usual_size

    def batched(self, graph: ModelGraph) -> bool:
        """Whether outputs have a row for each picture; if not, pictures go through one by one.

        Then `decode` and `results` get the outputs of one picture, with a first axis of one entry put in front.
        """
        return True


class Dense(NamedTuple):
    """Boxes of all cells, views of the outputs: nothing is chosen or computed yet.

    Attributes:
        boxes: ``(N, cells, 4)`` in pixels of the network's input.
        scores: ``(N, cells, classes)`` in 0–1.
        objectness: ``(N, cells)`` in 0–1, multiplied with the scores; or ``None``.
        centres: Whether boxes are centre x, y, width and height; otherwise left, top, right and bottom.

    Example:
        >>> Dense(np.zeros((1, 21, 4)), np.zeros((1, 21, 80))).centres
        True
    """

    boxes: Array
    scores: Array
    objectness: Array | None = None
    centres: bool = True


class BoxDecoder(Decoder):
    """A family that finds boxes: upright, turned, with masks or with keypoints.

    Attributes:
        overlapping: Whether its boxes still overlap, so that suppression has to follow.
    """

    overlapping: bool = True

    @abstractmethod
    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """Boxes of all rows of the batch that reach the confidence, in pixels of the network's input.

        Works on whole batches with the functions that NumPy and torch share (`array_namespace`).

        Raises:
            ValueError: The tensors are not of this family.
        """

    def size_step(self, graph: ModelGraph) -> int | None:
        """Of how many pixels width and height of the input may be any multiple: the stride of the coarsest map.

        ``None`` unless the family's boxes go by the cells of its maps, whatever their number. Boxes in fractions of the
        size that the network was trained at, position embeddings and resizing inside the graph do not.
        """
        return None

    def dense(self, outputs: Outputs, options: DecodeOptions) -> Dense | None:
        """Boxes of all cells, for families whose box has one class, the best of its scores; ``None`` for others.

        Works without a look at values, so that it can be part of a CUDA graph. What `decode` finds must follow from it,
        but for the errors, which `decode` sees in the first batch.
        """
        return None

    def complete(self, kept: Candidates, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """Add what is only worth computing for boxes that were kept, such as masks.

        Args:
            kept: What suppression left, in NumPy's arrays.
            outputs: As given to `decode`.
            options: As given to `decode`.
        """
        return kept


class PictureDecoder(Decoder):
    """A family that says something of the picture as a whole: its class, its embedding, its pixels' classes."""

    @abstractmethod
    def results(self, outputs: Outputs, options: DecodeOptions) -> list[Result]:
        """What it says of each row of the batch.

        Raises:
            ValueError: The tensors are not of this family.
        """


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


def corners(center_size: Array) -> Array:
    """Boxes ``(n, 4)`` from centre x, centre y, width, height to left, top, right, bottom."""
    half = center_size[:, 2:] / 2
    return array_namespace(center_size).concat([center_size[:, :2] - half, center_size[:, :2] + half], axis=1)


def clipped(xyxy: Array, options: DecodeOptions) -> Array:
    """Boxes ``(n, 4)`` cut at the edges of the network's input."""
    xp = array_namespace(xyxy)
    columns = [xp.clip(xyxy[:, side], 0, (options.width, options.height)[side % 2]) for side in range(4)]
    return xp.stack(columns, axis=1)


def like(array: NDArray[Any], other: Array) -> Array:
    """A NumPy array in the library and on the device of another array, a copy; itself where that is NumPy."""
    xp = array_namespace(other)
    return array if xp is array_namespace(array) else xp.asarray(array.copy(), device=other.device)
