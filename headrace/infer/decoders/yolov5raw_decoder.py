"""YOLOv5, raw heads: maps before the layer that makes boxes of them."""

from __future__ import annotations

from types import MappingProxyType

from headrace.infer.decoders import yolov3_decoder
from headrace.infer.decoders.anchors import AnchorDecoder

#: Of the models with four maps (P6), which YOLOv7's share.
P6 = (
    ((19, 27), (44, 40), (38, 94)),
    ((96, 68), (86, 152), (180, 137)),
    ((140, 301), (303, 264), (238, 542)),
    ((436, 615), (739, 380), (925, 792)),
)


class Yolov5RawDecoder(AnchorDecoder):
    """Three maps of raw heads, four of P6 models: ``2 * sigmoid(x) - 0.5``, ``(2 * sigmoid(w)) ** 2`` anchors.

    Example:
        >>> import numpy as np
        >>> from headrace.infer.decoders import DecodeOptions
        >>> maps = {str(s): np.full((1, 3, 64 // s, 64 // s, 6), -9, np.float32) for s in (8, 16, 32)}
        >>> maps["8"][0, 0, 2, 3] = 0, 0, 0, 0, 9, 9
        >>> Yolov5RawDecoder().decode(maps, DecodeOptions(0.5, 64, 64)).xyxy.tolist()
        [[23.0, 13.5, 33.0, 26.5]]
    """

    name = "yolov5raw"
    anchors = MappingProxyType({**yolov3_decoder.ANCHORS, 4: P6})
    scale = (2.0,)
    squared = True
    scores = (0.8, 0.7, 0.5)


DECODER = Yolov5RawDecoder()
