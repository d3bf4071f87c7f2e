"""Parsers of DeepStream's own libraries, by their names in configurations, written in Python.

They have the form of a user's custom parse function. Parsers whose outputs a built-in decoder reads anyway (SSD,
EfficientDet, Faster R-CNN with suppression in the graph, YOLO) are not here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headrace.errors import ModelError
from headrace.infer.parsers import NetworkInfo, ParseParams
from headrace.infer.parsers.custom import Layers
from headrace.meta import Detections, Label

_HERE = __name__
#: Name of the C function to ``module:function`` here.
STAND_INS = {
    "NvDsInferParseCustomMrcnnTLT": f"{_HERE}:parse_mask_rcnn",
    "NvDsInferParseCustomMrcnnTLTV2": f"{_HERE}:parse_mask_rcnn",
    "NvDsInferParseCustomNVPlate": f"{_HERE}:parse_plate",
}
#: Names of functions that do what nvinfer's built-in parser does.
BUILT_IN = ("NvDsInferClassiferParseCustomSoftmax", "NvDsInferParseCustomResnet")

#: Boxes whose numbers all stay below this are in fractions of the input's size.
_FRACTIONS_BELOW = 2.0
#: A shorter text is taken for a mistake.
_LEAST_CHARACTERS = 3
#: File of the characters in the working folder, one on each line.
_CHARACTERS = "dict.txt"


def parse_mask_rcnn(outputs: Layers, network: NetworkInfo, params: ParseParams) -> Detections:
    """Mask R-CNN with a layer of detections and one of masks.

    Args:
        outputs: ``(n, 6)`` rows of top, left, bottom, right, class, confidence, in pixels of the input or
            fractions of it; ``(n, classes, h, w)`` mask scores over each box.
        network: The input.
        params: Thresholds of the classes.

    Returns:
        Boxes with the masks of their classes, as they are: scores above 0 belong to the object.

    Raises:
        ModelError: There are no such layers.

    Example:
        >>> rows, masks = np.array([[0, 0.5, 0.5, 1, 1, 0.9]], np.float32), np.zeros((1, 2, 28, 28), np.float32)
        >>> found = parse_mask_rcnn({"boxes": rows, "masks": masks}, NetworkInfo(100, 60), ParseParams(2, (0.5, 0.5)))
        >>> found.xyxy.tolist(), found.masks.shape
        ([[50.0, 0.0, 100.0, 30.0]], (1, 28, 28))
    """
    boxes = next((layer for layer in outputs.values() if layer.ndim == 2 and layer.shape[1] == 6), None)
    masks = next((layer for layer in outputs.values() if layer.ndim == 4), None)
    if boxes is None or masks is None or len(boxes) != len(masks):
        shapes = ", ".join(f"{name} {layer.shape}" for name, layer in outputs.items())
        raise ModelError(
            f"Mask R-CNN's layers are (n, 6) and (n, classes, height, width); there are: {shapes}"
        )
    classes = boxes[:, 4].astype(np.intp)
    known = (classes >= 0) & (classes < min(params.num_classes, masks.shape[1]))
    limits = np.array([*params.thresholds, 0.0])[np.where(known, classes, -1)]
    rows = np.flatnonzero(known & (boxes[:, 5] >= limits) & (boxes[:, 5] > 0))
    corners = boxes[rows][:, [1, 0, 3, 2]].astype(np.float32)
    size = np.array([network.width, network.height] * 2, np.float32)
    if len(corners) and np.abs(corners).max() < _FRACTIONS_BELOW:
        corners *= size
    corners = np.clip(corners, 0, size)
    own = classes[rows]
    return Detections(corners, boxes[rows, 5], own.astype(np.int32), masks=masks[rows, own])


def parse_plate(outputs: Layers, network: NetworkInfo, params: ParseParams) -> list[Label]:
    """Text of a licence plate from a network that names a character for each step across the picture.

    Repetitions are one character; numbers beyond the list of characters stand for the gap between two.

    Args:
        outputs: A layer of whole numbers, the character of each step, and one with their probabilities.
        network: The input.
        params: Not used: the characters are those of ``dict.txt`` in the working folder, one on each line.

    Returns:
        The text, if it has three characters or more; its probability is the product of theirs.

    Raises:
        ModelError: There are no such layers, or there is no such file.
    """
    steps = next((layer for layer in outputs.values() if np.issubdtype(layer.dtype, np.integer)), None)
    chances = next((layer for layer in outputs.values() if np.issubdtype(layer.dtype, np.floating)), None)
    if steps is None or chances is None or steps.size != chances.size:
        shapes = ", ".join(f"{name} {layer.dtype}{layer.shape}" for name, layer in outputs.items())
        raise ModelError(f"a plate's layers are whole numbers and as many probabilities; there are: {shapes}")
    characters = _characters()
    numbers = steps.reshape(-1)
    fresh = np.concatenate([[True], numbers[1:] != numbers[:-1]])
    kept = np.flatnonzero(fresh & (numbers >= 0) & (numbers < len(characters)))
    if len(kept) < _LEAST_CHARACTERS:
        return []
    text = "".join(characters[number] for number in numbers[kept])
    return [Label(text, 1, float(np.prod(chances.reshape(-1)[kept])))]


def _characters() -> tuple[str, ...]:
    path = Path(_CHARACTERS)
    try:
        return tuple(path.read_text(encoding="utf-8-sig").splitlines())
    except OSError as error:
        raise ModelError(
            f"the characters of plates are read from {path.absolute()}, one on each line: {error.strerror}"
        ) from error
