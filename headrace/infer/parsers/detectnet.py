"""nvinfer's own detector parser: DetectNet v2's grid of coverage and boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.meta import Detections

#: Pixels that an output of 1 stands for.
BOX_NORM = 35.0


def parse_detectnet(
    outputs: Mapping[str, NDArray[Any]],
    network_size: tuple[int, int],
    num_classes: int,
    thresholds: Sequence[float],
) -> Detections:
    """Boxes of the grid cells whose coverage reaches the class's threshold (contract: configs §1.3).

    Cell ``(x, y)`` has its centre at ``(stride * x + 0.5) / 35``; the four box outputs are the distances from it
    to left, top, right and bottom in units of 35 pixels.

    Args:
        outputs: Layers of one frame, without batch axis. One with ``cov`` in its name: ``(classes, rows,
            columns)`` in 0–1; one with ``bbox``: ``(4 * classes, rows, columns)``.
        network_size: Width and height of the network's input in pixels.
        num_classes: Classes to read; the layers may have more, or fewer.
        thresholds: Least coverage of each class.

    Returns:
        One box for each such cell, clipped to the network's input, class by class; still to be clustered.

    Raises:
        ModelError: The layers are not of this kind.

    Example:
        >>> cov, bbox = np.zeros((1, 4, 4), np.float32), np.ones((4, 4, 4), np.float32)
        >>> cov[0, 2, 3] = 0.9
        >>> parse_detectnet({"cov": cov, "bbox": bbox}, (64, 64), 1, [0.5]).xyxy.tolist()
        [[13.5, 0.0, 64.0, 64.0]]
    """
    coverage, distances = _layers(outputs)
    num_classes = min(num_classes, len(coverage))
    rows, columns = coverage.shape[1:]
    limits = np.array(thresholds[:num_classes], np.float32).reshape(-1, 1, 1)
    classes, y, x = np.nonzero(coverage[:num_classes] >= limits)
    strides = -(-network_size[0] // columns), -(-network_size[1] // rows)
    centers = np.stack([x * strides[0] + 0.5, y * strides[1] + 0.5], axis=1) / BOX_NORM
    sides = distances.reshape(-1, 4, rows, columns)[classes, :, y, x]
    boxes = np.hstack([centers - sides[:, :2], centers + sides[:, 2:]]) * BOX_NORM
    boxes = np.clip(boxes, 0, np.array(network_size * 2))
    return Detections(boxes.astype(np.float32), coverage[classes, y, x], classes.astype(np.int32))


def _layers(outputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    layers = []
    for word, shape in (("cov", "(classes, rows, columns)"), ("bbox", "(4 * classes, rows, columns)")):
        found = [array for name, array in outputs.items() if word in name.lower()]
        if len(found) != 1 or found[0].ndim != 3:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in outputs.items())
            raise ModelError(
                f"the built-in parser needs one layer with {word!r} in its name, of shape {shape}; there are: "
                f"{shapes}. Give a Python parser with parse-bbox-func-name and custom-lib-path"
            )
        layers.append(np.asarray(found[0], np.float32))
    coverage, distances = layers
    if coverage.shape[1:] != distances.shape[1:] or 4 * len(coverage) != len(distances):
        raise ModelError(f"coverage {coverage.shape} and boxes {distances.shape} are not of one grid")
    return coverage, distances
