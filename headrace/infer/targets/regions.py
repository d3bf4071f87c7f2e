"""Regions of frames that a model looks at, as users write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.paths import resolve

#: Left, top, width, height; fractions of the frame where none is above 1, otherwise pixels.
Box = tuple[float, float, float, float]
#: Stands for every source that has no regions of its own.
EVERY = "*"
#: In place of regions: those that other elements attach to frames.
FROM_META = "meta"
_HOW = "write source:left,top,width,height, such as 0:100,50,800,600 in pixels, or 0:0.5,0,0.5,1 for the right half"


@dataclass(frozen=True, slots=True)
class Regions:
    """Where to look in the frames of each source.

    Attributes:
        boxes: Regions by number of the source, or `EVERY`.
        from_meta: Whether `headrace.meta.RegionsOfInterest` of a frame, where there are some, stand in their place.

    Example:
        >>> regions = Regions.parse("0:100,50,800,600; 0.5,0,0.5,1")
        >>> regions.of(0, 1280, 720).tolist(), regions.of(3, 64, 48).tolist()
        ([[100.0, 50.0, 900.0, 650.0]], [[32.0, 0.0, 64.0, 48.0]])
    """

    boxes: Mapping[int | str, tuple[Box, ...]] = field(default_factory=dict)
    from_meta: bool = False

    @classmethod
    def parse(cls, text: str) -> Regions:
        """Regions from ``source:left,top,width,height;…``; without a source they are for all that have none.

        A text that ends in ``.yaml`` or ``.yml`` names a file with the same: ``0: [[100, 50, 800, 600]]``. The text
        ``meta`` says that other elements set them.

        Raises:
            ConfigError: Something else is written.
        """
        if text == FROM_META:
            return cls(from_meta=True)
        if text.endswith((".yaml", ".yml")):
            return cls(_read(text))
        found: dict[int | str, tuple[Box, ...]] = {}
        for part in filter(None, map(str.strip, text.split(";"))):
            source, colon, numbers = part.rpartition(":")
            key = _source(source.strip() if colon else EVERY, f"regions={text}")
            found[key] = (*found.get(key, ()), _box(numbers.split(","), f"regions={text}: {part!r}"))
        if not found:
            raise ConfigError(f"regions={text!r} has no region; {_HOW}")
        return cls(found)

    def of(self, source: int, width: int, height: int) -> NDArray[np.float32]:
        """Regions of a source's frame, ``(n, 4)`` left, top, right, bottom in pixels, cut at the frame's edges.

        Frames of sources without regions are looked at as a whole.

        Args:
            source: Number of the source.
            width: Width of its frames in pixels.
            height: Height of its frames in pixels.

        Raises:
            ConfigError: A region lies outside of the frame.
        """
        boxes = self.boxes.get(source, self.boxes.get(EVERY, ((0.0, 0.0, 1.0, 1.0),)))
        size = np.array([width, height] * 2, np.float32)
        ltwh = np.array([np.array(box) * (size if max(box) <= 1 else 1) for box in boxes], np.float32)
        xyxy = inside(np.hstack([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]]), width, height)
        if len(xyxy) < len(boxes):
            written = "; ".join(",".join(f"{number:g}" for number in box) for box in boxes)
            raise ConfigError(
                f"regions: one of {written} lies outside of the frames of source {source}, which have "
                f"{width}x{height} pixels; {_HOW}"
            )
        return xyxy


def inside(xyxy: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Boxes cut at the edges of a frame; those without a pixel inside are left out."""
    cut = np.clip(xyxy, 0, np.array([width, height] * 2, np.float32))
    kept: NDArray[np.float32] = cut[(cut[:, 2:] - cut[:, :2] >= 1).all(axis=1)]
    return kept


def _read(path: str) -> dict[int | str, tuple[Box, ...]]:
    place = resolve(path)
    try:
        data = yaml.safe_load(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"regions={path} cannot be read: {error}") from error
    where = f"regions={path}"
    if not isinstance(data, dict) or not data:
        raise ConfigError(f"{where} holds no sources; write for example 0: [[100, 50, 800, 600]]")
    found: dict[int | str, tuple[Box, ...]] = {}
    for source, boxes in data.items():
        if not isinstance(boxes, list) or not boxes or not all(isinstance(box, list) for box in boxes):
            raise ConfigError(
                f"{where}: {source}: {boxes!r} is no list of regions; write [[100, 50, 800, 600]]"
            )
        found[_source(str(source), where)] = tuple(_box(box, f"{where}: {source}: {box}") for box in boxes)
    return found


def _source(text: str, where: str) -> int | str:
    if text == EVERY:
        return EVERY
    if not text.isdigit():
        raise ConfigError(
            f"{where}: {text!r} is no number of a source; write 0, 1, … or {EVERY} for all others"
        )
    return int(text)


def _box(parts: Iterable[Any], where: str) -> Box:
    try:
        numbers = [float(part) for part in parts]
        left, top, width, height = numbers
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where} is not four numbers; {_HOW}") from error
    if not np.isfinite(numbers).all() or min(left, top) < 0 or min(width, height) <= 0:
        raise ConfigError(f"{where} has no area inside of a frame; {_HOW}")
    return left, top, width, height
