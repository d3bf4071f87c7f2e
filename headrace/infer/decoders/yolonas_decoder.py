"""YOLO-NAS, exported without post-processing."""

from __future__ import annotations

from headrace.infer.decoders.pairs import PairDecoder


class YoloNasDecoder(PairDecoder):
    """Outputs ``(N, cells, 4)`` left, top, right, bottom in pixels, and ``(N, cells, classes)``.

    Exports with post-processing are read by `efficientnms` (``batch``) and `yolonms` (``flat``).

    Example:
        >>> import numpy as np
        >>> from headrace.infer.decoders import DecodeOptions
        >>> outputs = {"a": np.array([[[1, 2, 3, 4.0]]]), "b": np.array([[[0.1, 0.9]]])}
        >>> YoloNasDecoder().decode(outputs, DecodeOptions(0.5, 64, 64)).class_id.tolist()
        [1]
    """

    name = "yolonas"


DECODER = YoloNasDecoder()
