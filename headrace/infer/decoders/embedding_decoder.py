"""Embeddings: what a picture looks like, as a vector for comparisons (re-identification, faces, image search)."""

from __future__ import annotations

import numpy as np

from headrace.infer.candidates import to_numpy
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, PictureDecoder
from headrace.infer.decoders.scores import NotFiniteError
from headrace.infer.engines.base import ModelGraph, TensorSpec
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions
from headrace.infer.result import Result

#: Parts of names that exporters give such outputs.
EMBEDDING_WORDS = ("embed", "feat", "fc1", "descriptor", "reid", "pooler")
#: Lengths that are usual.
EMBEDDING_LENGTHS = frozenset({64, 96, 128, 192, 256, 384, 512, 576, 640, 768, 960, 1024, 1280, 1536, 2048})
_ARCFACE = (112, 112)


class EmbeddingDecoder(PictureDecoder):
    """One output ``(N, d)``, or ``(N, d, 1, 1)``; it comes out with a length of 1.

    Example:
        >>> [result] = EmbeddingDecoder().results({"embedding": np.array([[3.0, 4.0]])}, DecodeOptions(0.5, 8, 8))
        >>> [round(value, 2) for value in result.embedding.tolist()]
        [0.6, 0.8]
    """

    name = "embedding"
    task = "embed"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the name; by a usual length where there are no labels, which a classifier's could be as well."""
        if len(graph.outputs) != 1 or not is_vector(graph.outputs[0], graph):
            return None
        output = graph.outputs[0]
        if graph.class_count is not None and graph.class_count == output.shape[1]:
            return None
        if any(word in output.name.lower() for word in EMBEDDING_WORDS):
            return Match(0.9, f"{output}: a vector, by its name")
        if graph.class_count is not None or output.shape[1] not in EMBEDDING_LENGTHS:
            return None
        reason = f"{output}: a vector of a usual length, and there are no labels"
        width, height = graph.input_size() or (0, 0)
        if (width, height) == _ARCFACE or (width and height == 2 * width):
            return Match(0.8, f"{reason}; the input of {width}x{height} is for faces or whole people")
        return Match(0.6, reason)

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB, stretched, ImageNet's means and deviations; for 112x112 (ArcFace) less 127.5, by 127.5."""
        if graph.inputs and graph.input_size() == _ARCFACE:
            return PreprocessOptions(resize="stretch", scale=1.0, mean=(127.5,) * 3, std=(127.5,) * 3)
        return IMAGENET_RGB

    def results(self, outputs: Outputs, options: DecodeOptions) -> list[Result]:
        """See `PictureDecoder.results`."""
        (vectors,) = outputs.values()
        rows = to_numpy(vectors, np.float32).reshape(len(vectors), -1)
        if vectors.ndim not in (2, 4) or rows.shape[1] != vectors.shape[1]:
            raise ValueError("there is more than one vector for each picture")
        if not np.isfinite(rows).all():
            raise NotFiniteError("embeddings are not finite (NaN or infinite)")
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return [Result(embedding=row) for row in rows / np.maximum(lengths, np.finfo(np.float32).tiny)]


def is_vector(output: TensorSpec, graph: ModelGraph) -> bool:
    """Whether an output is one row of numbers for each picture, ``(N, d)`` or ``(N, d, 1, 1)``."""
    shape, batch = output.shape, graph.inputs[0].shape[0]
    return len(shape) in (2, 4) and shape[2:] in ((), (1, 1)) and shape[0] in (None, batch) and shape[1] != 1


DECODER = EmbeddingDecoder()
