"""Tiler: the pictures of many sources as one picture, in a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headrace.draw.ink import inks
from headrace.errors import FrameError
from headrace.frames import Colorimetry, Frame, PixelFormat, convert, resize, scale_plane

Cell = tuple[int, int, int, int]

_HIDDEN: Cell = (0, 0, 0, 0)
_BLACK = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class TileLayout:
    """Where the tiles of ``n`` sources are: row by row, in the order of the sources' indices.

    The grid is ``rows`` x ``columns``. When that is too small for ``n`` tiles it grows, the shorter side
    first, so a grid of 1 x 1 becomes about square.

    Attributes:
        n: Number of sources.
        rows: Rows wanted, 0 for as many as needed.
        columns: Columns wanted, 0 for as many as needed.
        width: Width in pixels of the whole picture.
        height: Height in pixels of the whole picture.
        show_source: Index of the one source that fills the picture, or -1 for all of them.

    Example:
        >>> layout = TileLayout(3, 1, 1, 1280, 720)
        >>> layout.grid, layout.cell(2)
        ((2, 2), (0, 360, 640, 360))
    """

    n: int
    rows: int
    columns: int
    width: int
    height: int
    show_source: int = -1

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the grid after growing."""
        rows, columns = max(self.rows, 1), max(self.columns, 1)
        while rows * columns < self.n:
            if rows < columns:
                rows += 1
            else:
                columns += 1
        return rows, columns

    def cell(self, index: int) -> Cell:
        """``x, y, width, height`` of a source's tile in pixels; without area when the source is not shown.

        Edges between tiles are even, so that they fall between chroma samples.
        """
        if self.show_source >= 0:
            return (0, 0, self.width, self.height) if index == self.show_source else _HIDDEN
        rows, columns = self.grid
        row, column = divmod(index, columns)
        if not 0 <= index < self.n:
            return _HIDDEN
        x0, x1 = _edge(column, columns, self.width), _edge(column + 1, columns, self.width)
        y0, y1 = _edge(row, rows, self.height), _edge(row + 1, rows, self.height)
        return x0, y0, x1 - x0, y1 - y0

    def transform(self, index: int, source_size: tuple[int, int]) -> tuple[float, float, float, float]:
        """``scale x, scale y, offset x, offset y`` from a source of ``(width, height)`` to the picture."""
        x, y, width, height = self.cell(index)
        return width / source_size[0], height / source_size[1], float(x), float(y)


