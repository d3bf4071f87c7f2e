"""Reads the outputs of a YOLO-like detector for nvinfer: parse-bbox-func-name=parser.py:parse."""

import numpy as np


def parse(outputs, network, params):
    """Rows of class, confidence, left, top, right, bottom in pixels of the network's input.

    The only layer is (4 + classes, cells): centre x, centre y, width, height, then a score for each class.
    Thresholds, suppression of overlaps and mapping to the frame are nvinfer's work, as pgie.txt says.
    """
    (columns,) = outputs.values()
    scores = columns[4:]
    cells = np.flatnonzero(scores.max(axis=0) >= min(params.thresholds))
    x, y, width, height = columns[:4, cells]
    corners = np.clip(
        [x - width / 2, y - height / 2, x + width / 2, y + height / 2],
        0,
        np.array([network.width, network.height] * 2)[:, None],
    )
    return np.column_stack([scores[:, cells].argmax(axis=0), scores[:, cells].max(axis=0), *corners])
