"""SSD without post-processing: deltas of default boxes, and scores with a background class (arXiv:1512.02325)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, like
from headrace.infer.decoders.priors import moved, pairs
from headrace.infer.decoders.scores import above, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

_BOX, _VARIANCES = 4, (0.1, 0.2)
#: A map: columns, rows, and width and height in pixels of the default boxes of a cell.
Maps = tuple[tuple[int, int, tuple[tuple[float, float], ...]], ...]
#: SSD300: side and step of each map, ratios, and the boxes' sizes as trained on Pascal VOC and on COCO.
_GRIDS = ((38, 8), (19, 16), (10, 32), (5, 64), (3, 100), (1, 300))
_RATIOS = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
_SIZES = {21: (30, 60, 111, 162, 213, 264, 315), 81: (21, 45, 99, 153, 207, 261, 315)}
_BOXES, _SIDE = 8732, 300


class SsdRawDecoder(BoxDecoder):
    """Outputs ``(N, boxes, 4)`` and ``(N, boxes, 1 + classes)``, or ``(N, 4, boxes)`` and ``(N, 1 + classes, boxes)``.

    SSD300 is known, trained on Pascal VOC (21 classes) or COCO (81); the option ``priors`` gives the default boxes of
    others. The first class is the background, and is not counted. Scores may be logits, which shows in negative ones:
    their softmax counts.

    Example:
        >>> deltas, logits = np.zeros((1, 8732, 4), np.float32), np.zeros((1, 8732, 21), np.float32)
        >>> logits[0, :, 0], logits[0, 0, 3] = 9, 20
        >>> found = SsdRawDecoder().decode({"loc": deltas, "conf": logits}, DecodeOptions(0.5, 300, 300))
        >>> found.xyxy.tolist(), found.class_id.tolist()
        ([[-11.0, -11.0, 19.0, 19.0]], [2])
    """

    name = "ssdraw"
    task = "detect"
    settings = MappingProxyType({
        "priors": "for each map [columns, rows, [[width, height] in pixels, ...]]",
        "order": "cells (all boxes of a cell, then the next cell) or boxes (all cells of a box)",
    })  # fmt: skip

    def matches(self, graph: ModelGraph) -> Match | None:
        """By SSD300's number of default boxes."""
        classes, size = self.class_count(graph), graph.input_size()
        if classes is None or size != (_SIDE, _SIDE):
            return None
        shapes = [output.shape for output in graph.outputs]
        if not all(_BOXES in shape for shape in shapes) or classes + 1 not in _SIZES:
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
        """RGB, stretched; as torchvision's ImageNet weights want it for COCO, less Caffe's mean for Pascal VOC."""
        if self.class_count(graph) == max(_SIZES) - 1:
            return PreprocessOptions(resize="stretch", mean=(0.5 * 255,) * 3, std=(0.5,) * 3)
        return PreprocessOptions(resize="stretch", scale=1.0, mean=(123.0, 117.0, 104.0))

    def check(self, options: DecodeOptions) -> None:
        """See `Decoder.check`."""
        super().check(options)
        if "priors" in options.settings:
            _given(options.settings["priors"])
        if options.settings.get("order", "cells") not in ("cells", "boxes"):
            raise ConfigError(f"option order is {options.settings['order']!r}; use cells or boxes")

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        deltas, scores, columns = _roles(list(outputs.values()))
        xp = array_namespace(deltas)
        if bool(xp.any(scores < 0)):
            shares = xp.exp(single(scores) - xp.max(single(scores), axis=2, keepdims=True))
            scores = shares / xp.sum(shares, axis=2, keepdims=True)
        maps = (
            _given(options.settings["priors"]) if "priors" in options.settings else _standard(scores.shape[2])
        )
        order = options.settings.get("order", "boxes" if columns else "cells")
        boxes = _default_boxes(maps, (options.width, options.height), order == "cells")
        if len(boxes) != deltas.shape[1]:
            raise ValueError(f"{deltas.shape[1]} boxes, but the priors are {len(boxes)}; set option priors")
        frame, row, sure, classes = above(scores[:, :, 1:], options.confidence)
        found = moved(like(boxes, deltas)[row], single(deltas[frame, row]), _VARIANCES)
        return Candidates(frame, found, sure, classes)


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


def _standard(classes: int) -> Maps:
    """SSD300's maps for a number of classes with the background.

    Raises:
        ValueError: It was not trained on so many.
    """
    if classes not in _SIZES:
        raise ValueError(f"default boxes for {classes} classes are not known; set option priors")
    sizes, maps = _SIZES[classes], []
    for (side, _), ratios, size, following in zip(_GRIDS, _RATIOS, sizes, sizes[1:], strict=False):
        between = (size * following) ** 0.5
        boxes = [(float(size), float(size)), (between, between)]
        for ratio in ratios:
            boxes += [(size * ratio**0.5, size / ratio**0.5), (size / ratio**0.5, size * ratio**0.5)]
        maps.append((side, side, tuple(boxes)))
    return tuple(maps)


@lru_cache(maxsize=8)
def _default_boxes(maps: Maps, size: tuple[int, int], by_cell: bool) -> NDArray[np.float32]:
    """Centre x, y, width, height of every default box, map by map; read only."""
    parts = []
    steps = dict(_GRIDS) if maps[0][0] == _GRIDS[0][0] and size == (_SIDE, _SIDE) else {}
    for columns, rows, boxes in maps:
        x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
        centres = np.stack([x, y], axis=2) * (
            steps.get(columns, size[0] / columns),
            steps.get(rows, size[1] / rows),
        )
        table = np.empty((rows, columns, len(boxes), _BOX), np.float32)
        table[..., :2], table[..., 2:] = centres[:, :, None], boxes
        parts.append((table if by_cell else table.transpose(2, 0, 1, 3)).reshape(-1, _BOX))
    found = np.concatenate(parts)
    found.flags.writeable = False
    return found


def _given(value: Any) -> Maps:
    """Maps from the user.

    Raises:
        ConfigError: They are none.
    """
    try:
        return tuple((int(columns), int(rows), pairs(boxes, "priors")) for columns, rows, boxes in value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"option priors is {value!r}; give {SsdRawDecoder.settings['priors']}") from error


DECODER = SsdRawDecoder()
