"""YOLOv4 of Darknet, raw heads (arXiv:2004.10934)."""

from __future__ import annotations

from types import MappingProxyType

from headrace.infer.decoders.anchors import AnchorDecoder
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

#: Of Darknet's yolov4.cfg and yolov4-tiny.cfg.
ANCHORS = MappingProxyType({
    3: (
        ((12, 16), (19, 36), (40, 28)),
        ((36, 75), (76, 55), (72, 146)),
        ((142, 110), (192, 243), (459, 401)),
    ),
    2: (((23, 27), (37, 58), (81, 82)), ((81, 82), (135, 169), (344, 319))),
})  # fmt: skip


class Yolov4Decoder(AnchorDecoder):
    """Three maps of raw heads, two of YOLOv4-tiny: as `yolov3`, with centres that reach a little beyond their cells.

    Example:
        >>> import numpy as np
        >>> from headrace.infer.decoders import DecodeOptions
        >>> maps = {str(s): np.full((1, 3, 64 // s, 64 // s, 6), -9, np.float32) for s in (8, 16, 32)}
        >>> maps["8"][0, 0, 2, 3] = 0, 0, 0, 0, 9, 9
        >>> Yolov4Decoder().decode(maps, DecodeOptions(0.5, 64, 64)).xyxy.tolist()
        [[22.0, 12.0, 34.0, 28.0]]
    """

    name = "yolov4"
    anchors = ANCHORS
    scale = (1.2, 1.1, 1.05)
    squared = False
    scores = (0.5, 0.7, 0.8)

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, stretched."""
        return PreprocessOptions(resize="stretch")


DECODER = Yolov4Decoder()
