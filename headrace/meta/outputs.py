"""What models leave behind besides objects: raw output tensors and segmentations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.frames.tensor import Tensor


@dataclass(slots=True)
class TensorOutput:
    """Raw outputs of a model for one frame or object (contract §4.5, ``TensorOutputUserMetadata``).

    Attributes:
        unique_id: The element that ran the model.
        layers: Output name to array, without the batch dimension.
        network_size: Width, height and channels of the model's input; zeros when they are not known.
        scale: Pixels of the model's input per pixel of the picture, across and down; zeros when not known.
        offset: Column and row of the model's input where the picture starts (after padding).

    Example:
        >>> output = TensorOutput(1, {"scores": np.zeros((3, 4), np.float32)})
        >>> output.get_layers().pop("scores").shape, list(output.get_layers())
        ((3, 4), ['scores'])
    """

    unique_id: int
    layers: Mapping[str, NDArray[Any]]
    network_size: tuple[int, int, int] = (0, 0, 0)
    scale: tuple[float, float] = (0.0, 0.0)
    offset: tuple[int, int] = (0, 0)

    def get_layers(self) -> dict[str, Tensor]:
        """The layers as a fresh dictionary of tensors that share memory with the arrays."""
        return {name: Tensor(array) for name, array in self.layers.items()}


def _no_probabilities() -> NDArray[np.float32]:
    return np.empty((0, 0, 0), np.float32)


@dataclass(slots=True, eq=False)
class Segmentation:
    """Class of each pixel (contract §4.5, ``SegmentationUserMetadata``).

    Attributes:
        unique_id: The element that segmented.
        class_map: ``(h, w)`` int32 class of each pixel, -1 for none.
        class_probabilities_map: ``(h, w, classes)`` float32, or an empty array.

    Example:
        >>> segmentation = Segmentation(1, np.full((2, 3), -1, np.int32))
        >>> segmentation.width, segmentation.height, segmentation.classes
        (3, 2, 0)
    """

    unique_id: int
    class_map: NDArray[np.int32]
    class_probabilities_map: NDArray[np.float32] = field(default_factory=_no_probabilities)

    @property
    def height(self) -> int:
        """Rows of the map."""
        return int(self.class_map.shape[0])

    @property
    def width(self) -> int:
        """Columns of the map."""
        return int(self.class_map.shape[1])

    @property
    def classes(self) -> int:
        """Number of classes; 0 when there are no probabilities."""
        return int(self.class_probabilities_map.shape[2])
