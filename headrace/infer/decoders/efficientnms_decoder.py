"""YOLO exports that end in TensorRT's EfficientNMS or BatchedNMS: a count, boxes, scores and classes."""

from __future__ import annotations

from headrace.infer.decoders.base import Match
from headrace.infer.decoders.ssd_decoder import SsdDecoder, roles_in
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions


class EfficientNmsDecoder(SsdDecoder):
    """Outputs as those of `ssd` with a count, such as ``num_dets``, ``det_boxes``, ``det_scores``, ``det_classes``.

    YOLOv5 to v9, YOLO-NAS and others are exported so; what differs from `ssd` is how the input is made.

    Example:
        >>> EfficientNmsDecoder().preprocess(ModelGraph("m.onnx", (), ())).resize
        'letterbox'
    """

    name = "efficientnms"
    usual_size = (640, 640)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By an output with the number of rows, unless it is TensorFlow's."""
        roles = roles_in(graph)
        if roles is None or roles.count is None or "detection_boxes" in roles.boxes:
            return None
        names = (roles.count, roles.boxes, roles.scores, roles.classes)
        return Match(0.9, f"outputs {', '.join(names)}, as TensorRT's plugins name them")

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, letterboxed to the centre, as for `yolov8`."""
        return PreprocessOptions()


DECODER = EfficientNmsDecoder()
