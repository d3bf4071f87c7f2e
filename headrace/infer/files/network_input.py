"""The input tensors of a model, made from frames."""

from __future__ import annotations

from collections import deque
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError, ModelError
from headrace.infer.engines.base import ModelGraph, numpy_dtype
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import PreprocessOptions

#: Metadata key by which a model file describes its preprocessing, as JSON of `PreprocessOptions`.
PREPROCESS_KEY = "headrace.preprocess"


class NetworkInput:
    """Input tensors of a model's own size and type, reused from batch to batch; may be shared by threads.

    Args:
        graph: The model; has one image input.
        options: ``preprocess`` and ``input_size`` as the user set them.
        default: Preprocessing of the model's family, where neither user nor file says anything.
        default_size: Width and height for graphs that leave them open, where neither user nor file says anything.

    Raises:
        ModelError: The input's size is open and not given.
        ConfigError: ``preprocess`` holds what cannot be used, or does not fit the input.
    """

    def __init__(
        self,
        graph: ModelGraph,
        options: InferOptions,
        default: PreprocessOptions,
        default_size: tuple[int, int] | None = None,
    ) -> None:
        spec, size = graph.inputs[0], graph.input_size()
        if None in spec.shape[1:]:
            size = options.input_size or size or default_size
        if size is None:
            raise ModelError(
                f"{graph.path}: input {spec} has an open size; set input_size to width and height"
            )
        self.width, self.height = size
        if not spec.dtype.startswith(("float", "int", "uint")):
            raise ModelError(
                f"{graph.path}: input {spec} cannot be filled from frames; export it with an input of float32"
            )
        self._dtype = numpy_dtype(spec.dtype)
        if np.issubdtype(self._dtype, np.integer):  # the network normalises pictures itself
            zero = 128.0 if self._dtype == np.int8 else 0.0
            default = replace(default, scale=1.0, mean=(zero,) * 3, std=(1.0,) * 3)
        stored = graph.metadata.get(PREPROCESS_KEY)
        if stored:
            default = PreprocessOptions.from_json(stored, f"{graph.path}: metadata {PREPROCESS_KEY}")
        if graph.channels() == 1:
            default = replace(default, color="GRAY")
        changed = options.preprocess
        self.options = changed if isinstance(changed, PreprocessOptions) else default.changed(changed or {})
        if graph.channels() not in (None, 1, 3):
            raise ModelError(
                f"{graph.path}: input {spec} takes {graph.channels()} channels, but frames give 1 or 3: write a "
                "Python model for it"
            )
        if graph.channels() not in (None, self.options.channels):
            raise ConfigError(
                f"{graph.path}: input {spec} does not take {self.options.channels} channels; "
                f"color={self.options.color} does not fit it"
            )
        self._last = graph.channels_last()
        self._free: deque[NDArray[Any]] = deque(maxlen=4)

    def resized(self, width: int, height: int) -> NetworkInput:
        """The same for another size."""
        other = copy(self)
        other.width, other.height, other._free = width, height, deque(maxlen=4)
        return other

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    @property
    def _row_shape(self) -> tuple[int, ...]:
        shape = (self.height, self.width)
        return (*shape, self.options.channels) if self._last else (self.options.channels, *shape)

    def take(self, rows: int) -> NDArray[Any]:
        """A tensor with a number of rows and undefined content; hand it back with `give`.

        Raises:
            ModelError: There is not enough memory.
        """
        try:
            tensor = self._free.pop()
        except IndexError:
            tensor = np.empty((0, *self._row_shape), self._dtype)
        if len(tensor) < rows:
            try:
                tensor = np.empty((rows, *self._row_shape), self._dtype)
            except (MemoryError, ValueError) as error:
                raise ModelError(
                    f"an input of {self.width}x{self.height} pixels does not fit in memory ({error}); set a smaller "
                    "input_size"
                ) from error
        return tensor[:rows]

    def give(self, tensor: NDArray[Any]) -> None:
        """Take back a tensor that nobody uses any more."""
        self._free.append(tensor if tensor.base is None else tensor.base)
