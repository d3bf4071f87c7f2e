"""Regions cut out of their frames, scaled and turned into numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from headrace.frames import Frame
from headrace.infer.preprocess import Placement, PreprocessOptions, crop, preprocess
from headrace.infer.roi.config import Box
from headrace.infer.roi.regions import Region

T = TypeVar("T")
#: Factors and offsets that leave bytes as they are.
_AS_IT_IS = {(1.0, 0.0)}


class Picture(NamedTuple):
    """A region, and the frame that it is part of."""

    frame: Frame
    region: Region


class Placed(NamedTuple):
    """A region as it went into a row.

    Attributes:
        region: The region.
        box: What was really cut out: left, top, width, height in whole pixels of the frame.
        placement: Where it lies in the row.
    """

    region: Region
    box: Box
    placement: Placement


@dataclass(frozen=True, slots=True)
class Prepared:
    """A tensor and the regions of its rows.

    Attributes:
        tensor: The first axis has a row for each region.
        rows: The regions.
    """

    tensor: NDArray[Any]
    rows: list[Placed]


class Preparation(Protocol):
    """Makes tensors of regions; used by one thread."""

    def prepare(self, pictures: Sequence[Picture]) -> list[Prepared]:
        """Tensors of the regions of one batch; perhaps none yet.

        Raises:
            FrameError: A region lies outside its frame.
            ModelError: A user's function failed.
        """
        ...

    def forget(self, source: int) -> None:
        """A source has gone: what is kept of it is no longer needed."""
        ...


def fill(
    row: NDArray[Any], picture: Picture, options: PreprocessOptions, bias: NDArray[np.float32] | None = None
) -> Placed:
    """Fill one row of a tensor from a region.

    Args:
        row: ``(C, H, W)`` or ``(H, W, C)``, of any number type; whole numbers are rounded and clipped.
        picture: The region.
        options: Scaling, padding, colour and factors.
        bias: Subtracted afterwards, of the row's shape.
    """
    cut, (left, top) = crop(picture.frame, picture.region.ltrb)
    plain = bias is None and set(zip(*options.gain_and_bias(), strict=True)) <= _AS_IT_IS
    direct = row.dtype.kind == "f" or (row.dtype == np.uint8 and plain)
    work = row if direct else np.empty(row.shape, np.float32)
    placement = preprocess(cut, work, options)
    if bias is not None:
        np.subtract(work, bias, out=work, casting="same_kind")
    if not direct:
        limits = np.iinfo(row.dtype)
        row[...] = np.clip(np.rint(work), limits.min, limits.max)
    return Placed(picture.region, (left, top, cut.width, cut.height), placement)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Parts of at most ``size`` items."""
    return (items[start : start + size] for start in range(0, len(items), size))
