"""YOLOv7, raw heads: maps before the layer that makes boxes of them (arXiv:2207.02696)."""

from __future__ import annotations

from types import MappingProxyType

from headrace.infer.decoders import yolov4_decoder
from headrace.infer.decoders.anchors import AnchorDecoder
from headrace.infer.decoders.yolov5raw_decoder import P6


class Yolov7RawDecoder(AnchorDecoder):
    """As `yolov5raw`, with YOLOv7's anchors. YOLOv7-tiny has those of YOLOv5: name ``yolov5raw`` for it.

    Example:
        >>> Yolov7RawDecoder().anchors[3][0][0]
        (12, 16)
    """

    name = "yolov7raw"
    anchors = MappingProxyType({3: yolov4_decoder.ANCHORS[3], 4: P6})
    scale = (2.0,)
    squared = True
    scores = (0.8, 0.7, 0.5)


DECODER = Yolov7RawDecoder()
