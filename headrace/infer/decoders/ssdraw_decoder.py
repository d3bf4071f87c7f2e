"""SSD without post-processing: deltas of default boxes, and scores with a background class (arXiv:1512.02325)."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from array_api_compat import array_namespace

from headrace.errors import ConfigError
from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, like
from headrace.infer.decoders.default_boxes import PRIORS, SIZES, default_boxes, given, standard
from headrace.infer.decoders.priors import moved
from headrace.infer.decoders.scores import Sure, above, logit, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_BOX, _VARIANCES = 4, (0.1, 0.2)
#: Default boxes of SSD300, and the side of its input.
_BOXES, _SIDE = 8732, 300


class SsdRawDecoder(BoxDecoder):
    """Outputs ``(N, boxes, 4)`` and ``(N, boxes, 1 + classes)``, or ``(N, 4, boxes)`` and ``(N, 1 + classes, boxes)``.

    SSD300 is known, trained on Pascal VOC (21 classes) or COCO (81); the option ``priors`` gives the default boxes of
    others. The first class is the background, and is not counted. Scores may be logits, which shows in negative ones:
    their softmax counts.

    Example:
        >>> import numpy as np
        >>> deltas, logits = np.zeros((1, 8732, 4), np.float32), np.zeros((1, 8732, 21), np.float32)
        >>> logits[0, :, 0], logits[0, 0, 3] = 9, 20
        >>> found = SsdRawDecoder().decode({"loc": deltas, "conf": logits}, DecodeOptions(0.5, 300, 300))
        >>> found.xyxy.tolist(), found.class_id.tolist()
        ([[-11.0, -11.0, 19.0, 19.0]], [2])
    """

    name = "ssdraw"
    task = "detect"
    settings = MappingProxyType({
        "priors": PRIORS,
        "order": "cells (all boxes of a cell, then the next cell) or boxes (all cells of a box)",
    })  # fmt: skip

    def matches(self, graph: ModelGraph) -> Match | None:
        """By SSD300's number of default boxes."""
        classes, size = self.class_count(graph), graph.input_size()
        if classes is None or size != (_SIDE, _SIDE):
            return None
        shapes = [output.shape for output in graph.outputs]
        if not all(_BOXES in shape for shape in shapes) or classes + 1 not in SIZES:
            return None
        return Match(0.9, f"{'; '.join(map(str, graph.outputs))}: {_BOXES} default boxes, {classes} classes")

    def class_count(self, graph: ModelGraph) -> int | None:
        """Scores of a box less that of the background."""
        shapes = [output.shape[1:] for output in graph.outputs]
        if len(shapes) != 2 or any(len(shape) != 2 or None in shape for shape in shapes):
            return None
        for axis in (1, 0):
            numbers = [shape[axis] or 0 for shape in shapes]
            if _BOX in numbers and shapes[0][1 - axis] == shapes[1][1 - axis]:
                return sum(numbers) - _BOX - 1
        return None

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB, stretched; -1 to 1 for COCO as NVIDIA does it, less Caffe's mean for Pascal VOC."""
        if self.class_count(graph) == max(SIZES) - 1:
            return PreprocessOptions(resize="stretch", scale=1.0, mean=(128.0,) * 3, std=(128.0,) * 3)
        return PreprocessOptions(resize="stretch", scale=1.0, mean=(123.0, 117.0, 104.0))

    def check(self, options: DecodeOptions) -> None:
        """See `Decoder.check`."""
        super().check(options)
        if "priors" in options.settings:
            given(options.settings["priors"])
        if options.settings.get("order", "cells") not in ("cells", "boxes"):
            raise ConfigError(f"option order is {options.settings['order']!r}; use cells or boxes")

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        deltas, scores, columns = _roles(list(outputs.values()))
        maps = (
            given(options.settings["priors"]) if "priors" in options.settings else standard(scores.shape[2])
        )
        order = options.settings.get("order", "boxes" if columns else "cells")
        boxes = default_boxes(maps, (options.width, options.height), order == "cells")
        if len(boxes) != deltas.shape[1]:
            raise ValueError(f"{deltas.shape[1]} boxes, but the priors are {len(boxes)}; set option priors")
        frame, row, sure, classes = _sure(scores, options.confidence)
        found = moved(like(boxes, deltas)[row], single(deltas[frame, row]), _VARIANCES)
        return Candidates(frame, found, sure, classes)


def _sure(scores: Array, confidence: float) -> Sure:
    """Boxes of which a class beside the background reaches the confidence."""
    xp = array_namespace(scores)
    if not bool(xp.any(scores[0] < 0)):
        return above(scores[:, :, 1:], confidence)
    # A share of the whole cannot exceed that of two: most boxes are out before any softmax is worked out.
    likely = above(scores[:, :, 1:] - scores[:, :, :1], logit(confidence))
    chosen = single(scores[likely.frame, likely.box])
    shares = xp.exp(chosen - xp.max(chosen, axis=1, keepdims=True)) if chosen.shape[0] else chosen
    shares = shares / xp.sum(shares, axis=1, keepdims=True)
    best = shares[xp.arange(chosen.shape[0], device=scores.device), likely.class_id + 1]
    keep = best >= confidence
    return Sure(likely.frame[keep], likely.box[keep], best[keep], likely.class_id[keep])


def _roles(arrays: Sequence[Array]) -> tuple[Array, Array, bool]:
    """Deltas and scores with a row for each box, and whether they were columns."""
    if len(arrays) == 2 and all(array.ndim == 3 for array in arrays):
        for axis in (2, 1):
            deltas = [array for array in arrays if array.shape[axis] == _BOX]
            if len(deltas) == 1 and arrays[0].shape[3 - axis] == arrays[1].shape[3 - axis]:
                scores = next(array for array in arrays if array is not deltas[0])
                both = (deltas[0], scores)
                if axis == 1:
                    both = tuple(array_namespace(one).permute_dims(one, (0, 2, 1)) for one in both)
                return *both, axis == 1
    raise ValueError("they are not deltas and scores of default boxes")


DECODER = SsdRawDecoder()