class Tiler:
    """Composes pictures of any format and size into one; keeps the last picture of sources that are slower.

    Pictures are stretched to their tiles. The output has the format asked for, otherwise that of the first
    pictures when all have the same, otherwise NV12; pictures in another one are converted after scaling. Not
    safe for use by several threads at once.

    Args:
        width: Width in pixels of the output.
        height: Height in pixels of the output.
        rows: Rows of the grid; it grows when it is too small.
        columns: Columns of the grid.
        show_source: Index of the one source to show, -1 for all.
        format: Pixel format of the output; ``None`` takes that of the pictures.

    Raises:
        FrameError: A size that is not positive.

    Example:
        >>> tiler = Tiler(64, 32)
        >>> bright = Frame.from_array(np.full((10, 10), 200, np.uint8), "GRAY8")
        >>> picture = tiler.compose({1: bright})
        >>> tiler.layout.grid, picture.planes[0][0, [0, 63]].tolist()
        ((1, 2), [0, 200])
    """

    def __init__(
        self,
        width: int,
        height: int,
        rows: int = 1,
        columns: int = 1,
        show_source: int = -1,
        format: PixelFormat | None = None,
    ) -> None:
        if width <= 0 or height <= 0:
            raise FrameError(
                f"a tiled picture of {width}x{height} has no pixels; both sizes must be positive"
            )
        self.layout = TileLayout(0, rows, columns, width, height, show_source)
        self._format = format
        self._picture: Frame | None = None

    def show(self, source: int) -> None:
        """Show one source alone from the next picture on, or all with -1."""
        self._lay_out(self.layout.n, source)

    def forget(self, source: int) -> None:
        """Blacken the tile of a source that went away."""
        if self._picture is not None:
            _paint_black(_view(self._picture, self.layout.cell(source)))

    def compose(self, pictures: Mapping[int, Frame], out: Frame | None = None) -> Frame:
        """The whole picture after these new ones, by source index.

        Args:
            pictures: New picture per source index (from 0); only read, and not kept.
            out: Frame of the output's size and format to write into; by default a new one is made.

        Returns:
            ``out``, or the new frame; the caller owns it.

        Raises:
            FrameError: ``out`` has another size or format, or an index is negative.
        """
        if pictures and min(pictures) < 0:
            raise FrameError(f"source index {min(pictures)} is negative; tiles are counted from 0")
        picture = self._picture
        if picture is None:
            picture = self._picture = self._begin(pictures)
        if pictures and max(pictures) >= self.layout.n:
            picture = self._lay_out(max(pictures) + 1, self.layout.show_source) or picture
        for index, source in pictures.items():
            cell = self.layout.cell(index)
            if cell[2] and cell[3]:
                _put(source, _view(picture, cell))
        return _copied(picture, out)

    def _begin(self, pictures: Mapping[int, Frame]) -> Frame:
        kinds = {(frame.format, frame.color) for frame in pictures.values()}
        format, color = kinds.pop() if len(kinds) == 1 else ("NV12", Colorimetry())
        return _black(self._format or format, self.layout, color)

    def _lay_out(self, n: int, show_source: int) -> Frame | None:
        """Change the grid; tiles that stay visible keep their picture."""
        before, old = self.layout, self._picture
        self.layout = TileLayout(n, before.rows, before.columns, before.width, before.height, show_source)
        if old is not None and self.layout != before:
            self._picture = _black(old.format, self.layout, old.color)
            for index in range(before.n):
                source, target = before.cell(index), self.layout.cell(index)
                if all(source[2:]) and all(target[2:]):
                    _put(_view(old, source), _view(self._picture, target))
        return self._picture


def _edge(index: int, count: int, size: int) -> int:
    return size if index == count else (index * size // count) & ~1


def _view(frame: Frame, cell: Cell) -> Frame:
    x, y, width, height = cell
    planes = tuple(
        plane[y >> half : (y + height + half) >> half, x >> half : (x + width + half) >> half]
        for half, plane in zip((0, 1, 1), frame.planes)  # noqa: B905  # fewer planes than three are fine
    )
    return Frame(frame.format, width, height, planes, frame.color)


def _put(source: Frame, tile: Frame) -> None:
    """Stretch a picture into a tile, in the tile's own memory where formats agree."""
    if source.format != tile.format or (len(tile.planes) > 1 and source.color != tile.color):
        source = convert(resize(source, tile.width, tile.height), tile.format, tile.color)
    for plane, target in zip(source.planes, tile.planes, strict=True):
        scale_plane(plane, target.shape[1], target.shape[0], out=target)


def _black(format: PixelFormat, layout: TileLayout, color: Colorimetry) -> Frame:
    frame = Frame.empty(format, layout.width, layout.height, color)
    _paint_black(frame)
    return frame


def _paint_black(frame: Frame) -> None:
    for plane, values in zip(frame.planes, inks(frame.format, frame.color).ink(_BLACK).channels, strict=True):
        plane[...] = values if len(values) > 1 else values[0]


def _copied(picture: Frame, out: Frame | None) -> Frame:
    if out is None:
        out = Frame.empty(picture.format, picture.width, picture.height, picture.color)
    elif (out.format, out.width, out.height) != (picture.format, picture.width, picture.height):
        raise FrameError(
            f"the tiler makes {picture.format} {picture.width}x{picture.height}, "
            f"not {out.format} {out.width}x{out.height}; give a frame of that kind"
        )
    for plane, target in zip(picture.planes, out.planes, strict=True):
        np.copyto(target, plane)
    return out
