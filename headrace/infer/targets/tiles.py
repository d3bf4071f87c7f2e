"""Overlapping slices of large pictures, after slicing aided inference (arXiv:2202.06934)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError

_MOST_OVERLAP = 0.9


@dataclass(frozen=True, slots=True)
class TileOptions:
    """How pictures are cut into tiles.

    Attributes:
        size: Width and height of a tile in pixels of the frame. The network's own size keeps every pixel.
        overlap: Share of a tile (0–0.9) that its neighbour shows too; objects up to that share of the tile are whole
            in one of them.
        whole: Look at the picture as a whole, too, for objects larger than a tile.

    Raises:
        ConfigError: A size without a pixel, or an overlap out of its bounds.

    Example:
        >>> TileOptions((640, 640), 0.2).whole
        True
    """

    size: tuple[int, int]
    overlap: float = 0.2
    whole: bool = True

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise ConfigError(
                f"tile-size is {self.size[0]}x{self.size[1]}; use positive pixels, such as 640x640"
            )
        if not 0 <= self.overlap <= _MOST_OVERLAP:
            raise ConfigError(f"tile-overlap is {self.overlap:g}; use 0 to {_MOST_OVERLAP}, such as 0.2")


def tile_boxes(
    xyxy: NDArray[np.float32], options: TileOptions
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Tiles of areas, row by row from the top left of each.

    The last tile of a row or column is shifted inside, so that all are of one size; an area smaller than a tile is one
    tile of its own size. Tiles begin at even pixels, where chroma does.

    Args:
        xyxy: ``(n, 4)`` areas in pixels.
        options: Size, overlap, and whether each area as a whole comes before its tiles, if there are several.

    Returns:
        ``(m, 4)`` tiles, and ``(m,)`` the area that each is of, rising.
    """
    low, sides = xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]
    size = np.array(options.size, np.float32)
    step = np.maximum(np.floor(size * (1 - options.overlap) / 2) * 2, 2)
    tile = np.minimum(size, sides)
    counts = np.maximum(np.ceil((sides - size) / step), 0).astype(np.intp) + 1
    tiles = counts.prod(axis=1)
    extra = (options.whole & (tiles > 1)).astype(np.intp)
    total = tiles + extra
    of = np.repeat(np.arange(len(xyxy)), total)
    number = np.arange(len(of)) - np.repeat(np.cumsum(total) - total, total) - extra[of]
    place = np.stack([number % counts[of, 0], number // counts[of, 0]], axis=1)
    last, end = place == counts[of] - 1, xyxy[of, 2:]
    start = np.where(last, end - tile[of], low[of] + place * step)
    start = np.maximum(np.floor(start / 2) * 2, low[of])
    boxes = np.hstack([start, np.where(last, end, start + tile[of])])
    boxes[number < 0] = xyxy[of[number < 0]]
    return boxes.astype(np.float32), of
