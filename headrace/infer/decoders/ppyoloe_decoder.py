"""PP-YOLOE, exported without suppression (arXiv:2203.16250)."""

from __future__ import annotations

from headrace.infer.decoders.pairs import PairDecoder
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions


class PpYoloeDecoder(PairDecoder):
    """Outputs ``(N, cells, 4)`` left, top, right, bottom in pixels, and ``(N, classes, cells)``.

    Example:
        >>> import numpy as np
        >>> from headrace.infer.decoders import DecodeOptions
        >>> outputs = {"a": np.array([[[1, 2, 3, 4.0]]]), "b": np.array([[[0.1], [0.9]]])}
        >>> PpYoloeDecoder().decode(outputs, DecodeOptions(0.5, 64, 64)).class_id.tolist()
        [1]
    """

    name = "ppyoloe"
    columns = True

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, stretched, as for PP-YOLOE+; the first PP-YOLOE wants ImageNet's mean and deviation besides."""
        return PreprocessOptions(resize="stretch")


DECODER = PpYoloeDecoder()
