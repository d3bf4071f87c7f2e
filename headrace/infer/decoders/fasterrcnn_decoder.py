"""Faster R-CNN and other two-stage detectors: finished boxes of one picture, without masks (arXiv:1506.01497)."""

from __future__ import annotations

from headrace.infer.decoders.maskrcnn_decoder import MaskrcnnDecoder
from headrace.infer.engines.base import ModelGraph


class FasterrcnnDecoder(MaskrcnnDecoder):
    """Outputs ``(n, 4)`` boxes, ``(n,)`` classes and ``(n,)`` scores of one picture, without a batch axis.

    Example:
        >>> FasterrcnnDecoder().batched(ModelGraph("faster.onnx", (), ()))
        False
    """

    name = "fasterrcnn"
    task = "detect"
    _masks = False

    def batched(self, graph: ModelGraph) -> bool:
        """Never: those with a batch axis are of `SsdDecoder`."""
        return False


DECODER = FasterrcnnDecoder()
