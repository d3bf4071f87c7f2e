"""Conversion of a model's raw outputs in user code (contract §7)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from headrace.frames.tensor import Tensor


class PostProcessing(ABC):
    """Makes results of a model's outputs; subclasses say what kind."""

    @abstractmethod
    def __call__(self, output_layers: Mapping[str, Tensor]) -> Any:
        """Convert the outputs of one frame.

        Args:
            output_layers: Name to tensor, without batch dimension, as
                ``TensorOutputUserMetadata.get_layers`` gives them.
        """


class ObjectDetectorOutputConverter(PostProcessing):
    """Makes boxes of a detector's outputs.

    Example:
        >>> import numpy as np
        >>> class Rows(ObjectDetectorOutputConverter):
        ...     def __call__(self, output_layers):
        ...         return [row.tolist() for row in output_layers["boxes"].numpy()]
        >>> Rows()({"boxes": Tensor(np.array([[0, 0.5, 1, 2, 3, 4]]))})
        [[0.0, 0.5, 1.0, 2.0, 3.0, 4.0]]
    """

    @abstractmethod
    def __call__(self, output_layers: Mapping[str, Tensor]) -> list[list[Any]]:
        """Convert the outputs of one frame.

        Returns:
            Rows ``[class_id, confidence, x1, y1, x2, y2]`` in pixels of the network's input.
        """
