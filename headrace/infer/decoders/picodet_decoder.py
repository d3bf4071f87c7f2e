"""PicoDet, exported without its post-processing: NanoDet's outputs at four strides (arXiv:2111.00902)."""

from __future__ import annotations

from headrace.infer.decoders.distances import PairDecoder
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions


class PicodetDecoder(PairDecoder):
    """For strides 8, 16, 32 and 64 a pair of outputs ``(N, cells, classes)`` and ``(N, cells, 4 * bins)``.

    Example:
        >>> PicodetDecoder().strides
        (8, 16, 32, 64)
    """

    name = "picodet"
    strides = (8, 16, 32, 64)

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB, stretched, ImageNet's means and deviations (PaddleDetection, picodet_416_reader.yml)."""
        return IMAGENET_RGB


DECODER = PicodetDecoder()
