"""Classifiers: one score for each class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.infer.candidates import to_numpy
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, PictureDecoder
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions
from headrace.infer.result import Result
from headrace.meta import Label


class ClassifierDecoder(PictureDecoder):
    """One output ``(N, classes)``, or ``(N, classes, 1, 1)``; scores that are no probabilities go through softmax.

    Example:
        >>> options = DecodeOptions(0.0, 8, 8, labels=("night", "day"))
        >>> [result] = ClassifierDecoder().results({"prob": np.array([[0.25, 0.75]], np.float32)}, options)
        >>> result.labels[0].label, result.labels[0].prob
        ('day', 0.75)
    """

    name = "classifier"
    task = "classify"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By one output with one axis beside the batch."""
        classes = self.class_count(graph)
        if classes is None and not (len(graph.outputs) == 1 and len(graph.outputs[0].shape) == 2):
            return None
        return Match(0.9, f"{graph.outputs[0]}: one score for each class")

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length."""
        if len(graph.outputs) != 1:
            return None
        shape = graph.outputs[0].shape
        return shape[1] if len(shape) == 2 or (len(shape) == 4 and shape[2:] == (1, 1)) else None

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """What torchvision's training code does, but for the crop: a region is all object already."""
        return IMAGENET_RGB

    def results(self, outputs: Outputs, options: DecodeOptions) -> list[Result]:
        """See `PictureDecoder.results`; the best class of each picture."""
        (scores,) = outputs.values()
        rows = to_numpy(scores, np.float32)
        if rows.size != rows.shape[0] * rows.shape[1]:
            raise ValueError("there is more than one score for each class")
        chances = _probabilities(rows.reshape(len(rows), -1))
        best = chances.argmax(axis=1)
        return [Result(labels=(_label(int(c), row, options),)) for c, row in zip(best, chances, strict=True)]


def _label(number: int, chances: NDArray[np.float32], options: DecodeOptions) -> Label:
    name = options.labels[number] if number < len(options.labels) else f"class {number}"
    return Label(name, number, float(chances[number]), num_classes=len(chances))


def _probabilities(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax by row, unless the rows are probabilities already."""
    if scores.min() >= 0 and np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        return scores
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


DECODER = ClassifierDecoder()
