"""Multi-label classifiers: several classes may be true at once."""

from __future__ import annotations

import numpy as np

from headrace.infer.decoders.base import DecodeOptions, Match, Outputs
from headrace.infer.decoders.classifier_decoder import ClassifierDecoder, class_rows, names_of
from headrace.infer.decoders.scores import sigmoid
from headrace.infer.engines.base import ModelGraph
from headrace.infer.result import Result
from headrace.meta import Label

_METADATA = "problem_type"


class MultilabelDecoder(ClassifierDecoder):
    """One output ``(N, classes)``: a label for each class that reaches the confidence, the most probable first.

    Rows with values outside 0–1 are logits and go through a sigmoid.

    Example:
        >>> options = DecodeOptions(0.5, 8, 8, labels=("hat", "bag", "coat"))
        >>> [result] = MultilabelDecoder().results({"sigmoid": np.array([[0.6, 0.1, 0.9]])}, options)
        >>> [label.label for label in result.labels]
        ['coat', 'hat']
    """

    name = "multilabel"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the name or by the metadata ``problem_type``; shapes do not tell."""
        if len(graph.outputs) != 1 or super().matches(graph) is None:
            return None
        name = graph.outputs[0].name.lower()
        if "multi_label" in graph.metadata.get(_METADATA, ""):
            return Match(1.0, f"{graph.outputs[0]}: metadata {_METADATA} says several classes may be true")
        if "sigmoid" in name or "multilabel" in name:
            return Match(1.0, f"{graph.outputs[0]}: a sigmoid for each class, by its name")
        return None

    def results(self, outputs: Outputs, options: DecodeOptions) -> list[Result]:
        """See `PictureDecoder.results`."""
        (rows,) = class_rows(outputs).values()
        (names,) = names_of([rows], options.labels)
        outside = ((rows < 0) | (rows > 1)).any(axis=1, keepdims=True)
        chances = np.where(outside, sigmoid(rows), rows)
        results = []
        for row in chances:
            best = [
                number
                for number in np.argsort(-row, kind="stable").tolist()
                if row[number] >= options.confidence
            ]
            labels = (
                Label(names[number], number, float(row[number]), num_classes=len(row)) for number in best
            )
            results.append(Result(labels=tuple(labels)))
        return results


DECODER = MultilabelDecoder()
