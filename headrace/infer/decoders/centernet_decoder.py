"""CenterNet and its kin: objects are peaks of heat maps (arXiv:1904.07850; xingyizhou/CenterNet, decode.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from array_api_compat import array_namespace

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, corners
from headrace.infer.decoders.scores import logit, numbers, sigmoid, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import PreprocessOptions

#: Reduction of the networks' coarsest maps; the hourglass, which has 128, fails at other sizes and keeps its own.
_STEP = 32
#: Words in the names of heat map, size and offset.
_WORDS = (("hm", "heat"), ("wh", "size"), ("reg", "off"))


class CenternetDecoder(BoxDecoder):
    """Outputs ``hm`` ``(N, classes, h, w)``, ``wh`` and ``reg`` ``(N, 2, h, w)``, in pixels of the maps.

    A peak is what none of its eight neighbours exceeds. Heat maps with values outside 0–1 are logits.

    Example:
        >>> import numpy as np
        >>> hm, wh, reg = np.zeros((1, 2, 8, 8)), np.full((1, 2, 8, 8), 4.0), np.full((1, 2, 8, 8), 0.5)
        >>> hm[0, 1, 3, 3] = 0.8
        >>> CenternetDecoder().decode({"hm": hm, "wh": wh, "reg": reg}, DecodeOptions(0.5, 32, 32)).xyxy.tolist()
        [[6.0, 6.0, 22.0, 22.0]]
    """

    name = "centernet"
    task = "detect"
    overlapping = False

    def matches(self, graph: ModelGraph) -> Match | None:
        """By three maps of one size and their names."""
        shapes = {output.name: output.shape for output in graph.outputs}
        roles = _roles(shapes)
        if roles is None:
            return None
        return Match(0.9, f"heat map {roles[0]}, sizes {roles[1]} and offsets {roles[2]}")

    def class_count(self, graph: ModelGraph) -> int | None:
        """Channels of the heat map."""
        shapes = {output.name: output.shape for output in graph.outputs}
        roles = _roles(shapes)
        return None if roles is None else shapes[roles[0]][1]

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """BGR, letterboxed to the centre on black, means and deviations of COCO (src/lib/datasets)."""
        return PreprocessOptions(
            pad_value=0.0, color="BGR", mean=(0.408 * 255, 0.447 * 255, 0.47 * 255), std=(0.289, 0.274, 0.278),
            scale=1 / 255,
        )  # fmt: skip

    def default_input_size(self, graph: ModelGraph) -> tuple[int, int] | None:
        """512x512."""
        return 512, 512

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`."""
        return _STEP

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        roles = _roles({name: tuple(array.shape) for name, array in outputs.items()})
        if roles is None:
            raise ValueError("they are not a heat map, sizes and offsets")
        heat, sizes, offsets = (outputs[name] for name in roles)
        xp = array_namespace(heat)
        raw = bool(numbers(xp.min(heat)) < 0) or bool(xp.max(heat) > 1)
        least = logit(options.confidence) if raw else options.confidence
        frame, class_id, y, x = _peaks(heat, xp.nonzero(heat >= least))
        best = heat[frame, class_id, y, x]
        steps = [options.width / heat.shape[3], options.height / heat.shape[2]]
        centre = single(xp.stack([x, y], axis=1)) + single(offsets[frame, :, y, x])
        boxes = xp.concat([centre, single(sizes[frame, :, y, x])], axis=1)
        boxes = boxes * xp.asarray(steps * 2, dtype=boxes.dtype, device=boxes.device)
        return Candidates(frame, corners(boxes), sigmoid(best) if raw else best, class_id)


def _peaks(maps: Array, places: tuple[Array, ...]) -> tuple[Array, ...]:
    """Of places in maps, frame, class, row and column, those that no neighbour exceeds."""
    xp, (frame, class_id, y, x) = array_namespace(maps), places
    values, height, width = maps[places], maps.shape[2], maps.shape[3]
    peak = xp.ones_like(x, dtype=xp.bool)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            row, column = xp.clip(y + down, 0, height - 1), xp.clip(x + across, 0, width - 1)
            peak = peak & (maps[frame, class_id, row, column] <= values)
    return frame[peak], class_id[peak], y[peak], x[peak]


def _roles(shapes: Mapping[str, Sequence[int | None]]) -> tuple[str, str, str] | None:
    """The names of heat map, sizes and offsets."""
    found = [[name for name in shapes if any(w in name.lower() for w in words)] for words in _WORDS]
    if len(shapes) != len(_WORDS) or any(len(group) != 1 for group in found):
        return None
    heat, size, offset = (group[0] for group in found)
    if len({heat, size, offset}) != 3 or any(len(shape) != 4 for shape in shapes.values()):
        return None
    same = shapes[heat][2:] == shapes[size][2:] == shapes[offset][2:]
    return (heat, size, offset) if same and shapes[size][1] == shapes[offset][1] == 2 else None


DECODER = CenternetDecoder()
