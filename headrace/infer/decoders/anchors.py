"""Raw heads of the YOLO families with anchors: maps of offsets, sizes, objectness and scores, not decoded yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from headrace.errors import ConfigError
from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs, corners
from headrace.infer.decoders.layouts import joined
from headrace.infer.decoders.scores import logit, numbers, sigmoid, single
from headrace.infer.engines.base import ModelGraph

#: Width and height in pixels of each anchor of each map, the finest map first.
Anchors = tuple[tuple[tuple[float, float], ...], ...]
_STRIDES = (4, 8, 16, 32, 64)
_EACH, _BOX = 3, 5


class AnchorDecoder(BoxDecoder):
    """Two to four outputs ``(N, 3 * (5 + classes), h, w)`` or ``(N, 3, h, w, 5 + classes)``; derive a family from it.

    Also with the channels last. Whether centres, sizes and scores have seen their sigmoid in the graph shows in
    negative numbers, which it leaves none of.

    Attributes:
        anchors: The family's anchors by the number of maps.
        scale: How far a centre reaches beyond its cell: ``scale * sigmoid(x) - (scale - 1) / 2``, map by map.
        squared: Whether sizes are ``(2 * sigmoid(w)) ** 2`` anchors, as since YOLOv5, and not ``exp(w)``.
        scores: Of a match by the arrangement: with five axes and the anchors first, as PyTorch's models have them;
            with four axes; with five and the anchors behind the cells, as TensorFlow's have them.
    """

    task = "detect"
    settings = MappingProxyType(
        {"anchors": "for each map, the finest first, a list of [width, height] in pixels"}
    )
    anchors: Mapping[int, Anchors]
    scale: tuple[float, ...]
    squared: bool
    scores: tuple[float, float, float]

    def matches(self, graph: ModelGraph) -> Match | None:
        """By maps of the sizes that strides give. The families differ in numbers that no shape shows."""
        classes = self.class_count(graph)
        if classes is None or classes < 1 or len(graph.outputs) not in self.anchors:
            return None
        shape = graph.outputs[0].shape
        score = self.scores[_arrangement(shape, graph.input_size() or (0, 0))]
        score *= 1.0 if graph.class_count in (None, classes) else 0.6
        return Match(
            score, f"{'; '.join(map(str, graph.outputs))}: maps of {_EACH} anchors, {classes} classes"
        )

    def class_count(self, graph: ModelGraph) -> int | None:
        """What an anchor has besides box and objectness."""
        size = graph.input_size()
        if size is None or not 2 <= len(graph.outputs) <= 4:
            return None
        numbers = {_numbers(output.shape, size) for output in graph.outputs}
        found = numbers.pop() if len(numbers) == 1 else None
        return None if found is None else found - _BOX

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`."""
        return _STRIDES[4 if len(graph.outputs) == 4 else 3]

    def check(self, options: DecodeOptions) -> None:
        """See `Decoder.check`."""
        super().check(options)
        if "anchors" in options.settings:
            _given(options.settings["anchors"])

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        size = options.width, options.height
        maps = sorted(
            (_as_map(array, size) for array in outputs.values()), key=lambda one: -int(one.shape[2])
        )
        anchors = (
            _given(options.settings["anchors"])
            if "anchors" in options.settings
            else self.anchors.get(len(maps))
        )
        if anchors is None or [len(one) for one in anchors] != [one.shape[1] for one in maps]:
            raise ValueError(
                f"there are no anchors for {len(maps)} maps of {_EACH} anchors; set option anchors"
            )
        raw = _raw(maps[-1])
        levels = zip(maps, anchors, _stretched(self.scale, len(maps)), strict=True)
        return joined([self._level(*level, raw, options) for level in levels])

    def _level(
        self,
        one: Array,
        anchors: Sequence[tuple[float, float]],
        scale: float,
        raw: _Raw,
        options: DecodeOptions,
    ) -> Candidates:
        """The boxes of one map ``(N, anchors, h, w, 5 + classes)``."""
        xp, least = array_namespace(one), logit(options.confidence) if raw.scores else options.confidence
        frame, anchor, y, x = xp.nonzero(~(one[..., 4] < least))  # NaN comes along, and is found below
        rows = single(one[frame, anchor, y, x])
        scores = sigmoid(rows[:, 4:]) if raw.scores else rows[:, 4:]
        best = numbers(scores[:, 0] * xp.max(scores[:, 1:], axis=1)) if frame.shape[0] else scores[:, 0]
        offsets = sigmoid(rows[:, :2]) if raw.centres else rows[:, :2]
        cell = xp.astype(xp.stack([x, y], axis=1), xp.float32)
        centre = (offsets * scale - (scale - 1) / 2 + cell) * (options.width / one.shape[3])
        if self.squared:
            factor = (2 * (sigmoid(rows[:, 2:4]) if raw.sizes else rows[:, 2:4])) ** 2
        else:
            factor = xp.exp(rows[:, 2:4])
        sizes = xp.asarray(anchors, dtype=xp.float32, device=one.device)[anchor]
        boxes = corners(xp.concat([centre, factor * sizes], axis=1))
        keep = best >= options.confidence
        return Candidates(frame[keep], boxes[keep], best[keep], xp.argmax(scores[keep, 1:], axis=1))


