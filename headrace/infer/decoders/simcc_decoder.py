"""Top-down poses as two distributions for each point: SimCC, RTMPose (arXiv:2107.03332, 2303.07399)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from array_api_compat import array_namespace

from headrace.infer.candidates import Array
from headrace.infer.decoders.base import Match, Outputs
from headrace.infer.decoders.pose import PoseDecoder
from headrace.infer.decoders.scores import single
from headrace.infer.engines.base import ModelGraph


class SimccDecoder(PoseDecoder):
    """Outputs ``simcc_x`` ``(N, points, width * bins)`` and ``simcc_y`` ``(N, points, height * bins)``.

    A point is where both are greatest, its confidence the lesser of the two values (mmpose, get_simcc_maximum).

    Example:
        >>> import numpy as np
        >>> x, y = np.zeros((1, 1, 96), np.float32), np.zeros((1, 1, 128), np.float32)
        >>> x[0, 0, 21], y[0, 0, 40] = 0.75, 0.5
        >>> SimccDecoder().points({"simcc_x": x, "simcc_y": y}, 48, 64).tolist()
        [[[10.5, 20.0, 0.5]]]
    """

    name = "simcc"

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the two names, or two lengths that are multiples of the input's width and height."""
        shapes, size = {output.name: output.shape for output in graph.outputs}, graph.input_size()
        roles = _roles(shapes)
        if roles is None:
            return None
        named = all("simcc" in name.lower() for name in roles)
        across, down = (shapes[name][2] for name in roles)
        fits = (
            size is not None
            and across
            and down
            and across * size[1] == down * size[0]
            and across % size[0] == 0
        )
        if not named and not fits:
            return None
        return Match(0.95 if named else 0.85, f"bins across ({roles[0]}) and down ({roles[1]}) of each point")

    def points(self, outputs: Outputs, width: int, height: int) -> Array:
        """See `PoseDecoder.points`."""
        roles = _roles({name: tuple(array.shape) for name, array in outputs.items()})
        if roles is None:
            raise ValueError("they are not bins across and down")
        xp = array_namespace(*outputs.values())
        places, scores = [], []
        for name, length in zip(roles, (width, height), strict=True):
            bins = outputs[name]
            places.append(single(xp.argmax(bins, axis=2)) * (length / bins.shape[2]))
            scores.append(single(xp.max(bins, axis=2)))
        return xp.stack([*places, xp.minimum(*scores)], axis=2)


def _roles(shapes: Mapping[str, Sequence[int | None]]) -> tuple[str, str] | None:
    """The names of the bins across and of those down: by name, else in the exporter's order, x before y."""
    if len(shapes) != 2 or any(len(shape) != 3 for shape in shapes.values()):
        return None
    if len({shape[1] for shape in shapes.values()}) != 1:
        return None
    first, second = sorted(shapes, key=lambda name: "simcc_y" in name.lower())
    return first, second


DECODER = SimccDecoder()
