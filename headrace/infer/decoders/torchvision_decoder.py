"""torchvision's detectors, exported whole: RetinaNet, Faster R-CNN, FCOS, SSD."""

from __future__ import annotations

from collections.abc import Mapping

from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs
from headrace.infer.decoders.scores import numbers, single
from headrace.infer.engines.base import ModelGraph


class TorchvisionDecoder(BoxDecoder):
    """Outputs boxes ``(K, 4)``, scores ``(K)`` and labels ``(K)`` (integers): the objects of one picture.

    Boxes are left, top, right, bottom in pixels of the input. Class 0 is the background, so labels begin with a name
    for it; COCO's weights number 91 categories.

    Example:
        >>> import numpy as np
        >>> rows = {"boxes": np.array([[[1, 2, 3, 4.0]]]), "labels": np.array([[3]]), "scores": np.array([[0.9]])}
        >>> TorchvisionDecoder().decode(rows, DecodeOptions(0.5, 64, 64)).class_id.tolist()
        [3]
    """

    name = "torchvision"
    usual_size = (800, 800)
    task = "detect"
    overlapping = False

    def matches(self, graph: ModelGraph) -> Match | None:
        """By numbers of axes and types."""
        roles = _roles({o.name: (o.shape, o.dtype) for o in graph.outputs})
        return (
            None
            if roles is None
            else Match(0.9, f"outputs {', '.join(roles)} of one picture, without a batch axis")
        )

    def batched(self, graph: ModelGraph) -> bool:
        """Rows are objects."""
        return False

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        roles = _roles({name: (array.shape[1:], str(array.dtype)) for name, array in outputs.items()})
        if roles is None:
            raise ValueError("they are not boxes, scores and labels of one picture")
        boxes, scores, labels = (outputs[name] for name in roles)
        xp = array_namespace(boxes)
        frame, row = xp.nonzero(numbers(scores) >= options.confidence)
        classes = xp.astype(labels[frame, row], xp.int32)
        return Candidates(frame, single(boxes[frame, row]), scores[frame, row], classes)


def _roles(outputs: Mapping[str, tuple[tuple[int | None, ...], str]]) -> tuple[str, str, str] | None:
    """Names of boxes, scores and labels."""
    boxes = [name for name, (shape, _) in outputs.items() if len(shape) == 2 and shape[1] == 4]
    flat = {name: dtype for name, (shape, dtype) in outputs.items() if len(shape) == 1}
    labels = [name for name, dtype in flat.items() if "int" in dtype]
    scores = [name for name in flat if name not in labels]
    if len(outputs) != 3 or not len(boxes) == len(labels) == len(scores) == 1:
        return None
    return boxes[0], scores[0], labels[0]


DECODER = TorchvisionDecoder()
