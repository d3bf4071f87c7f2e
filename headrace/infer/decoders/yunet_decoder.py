"""YuNet: faces with five landmarks (doi:10.1007/s11633-023-1423-y; OpenCV's FaceDetectorYN)."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import (
    STRIDES,
    BoxDecoder,
    DecodeOptions,
    Match,
    Outputs,
    corners,
    grid,
    like,
)
from headrace.infer.decoders.scores import numbers, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

#: Numbers in a row of each part.
_PARTS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
_NAMES = frozenset(f"{part}_{stride}" for part in _PARTS for stride in STRIDES)
_SIDE = 640


class YunetDecoder(BoxDecoder):
    """Twelve outputs ``cls_8`` … ``kps_32`` ``(N, cells, 1, 1, 4 or 10)``, for strides 8, 16 and 32.

    A confidence is the root of the product of class and objectness. The landmarks are right eye, left eye, tip of
    the nose, right and left corner of the mouth; the network says nothing of how sure they are: their confidence is 1.

    Example:
        >>> YunetDecoder().default_input_size(ModelGraph("yunet.onnx", (), ()))
        (640, 640)
    """

    name = "yunet"
    task = "detect"
    class_names = ("face",)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the twelve names."""
        if {output.name for output in graph.outputs} != _NAMES or graph.class_count not in (None, 1):
            return None
        return Match(0.95, "outputs cls, obj, bbox and kps of strides 8, 16 and 32")

    def class_count(self, graph: ModelGraph) -> int | None:
        """One."""
        return 1

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR 0–255, padded with black at the right and below, as OpenCV pads to multiples of 32."""
        return PreprocessOptions(padding="topleft", pad_value=0.0, color="BGR", scale=1.0)

    def default_input_size(self, graph: ModelGraph) -> tuple[int, int] | None:
        """640x640."""
        return _SIDE, _SIDE

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`."""
        return STRIDES[-1]

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        if set(outputs) != _NAMES:
            raise ValueError("they are not cls, obj, bbox and kps of strides 8, 16 and 32")
        cells = grid(options.width, options.height)
        classes, objectness, boxes, points = (_whole(outputs, part, len(cells)) for part in _PARTS)
        xp = array_namespace(classes)
        scores = xp.sqrt(xp.clip(single(classes[..., 0]), 0, 1) * xp.clip(single(objectness[..., 0]), 0, 1))
        frame, row = xp.nonzero(numbers(scores) >= options.confidence)
        cell = like(cells, classes)[row]
        corner, stride = cell[:, :2], cell[:, 2:]
        raw = single(boxes[frame, row])
        found = xp.concat([(raw[:, :2] + corner) * stride, xp.exp(raw[:, 2:]) * stride], axis=1)
        landmarks = xp.reshape(single(points[frame, row]), (-1, 5, 2))
        landmarks = (landmarks + corner[:, None]) * stride[:, None]
        return Candidates(
            frame, corners(found), scores[frame, row], xp.zeros_like(row), keypoints=certain(landmarks)
        )


def certain(points: Array) -> Array:
    """Points ``(n, k, 2)`` with a confidence of 1, ``(n, k, 3)``."""
    xp = array_namespace(points)
    return xp.concat([points, xp.ones_like(points[..., :1])], axis=2)


def _whole(outputs: Outputs, part: str, cells: int) -> Array:
    """The rows of all strides, ``(N, cells, numbers)``."""
    arrays = [outputs[f"{part}_{stride}"] for stride in STRIDES]
    rows = array_namespace(*arrays).concat(arrays, axis=1)
    if rows.ndim != 3 or rows.shape[1:] != (cells, _PARTS[part]):
        raise ValueError(
            f"{part} has shape {tuple(rows.shape)} in all, the grid {cells} cells; give input_size in multiples of 32"
        )
    return rows


DECODER = YunetDecoder()
