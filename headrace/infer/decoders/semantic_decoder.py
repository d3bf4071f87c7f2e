"""Semantic segmentation: a class for each pixel (torchvision's ``out``, SegFormer's ``logits``, class maps)."""

from __future__ import annotations

import numpy as np
from array_api_compat import array_namespace

from headrace.infer.candidates import Array, to_numpy
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, PictureDecoder
from headrace.infer.decoders.scores import numbers
from headrace.infer.engines.base import ModelGraph, TensorSpec
from headrace.infer.parsers.segmentation import class_maps
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions
from headrace.infer.result import Result
from headrace.meta import Segmentation

_WORDS = ("seg", "sem", "logit", "mask", "argmax")
#: Channels of depth maps and of pictures: they are classes only where the name says so.
_PICTURES = (1, 3)
#: By how many times the output is smaller than the input.
_SCORES = {1.0: 0.9, 2.0: 0.6, 4.0: 0.6, 8.0: 0.6, 16.0: 0.55}


class SemanticDecoder(PictureDecoder):
    """An output ``(N, classes, h, w)`` of scores, or a map ``(N, h, w)`` of class numbers; ``aux`` is not looked at.

    Where the input has its channels last, the output ``(N, h, w, classes)`` has them, too (TensorFlow).

    One channel is a chance or a logit of being class 0; what is less likely than not is no class (-1). The map has the
    size of the output.

    Example:
        >>> scores = np.array([[[[0.9, 0.2]], [[0.1, 0.8]]]], np.float32)
        >>> [result] = SemanticDecoder().results({"out": scores}, DecodeOptions(0.5, 2, 1))
        >>> result.segmentation.class_map.tolist()
        [[0, 1]]
    """

    name = "semantic"
    task = "semantic"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By an output that is a picture, and how its size relates to the input's."""
        output, size = _main(graph), graph.input_size()
        if output is None or output.shape[-2:] == (1, 1):
            return None
        reason = f"{output}: {'classes' if len(output.shape) == 4 else 'a class'} for each pixel"
        named = any(word in output.name.lower() for word in _WORDS)
        if len(output.shape) == 3:
            whole = size is not None and output.shape[1:] == (size[1], size[0])
            return Match(0.9, reason) if whole and output.dtype.startswith(("int", "uint")) else None
        if self.class_count(graph) in _PICTURES and not named:
            return None
        sides = output.shape[1:3] if _channels_last(graph) else output.shape[2:]
        if size is None or None in sides:
            return Match(0.6 if named else 0.5, f"{reason}; sizes are open")
        height, width = (int(side or 1) for side in sides)
        ratios = size[1] / height, size[0] / width
        score = _SCORES.get(ratios[0]) if ratios[0] == ratios[1] else None
        return None if score is None else Match(score + 0.08 * (named and score == _SCORES[4.0]), reason)

    def class_count(self, graph: ModelGraph) -> int | None:
        """Channels, of an output that has some."""
        output = _main(graph)
        if output is None or len(output.shape) != 4 or output.dtype.startswith(("int", "uint")):
            return None
        return output.shape[3 if _channels_last(graph) else 1]

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB, stretched, ImageNet's means and deviations."""
        return IMAGENET_RGB

    def default_input_size(self, graph: ModelGraph) -> tuple[int, int] | None:
        """512x512."""
        return 512, 512

    def results(self, outputs: Outputs, options: DecodeOptions) -> list[Result]:
        """See `PictureDecoder.results`."""
        output = next((array for name, array in outputs.items() if not _auxiliary(name)), None)
        if output is None:
            raise ValueError("there is no output but an auxiliary one")
        classes = len(options.labels)
        if output.ndim == 4 and classes and output.shape[1] != classes == output.shape[3]:
            output = array_namespace(output).permute_dims(output, (0, 3, 1, 2))
        maps = to_numpy(_classes(output), np.int32)
        return [Result(segmentation=Segmentation(0, one), names=options.labels) for one in maps]


def _classes(output: Array) -> Array:
    xp = array_namespace(output)
    if not xp.isdtype(output.dtype, "real floating"):
        return class_maps(output)
    numbers(xp.max(output))
    if output.ndim != 4 or output.shape[1] > 1:
        return class_maps(output)
    plane = output[:, 0]
    least = 0.0 if bool(xp.any((plane < 0) | (plane > 1))) else 0.5
    return xp.where(plane >= least, 0, -1)


def _channels_last(graph: ModelGraph) -> bool:
    return bool(graph.inputs) and graph.channels_last()


def _auxiliary(name: str) -> bool:
    return "aux" in name.lower()


def _main(graph: ModelGraph) -> TensorSpec | None:
    outputs = [output for output in graph.outputs if not _auxiliary(output.name)]
    return outputs[0] if len(outputs) == 1 and len(outputs[0].shape) in (3, 4) else None


DECODER = SemanticDecoder()
