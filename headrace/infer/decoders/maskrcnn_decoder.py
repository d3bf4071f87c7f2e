"""Mask R-CNN: finished boxes, each with a mask (arXiv:1703.06870; torchvision, Detectron2, the ONNX model zoo)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace

from headrace.infer.candidates import Candidates, to_numpy
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs
from headrace.infer.decoders.scores import numbers, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.masks import crop_masks
from headrace.infer.preprocess import PreprocessOptions

_CLASS_WORDS = ("label", "class")
#: Height and width of masks that are cut out of the whole picture.
_SIDE = 64


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of the outputs.

    Attributes:
        boxes: ``(n, 4)`` corners in pixels of the input.
        scores: ``(n,)``.
        classes: ``(n,)``.
        masks: ``(n, 1, h, w)`` or ``(n, h, w)``.

    Example:
        >>> Roles("boxes", "scores", "labels", "masks").classes
        'labels'
    """

    boxes: str
    scores: str
    classes: str
    masks: str


class MaskrcnnDecoder(BoxDecoder):
    """Outputs ``(n, 4)`` boxes, ``(n,)`` classes, ``(n,)`` scores and ``(n, 1, h, w)`` masks of one picture.

    Masks are over their box (28x28, say), or, where they are as large as the input, over the whole picture, as
    torchvision exports them. There may be a batch axis in front. Class numbers are the model's: COCO's begin
    with 1, 0 is background.

    Example:
        >>> outputs = {"boxes": np.array([[[8.0, 8, 24, 16]]]), "labels": np.array([[3]]),
        ...            "scores": np.array([[0.9]]), "masks": np.ones((1, 1, 1, 28, 28))}
        >>> decoder, options = MaskrcnnDecoder(), DecodeOptions(0.5, 32, 32)
        >>> found = decoder.complete(decoder.decode(outputs, options).numpy(), outputs, options)
        >>> found.xyxy.tolist(), found.class_id.tolist(), found.masks.shape
        ([[8.0, 8.0, 24.0, 16.0]], [3], (1, 28, 28))
    """

    name = "maskrcnn"
    task = "segment"
    overlapping = False

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the shapes, of outputs without a batch axis or with one."""
        specs = {output.name: output for output in graph.outputs}
        for batch_axes in (0, 1):
            shapes = {name: spec.shape[batch_axes:] for name, spec in specs.items()}
            roles = _roles(shapes, {name: spec.dtype for name, spec in specs.items()})
            if roles is not None:
                parts = f"boxes {roles.boxes}, scores {roles.scores}, classes {roles.classes}, masks {roles.masks}"
                return Match(0.9, f"{parts} {'in a batch' if batch_axes else 'of one picture'}")
        return None

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB 0–1, stretched: torchvision normalises inside the graph. Detectron2 wants BGR 0–255: name it."""
        return PreprocessOptions(resize="stretch")

    def default_input_size(self, graph: ModelGraph) -> tuple[int, int] | None:
        """800x800, the length of the shorter side in training."""
        return 800, 800

    def batched(self, graph: ModelGraph) -> bool:
        """Whether the boxes have three axes."""
        return any(len(output.shape) == 3 and output.shape[2] == 4 for output in graph.outputs)

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`; ``factors`` are the numbers of the masks."""
        roles = _roles_of(outputs)
        boxes, scores = outputs[roles.boxes], outputs[roles.scores]
        xp = array_namespace(boxes)
        frame, row = xp.nonzero(numbers(scores) >= options.confidence)
        classes = xp.astype(outputs[roles.classes][frame, row], xp.int64)
        found = single(boxes[frame, row])
        return Candidates(frame, found, scores[frame, row], classes, factors=single(row)[:, None])

    def complete(self, kept: Candidates, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """Add the masks."""
        roles = _roles_of(outputs)
        if kept.factors is None:
            return kept
        masks = outputs[roles.masks]
        chosen = to_numpy(masks[kept.frame, kept.factors[:, 0].astype(np.intp)], np.float32)
        chosen = chosen.reshape(len(chosen), *masks.shape[-2:])
        size = options.width, options.height
        if chosen.shape[:0:-1] == size:
            chosen = crop_masks(chosen, kept.xyxy, size, _SIDE)
        kept.masks = chosen
        return kept


def _roles_of(outputs: Outputs) -> Roles:
    shapes = {name: tuple(array.shape[1:]) for name, array in outputs.items()}
    roles = _roles(shapes, {name: str(array.dtype) for name, array in outputs.items()})
    if roles is None:
        raise ValueError("they are not boxes, scores, classes and masks")
    return roles


def _roles(shapes: Mapping[str, Sequence[int | None]], kinds: Mapping[str, str]) -> Roles | None:
    """Which output is what, by shapes without the batch axis, types and names."""
    boxes = [name for name, shape in shapes.items() if len(shape) == 2 and shape[1] == 4]
    masks = [name for name, shape in shapes.items() if len(shape) in (3, 4) and shape[-3] in (1, None)]
    # Detectron2 tells the picture's height and width, too.
    columns = [name for name, shape in shapes.items() if len(shape) == 1 and "image_size" not in name]
    if [len(boxes), len(masks), len(columns)] != [1, 1, 2]:
        return None
    if len(shapes) - sum("image_size" in name for name in shapes) != 4:
        return None
    classes = [name for name in columns if "int" in kinds[name]]
    if len(classes) != 1:
        classes = [name for name in columns if any(word in name.lower() for word in _CLASS_WORDS)]
    if len(classes) != 1:
        return None
    scores = next(name for name in columns if name != classes[0])
    return Roles(boxes[0], scores, classes[0], masks[0])


DECODER = MaskrcnnDecoder()
