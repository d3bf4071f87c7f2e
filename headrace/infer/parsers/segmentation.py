"""nvinfer's own parser of semantic segmentation: the best class of each pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.meta import Segmentation

# The first or the last axis taken away, if it has one entry.
_SINGLE: tuple[Any, ...] = (np.s_[0], np.s_[..., 0])


def parse_segmentation(
    output: NDArray[Any], threshold: float, order: int = 0, unique_id: int = 0
) -> Segmentation:
    """The most probable class of each pixel, -1 where its probability is below the threshold.

    Args:
        output: One layer of one frame, without batch axis: probabilities ``(classes, h, w)`` or ``(h, w,
            classes)``, or a map of class numbers: integers ``(h, w)`` with perhaps an axis of one entry.
        threshold: 0–1; a map of class numbers has no probabilities that it could be applied to.
        order: nvinfer's ``segmentation-output-order``: 0 with classes first, 1 with classes last.
        unique_id: The element that segmented.

    Returns:
        Class map ``(h, w)`` int32 and probabilities ``(h, w, classes)`` float32, a view where possible.

    Raises:
        ModelError: The array is not of this kind.

    Example:
        >>> scores = np.array([[[0.9, 0.2]], [[0.1, 0.3]]], np.float32)
        >>> parse_segmentation(scores, 0.5).class_map.tolist()
        [[0, -1]]
    """
    if np.issubdtype(output.dtype, np.integer):
        plane = next(
            (output[part] for part in _SINGLE if output.ndim == 3 and output[part].size == output.size),
            output,
        )
        if plane.ndim == 2:
            return Segmentation(unique_id, plane.astype(np.int32))
    if output.ndim != 3 or order not in (0, 1):
        raise ModelError(
            f"segmentation output has shape {output.shape} and order {order}; expected (classes, height, width) "
            "with order 0 or (height, width, classes) with order 1"
        )
    scores = np.asarray(output, np.float32)
    scores = scores if order == 1 else scores.transpose(1, 2, 0)
    classes = scores.argmax(axis=2).astype(np.int32)
    classes[scores.max(axis=2) < threshold] = -1
    return Segmentation(unique_id, classes, scores)