class _Raw(NamedTuple):
    """Which numbers of a row still want their sigmoid."""

    centres: bool
    sizes: bool
    scores: bool


def _raw(coarsest: Array) -> _Raw:
    """Told by negative numbers, of which a map that has not seen a sigmoid has some; the coarsest is small."""
    xp = array_namespace(coarsest)
    return _Raw(*(bool(xp.any(coarsest[..., part] < 0)) for part in (slice(2), slice(2, 4), 4)))


def _numbers(shape: tuple[int | None, ...], size: tuple[int, int]) -> int | None:
    """Numbers of each anchor in a map of a shape; ``None`` where it is no map of three anchors."""
    if None in shape[1:] or len(shape) not in (4, 5):
        return None
    sides = [axis or 0 for axis in shape[1:]]
    for rows in (len(sides) - 3 if len(sides) == 4 else 1, 0):
        others = [axis for place, axis in enumerate(sides) if place not in (rows, rows + 1)]
        if _is_grid(sides[rows], sides[rows + 1], size):
            if len(others) == 2 and others[0] == _EACH:
                return others[1]
            if len(others) == 1 and others[0] % _EACH == 0:
                return others[0] // _EACH
    return None


def _is_grid(rows: int, columns: int, size: tuple[int, int]) -> bool:
    return any((-(-size[0] // stride), -(-size[1] // stride)) == (columns, rows) for stride in _STRIDES)


def _arrangement(shape: tuple[int | None, ...], size: tuple[int, int]) -> int:
    if len(shape) == 4:
        return 1
    return 2 if _grid_first(shape, size) else 0


def _grid_first(shape: tuple[int | None, ...], size: tuple[int, int]) -> bool:
    """Whether rows and columns of a map's cells stand before its anchors and numbers."""
    grid = _is_grid(shape[1] or 0, shape[2] or 0, size)
    return grid and (len(shape) == 4 or shape[3] == _EACH)


def _as_map(array: Array, size: tuple[int, int]) -> Array:
    """``(N, anchors, h, w, numbers)`` of any of the forms, without a copy where the form allows it.

    Raises:
        ValueError: It is none of them.
    """
    xp, shape = array_namespace(array), tuple(array.shape)
    numbers = _numbers(shape, size)
    if numbers is None:
        raise ValueError(f"{list(shape)} is no map of {_EACH} anchors for {size[0]}x{size[1]}")
    first = _grid_first(shape, size)
    if len(shape) == 5:
        return xp.permute_dims(array, (0, 3, 1, 2, 4)) if first else array
    if first:
        return xp.permute_dims(xp.reshape(array, (*shape[:3], _EACH, numbers)), (0, 3, 1, 2, 4))
    return xp.permute_dims(xp.reshape(array, (shape[0], _EACH, numbers, *shape[2:])), (0, 1, 3, 4, 2))


def _given(value: Any) -> Anchors:
    """Anchors from the user.

    Raises:
        ConfigError: They are no lists of pairs.
    """
    try:
        anchors = tuple(tuple((float(width), float(height)) for width, height in one) for one in value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"option anchors is {value!r}; give {AnchorDecoder.settings['anchors']}") from error
    if not anchors or any(min(pair) <= 0 for one in anchors for pair in one):
        raise ConfigError(f"option anchors is {value!r}; widths and heights are above 0")
    return anchors


def _stretched(scale: Sequence[float], count: int) -> Sequence[float]:
    return scale if len(scale) == count else [scale[-1]] * count
