"""From frames in their own pixel format to rows of a network's input tensor, and boxes back again."""

from headrace.infer.preprocess.convert import crop, preprocess
from headrace.infer.preprocess.options import IMAGENET_BGR, IMAGENET_RGB, PreprocessOptions, parse_preprocess
from headrace.infer.preprocess.placement import Placement, least_size, place

__all__ = [
    "IMAGENET_BGR",
    "IMAGENET_RGB",
    "Placement",
    "PreprocessOptions",
    "crop",
    "least_size",
    "parse_preprocess",
    "place",
    "preprocess",
]
