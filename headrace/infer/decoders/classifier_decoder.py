"""Classifiers: one score for each class, from one output or from several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from headrace.infer.candidates import to_numpy
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, PictureDecoder
from headrace.infer.decoders.embedding_decoder import EMBEDDING_LENGTHS, EMBEDDING_WORDS, is_vector
from headrace.infer.decoders.layouts import task_of
from headrace.infer.decoders.scores import NotFiniteError
from headrace.infer.engines.base import ModelGraph
from headrace.infer.parsers.classifier import parse_classifier
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions
from headrace.infer.result import Result

_WORDS = ("prob", "softmax", "logit", "class", "score", "cls")


class ClassifierDecoder(PictureDecoder):
    """Outputs ``(N, classes)`` or ``(N, classes, 1, 1)``; scores that are no probabilities go through softmax.

    Each output gives one label, the most probable class; ``label_id`` is the output's number. Of several outputs the
    classes' names follow each other.

    Example:
        >>> options = DecodeOptions(0.0, 8, 8, labels=("night", "day"))
        >>> [result] = ClassifierDecoder().results({"prob": np.array([[0.25, 0.75]], np.float32)}, options)
        >>> result.labels[0].label, result.labels[0].prob
        ('day', 0.75)
    """

    name = "classifier"
    task = "classify"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By outputs with one axis beside the batch; of one that could be an embedding by labels and name, too."""
        if not graph.outputs or not all(is_vector(output, graph) for output in graph.outputs):
            return None
        names = " ".join(output.name.lower() for output in graph.outputs)
        reason = f"{'; '.join(map(str, graph.outputs))}: one score for each class"
        if graph.class_count is not None and graph.class_count == self.class_count(graph):
            return Match(0.95, f"{reason}, as many as there are labels")
        if len(graph.outputs) > 1:
            return None if any(word in names for word in EMBEDDING_WORDS) else Match(0.7, reason)
        if any(word in names for word in _WORDS):
            return Match(0.9, f"{reason}, by its name")
        doubtful = graph.outputs[0].shape[1] in (None, *EMBEDDING_LENGTHS)
        return Match(0.6 if doubtful else 0.85, reason)

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row lengths of all outputs."""
        lengths = [output.shape[1] if len(output.shape) > 1 else None for output in graph.outputs]
        return None if None in lengths or not lengths else sum(length or 0 for length in lengths)

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """What torchvision's training code does, for ultralytics RGB 0–1; no crop: a region is all object already."""
        return IMAGENET_RGB if task_of(graph) is None else PreprocessOptions(resize="stretch")

    def default_input_size(self, graph: ModelGraph) -> tuple[int, int] | None:
        """224x224."""
        return 224, 224

    def results(self, outputs: Outputs, options: DecodeOptions) -> list[Result]:
        """See `PictureDecoder.results`; the best class of each output."""
        heads = {name: probabilities(rows) for name, rows in class_rows(outputs).items()}
        names = names_of(heads.values(), options.labels)
        frames = range(min(map(len, heads.values())))
        return [
            Result(labels=tuple(parse_classifier({n: rows[row] for n, rows in heads.items()}, names, -1.0)))
            for row in frames
        ]


def class_rows(outputs: Outputs) -> dict[str, NDArray[np.float32]]:
    """Each output as ``(N, classes)``.

    Raises:
        ValueError: An output has more than one score for each class.
        NotFiniteError: There is a NaN.
    """
    heads = {}
    for name, array in outputs.items():
        rows = to_numpy(array, np.float32)
        if rows.ndim < 2 or rows.size != rows.shape[0] * rows.shape[1]:
            raise ValueError(f"{name} has shape {rows.shape}, which is more than one score for each class")
        heads[name] = rows.reshape(len(rows), -1)
        if np.isnan(heads[name]).any():
            raise NotFiniteError("scores are not finite (NaN)")
    return heads


def names_of(heads: Iterable[NDArray[np.float32]], labels: Sequence[str]) -> list[tuple[str, ...]]:
    """Names of the classes of each output.

    Raises:
        ValueError: There are labels, but not one for each class.
    """
    bounds = np.cumsum([0, *(rows.shape[1] for rows in heads)]).tolist()
    names = tuple(labels) or tuple(f"class {number}" for number in range(bounds[-1]))
    if len(names) != bounds[-1]:
        raise ValueError(f"there are {len(names)} labels for {bounds[-1]} classes; give one for each")
    return [names[slice(*pair)] for pair in pairwise(bounds)]


def probabilities(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax by row, but for rows that are probabilities already."""
    done = (scores.min(axis=1) >= 0) & np.isclose(scores.sum(axis=1), 1, atol=1e-3)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.where(done[:, None], scores, weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


DECODER = ClassifierDecoder()
