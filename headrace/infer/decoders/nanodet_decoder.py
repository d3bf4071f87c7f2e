"""NanoDet: class scores and a distribution over distances for each side, map by map (arXiv:2006.04388)."""

from __future__ import annotations

from dataclasses import replace

from headrace.infer.decoders.base import STRIDES
from headrace.infer.decoders.distances import PairDecoder
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_BGR, PreprocessOptions


class NanodetDecoder(PairDecoder):
    """For strides 8, 16 and 32 a pair of outputs ``(N, cells, classes)`` and ``(N, cells, 4 * bins)``.

    A side's distance from the cell's middle is the mean of its distribution times the stride.

    Example:
        >>> NanodetDecoder().preprocess(ModelGraph("m.onnx", (), ())).color
        'BGR'
    """

    name = "nanodet"
    strides = STRIDES

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR, letterboxed to the centre on black, ImageNet's means and deviations.

        As ``keep_ratio: True`` and ``normalize`` of the configurations in RangiLyu/nanodet, legacy_v0.x_configs.
        """
        return replace(IMAGENET_BGR, resize="letterbox", pad_value=0.0)


DECODER = NanodetDecoder()
