"""DAMO-YOLO, exported without post-processing (arXiv:2211.15444)."""

from __future__ import annotations

from headrace.infer.decoders.pairs import PairDecoder
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions


class DamoYoloDecoder(PairDecoder):
    """Outputs ``(N, cells, classes)``, and ``(N, cells, 4)`` left, top, right, bottom in pixels.

    Example:
        >>> import numpy as np
        >>> from headrace.infer.decoders import DecodeOptions
        >>> outputs = {"a": np.array([[[0.1, 0.9]]]), "b": np.array([[[1, 2, 3, 4.0]]])}
        >>> DamoYoloDecoder().decode(outputs, DecodeOptions(0.5, 64, 64)).class_id.tolist()
        [1]
    """

    name = "damoyolo"
    boxes_first = False

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–255, stretched."""
        return PreprocessOptions(resize="stretch", scale=1.0)


DECODER = DamoYoloDecoder()
