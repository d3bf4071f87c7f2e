"""Raw outputs: no decoding at all."""

from __future__ import annotations

from headrace.infer.candidates import to_numpy
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs, PictureDecoder
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions
from headrace.infer.result import Result
from headrace.meta import TensorOutput


class RawDecoder(PictureDecoder):
    """Any outputs, handed on as tensors; never guessed, only used when it is named.

    Example:
        >>> import numpy as np
        >>> [result] = RawDecoder().results({"depth": np.zeros((1, 8, 8))}, DecodeOptions(0.5, 8, 8))
        >>> result.tensors.layers["depth"].shape
        (8, 8)
    """

    name = "raw"
    task = "raw"

    def matches(self, graph: ModelGraph) -> Match | None:
        """Never."""
        return None

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, stretched: outputs that are pictures lie over the frame."""
        return PreprocessOptions(resize="stretch")

    def results(self, outputs: Outputs, options: DecodeOptions) -> list[Result]:
        """See `PictureDecoder.results`."""
        arrays = {name: to_numpy(array, None) for name, array in outputs.items()}
        rows = min(len(array) for array in arrays.values())
        return [
            Result(tensors=TensorOutput(0, {name: array[row] for name, array in arrays.items()}))
            for row in range(rows)
        ]


DECODER = RawDecoder()
