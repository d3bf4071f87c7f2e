"""Bars of frames a second, one group for each comparison, as a PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.bench.comparison import Comparison
from headrace.errors import HeadraceError

_WIDTH, _LEFT, _RIGHT, _BAR, _GAP = 1100, 400, 220, 24, 44
_FONT, _INK, _PALE = cv2.FONT_HERSHEY_SIMPLEX, (40, 40, 40), (150, 150, 150)
_OURS, _OTHERS, _SPREAD = (176, 114, 32), (190, 190, 190), (90, 90, 90)


def draw(comparisons: Sequence[Comparison]) -> NDArray[np.uint8]:
    """A picture, BGR: Headrace's bars in colour, a thin line from the least to the greatest of the rounds."""
    rows = sum(len([one for one in each.results if one.rounds]) for each in comparisons)
    image = np.full((_BAR * rows + _GAP * len(comparisons) + 20, _WIDTH, 3), 255, np.uint8)
    top = 0
    for each in comparisons:
        _text(image, each.title, 12, top + 30, 0.55, _INK)
        top = _group(image, each, top + _GAP)
    return image


def write_chart(path: Path, comparisons: Sequence[Comparison]) -> None:
    """Write the picture.

    Raises:
        HeadraceError: The file cannot be written, or its ending is no picture's.
    """
    try:
        written = cv2.imwrite(str(path), draw(comparisons))
    except cv2.error as error:
        raise HeadraceError(f"{path} cannot be written: name it .png") from error
    if not written:
        raise HeadraceError(f"{path} cannot be written: is its folder there?")


def _group(image: NDArray[np.uint8], each: Comparison, top: int) -> int:
    known = [one for one in each.results if one.rounds]
    most = max((one.of("fps").high for one in known), default=1.0)
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    for one in known:
        fps, ratio = one.of("fps"), each.ratio(one.name)
        end, middle = _LEFT + round(fps.median * scale), top + _BAR // 2
        colour = _OURS if one.name.startswith(("Headrace", "pipeline")) else _OTHERS
        cv2.rectangle(image, (_LEFT, top + 3), (end, top + _BAR - 4), colour, cv2.FILLED)
        low, high = (_LEFT + round(value * scale) for value in (fps.low, fps.high))
        cv2.line(image, (low, middle), (high, middle), _SPREAD, 1)
        _text(image, one.name, 24, middle + 5, 0.45, _INK)
        told = f"{fps.median:.0f}" + (f"  ({ratio.median:.2f} x)" if ratio is not None else "")
        _text(image, told, max(end, high) + 8, middle + 5, 0.45, _INK)
        top += _BAR
    return top


def _text(
    image: NDArray[np.uint8], text: str, x: int, y: int, size: float, colour: tuple[int, int, int]
) -> None:
    cv2.putText(image, text, (x, y), _FONT, size, colour, 1, cv2.LINE_AA)
