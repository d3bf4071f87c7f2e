"""Top-down poses as heat maps: SimpleBaseline, HRNet, ViTPose (arXiv:1804.06208, 1902.09212)."""

from __future__ import annotations

from array_api_compat import array_namespace

from headrace.infer.candidates import Array
from headrace.infer.decoders.base import Match, Outputs, only_output
from headrace.infer.decoders.pose import PoseDecoder
from headrace.infer.decoders.scores import single
from headrace.infer.engines.base import ModelGraph

_STRIDE = 4
#: Points of COCO, COCO with hands, face and feet, MPII, CrowdPose, AIC, faces, hands.
_POINTS = (14, 16, 17, 21, 26, 68, 98, 106, 133)
_PERSON = (3, 4)


class HeatmapDecoder(PoseDecoder):
    """Output ``(N, points, h, w)``: each point is where its map is greatest.

    It is moved by a quarter of a pixel of the map towards the greater neighbour, across and down, as their authors'
    code does.

    Example:
        >>> import numpy as np
        >>> from headrace.infer.decoders import DecodeOptions
        >>> maps = np.zeros((1, 1, 16, 12), np.float32)
        >>> maps[0, 0, 5, 3:5] = 0.75, 0.5
        >>> [result] = HeatmapDecoder().results({"heatmaps": maps}, DecodeOptions(0.2, 48, 64))
        >>> result.keypoints.tolist()
        [[13.0, 20.0, 0.75]]
    """

    name = "heatmap"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By maps at a quarter of the input, their number, and the input's aspect."""
        output, size = only_output(graph, 4), graph.input_size()
        if output is None or size is None or output.shape[2:] != (size[1] // _STRIDE, size[0] // _STRIDE):
            return None
        reason = f"{output}: a map of each of {output.shape[1]} points at a quarter of {size[0]}x{size[1]}"
        named = any(word in output.name.lower() for word in ("heat", "keypoint", "kpt", "pose"))
        person = size[0] * _PERSON[1] == size[1] * _PERSON[0]
        if named or (person and output.shape[1] in _POINTS):
            return Match(0.92 if named else 0.8, reason)
        return Match(0.6, reason) if output.shape[1] in _POINTS else None

    def points(self, outputs: Outputs, width: int, height: int) -> Array:
        """See `PoseDecoder.points`."""
        (maps,) = outputs.values()
        if maps.ndim != 4:
            raise ValueError("they are no heat maps")
        xp = array_namespace(maps)
        frames, count, rows, columns = maps.shape
        flat = single(xp.reshape(maps, (frames, count, -1)))
        best = xp.argmax(flat, axis=2)
        x, y = best % columns, best // columns
        moved = [
            single(place) + 0.25 * _towards(flat, best, step, (place > 0) & (place < length - 1))
            for place, step, length in ((x, 1, columns), (y, columns, rows))
        ]
        scales = width / columns, height / rows
        places = [place * scale for place, scale in zip(moved, scales, strict=True)]
        return xp.stack([*places, xp.max(flat, axis=2)], axis=2)


def _towards(flat: Array, best: Array, step: int, inside: Array) -> Array:
    """The sign of the difference of the neighbours after and before; 0 at the edges."""
    xp = array_namespace(flat)
    after, before = (
        xp.take_along_axis(flat, xp.where(inside, best + by, best)[:, :, None], axis=2)[:, :, 0]
        for by in (step, -step)
    )
    return xp.sign(after - before)


DECODER = HeatmapDecoder()
