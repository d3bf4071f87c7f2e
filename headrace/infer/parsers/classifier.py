"""nvinfer's own classifier parser: the best class of each output layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.meta import Label


def parse_classifier(
    outputs: Mapping[str, NDArray[Any]], labels: Sequence[Sequence[str]], threshold: float
) -> list[Label]:
    """The most probable class of each layer, where its probability exceeds the threshold (contract: configs §1.3).

    Args:
        outputs: Layers of one frame or object, without batch axis, in the graph's order. The first axis is the
            class; further axes of one entry are ignored.
        labels: For each layer the names of its classes; a class without one has an empty label.
        threshold: 0–1.

    Returns:
        One label for each layer that says something: ``label_id`` is the layer's number, ``class_id`` the
        class, ``num_classes`` the layer's classes. Empty when no layer does.

    Example:
        >>> [label] = parse_classifier({"prob": np.array([0.1, 0.7, 0.2])}, [("red", "blue", "grey")], 0.5)
        >>> label.label, label.class_id, label.prob
        ('blue', 1, 0.7)
    """
    found = []
    for number, layer in enumerate(outputs.values()):
        # Of a layer with further axes the first entry along them counts.
        scores = layer.reshape(len(layer), -1)[:, 0] if layer.size else np.empty(0)
        if len(scores) == 0:
            continue
        best = int(scores.argmax())
        if scores[best] > threshold:
            names = labels[number] if number < len(labels) else ()
            name = names[best] if best < len(names) else ""
            found.append(Label(name, best, float(scores[best]), number, len(scores)))
    return found
