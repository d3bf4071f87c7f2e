"""SSD's default boxes: those of SSD300, and those that a user gives (arXiv:1512.02325)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.infer.decoders.priors import pairs

#: What the option takes.
PRIORS = "for each map [columns, rows, [[width, height] in pixels, ...]]"
#: A map: columns, rows, and width and height in pixels of the default boxes of a cell.
Maps = tuple[tuple[int, int, tuple[tuple[float, float], ...]], ...]
#: SSD300: side and step of each map, ratios, and the boxes' sizes as trained on Pascal VOC and on COCO.
_GRIDS = ((38, 8), (19, 16), (10, 32), (5, 64), (3, 100), (1, 300))
_RATIOS = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,))
SIZES = {21: (30, 60, 111, 162, 213, 264, 315), 81: (21, 45, 99, 153, 207, 261, 315)}
_SIDE, _BOX = 300, 4


def standard(classes: int) -> Maps:
    """SSD300's maps for a number of classes with the background.

    Raises:
        ValueError: It was not trained on so many.
    """
    if classes not in SIZES:
        raise ValueError(f"default boxes for {classes} classes are not known; set option priors")
    sizes, maps = SIZES[classes], []
    for (side, _), ratios, size, following in zip(_GRIDS, _RATIOS, sizes, sizes[1:], strict=False):
        between = (size * following) ** 0.5
        boxes = [(float(size), float(size)), (between, between)]
        for ratio in ratios:
            boxes += [(size * ratio**0.5, size / ratio**0.5), (size / ratio**0.5, size * ratio**0.5)]
        maps.append((side, side, tuple(boxes)))
    return tuple(maps)


@lru_cache(maxsize=8)
def default_boxes(maps: Maps, size: tuple[int, int], by_cell: bool) -> NDArray[np.float32]:
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


def given(value: Any) -> Maps:
    """Maps from the user.

    Raises:
        ConfigError: They are none.
    """
    try:
        return tuple((int(columns), int(rows), pairs(boxes, "priors")) for columns, rows, boxes in value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"option priors is {value!r}; give {PRIORS}") from error
