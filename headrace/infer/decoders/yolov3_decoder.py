"""YOLOv3 of Darknet, raw heads (arXiv:1804.02767)."""

from __future__ import annotations

from types import MappingProxyType

from headrace.infer.decoders.anchors import AnchorDecoder
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

#: Of Darknet's yolov3.cfg and yolov3-tiny.cfg.
ANCHORS = MappingProxyType({
    3: (
        ((10, 13), (16, 30), (33, 23)),
        ((30, 61), (62, 45), (59, 119)),
        ((116, 90), (156, 198), (373, 326)),
    ),
    2: (((10, 14), (23, 27), (37, 58)), ((81, 82), (135, 169), (344, 319))),
})  # fmt: skip


class Yolov3Decoder(AnchorDecoder):
    """Three maps of raw heads, two of YOLOv3-tiny: ``sigmoid(x)`` within the cell, ``exp(w)`` anchors.

    Example:
        >>> import numpy as np
        >>> from headrace.infer.decoders import DecodeOptions
        >>> maps = {str(s): np.full((1, 3, 64 // s, 64 // s, 6), -9, np.float32) for s in (8, 16, 32)}
        >>> maps["8"][0, 0, 2, 3] = 0, 0, 0, 0, 9, 9
        >>> Yolov3Decoder().decode(maps, DecodeOptions(0.5, 64, 64)).xyxy.tolist()
        [[23.0, 13.5, 33.0, 26.5]]
    """

    name = "yolov3"
    anchors = ANCHORS
    scale = (1.0,)
    squared = False
    scores = (0.5, 0.7, 0.8)

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, letterboxed to the centre on grey 127."""
        return PreprocessOptions(pad_value=127.5)


DECODER = Yolov3Decoder()
