"""From a network's output layers to detections, labels and class maps, one frame or object at a time.

These are nvinfer's built-in parsers and the loader of custom ones written in Python (contract: configs §1.1–1.3).
Layers come as NumPy arrays by their names, without the batch axis.
"""

from headrace.infer.masks import crop_masks, stack_masks
from headrace.infer.parsers.classifier import parse_classifier
from headrace.infer.parsers.custom import (
    NetworkInfo,
    ParseParams,
    Parser,
    load_classifier_parser,
    load_parser,
    load_segmentation_parser,
)
from headrace.infer.parsers.segmentation import parse_segmentation

__all__ = [
    "NetworkInfo",
    "ParseParams",
    "Parser",
    "crop_masks",
    "load_classifier_parser",
    "load_parser",
    "load_segmentation_parser",
    "parse_classifier",
    "parse_segmentation",
    "stack_masks",
]
