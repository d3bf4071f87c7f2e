"""Charts as SVG, for pages that need nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

_WIDTH, _HEIGHT = 760, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 12, 12, 34
#: Told apart by most eyes, on white and on black.
COLORS = ("#3b78d8", "#e07b39", "#3a9a5b", "#b54a8f", "#8a6fd1", "#b08a1e", "#2aa3a8", "#c2504d")
Series = Mapping[str, Sequence[float]]


def bars(edges: Sequence[float], series: Series, unit: str) -> str:
    """Bars upon each other, one for each bin.

    Args:
        edges: Ends of the bins, one more than there are bins.
        series: Height of each bin by name.
        unit: What stands under the axis: ``seconds``, or ``time`` for minutes and hours.
    """
    count = len(edges) - 1
    total = np.sum([list(values) for values in series.values()], axis=0)
    top = _nice(float(total.max()) if len(total) else 1.0)
    width, foot = (_WIDTH - _LEFT - _RIGHT) / count, np.zeros(count)
    parts = []
    for color, (name, values) in zip(_colors(len(series)), series.items(), strict=True):
        for i, value in enumerate(values):
            if value:
                y, height = _y(foot[i] + value, top), _y(foot[i], top) - _y(foot[i] + value, top)
                where = f"{_tick(edges[i], unit)}–{_tick(edges[i + 1], unit)}"
                parts.append(
                    f'<rect x="{_LEFT + i * width + 0.5:.1f}" y="{y:.1f}" width="{max(width - 1, 0.5):.1f}" '
                    f'height="{height:.1f}" fill="{color}"><title>{escape(name)} {where}: {value:g}</title></rect>'
                )
                foot[i] += value
    return _frame(edges[0], edges[-1], top, unit, "".join(parts), list(series))


def curves(series: Mapping[str, Sequence[tuple[float, float]]], steps: bool = False) -> str:
    """Lines over time through points ``(seconds, value)``; ``steps`` holds each value until the next."""
    points = [point for one in series.values() for point in one]
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    last = last if last > first else first + 1
    top = _nice(max(y for _, y in points))
    parts = []
    for color, one in zip(_colors(len(series)), series.values(), strict=True):
        spots: list[str] = []
        before = None
        for x, y in one:
            at = _LEFT + (x - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)
            if steps and before is not None:
                spots.append(f"{at:.1f},{_y(before, top):.1f}")
            spots.append(f"{at:.1f},{_y(y, top):.1f}")
            before = y
        parts.append(f'<polyline points="{" ".join(spots)}" fill="none" stroke="{color}" stroke-width="2"/>')
    return _frame(first, last, top, "time", "".join(parts), list(series))


def heat(cells: NDArray[np.float64], picture: str = "", size: tuple[int, int] = (16, 9)) -> str:
    """Cells ``(rows, columns)`` over a picture given as a ``data:`` address; ``size`` gives the shape of the frame."""
    rows, columns = cells.shape
    width, height = 960, round(960 * size[1] / size[0])
    strong = np.sqrt(cells / max(float(cells.max()), 1e-9))
    parts = [f'<rect width="{width}" height="{height}" fill="#20242c"/>']
    if picture:
        parts.append(
            f'<image href="{picture}" width="{width}" height="{height}" preserveAspectRatio="none"/>'
        )
    for row, column in np.argwhere(cells > 0).tolist():
        share = float(strong[row, column])
        parts.append(
            f'<rect x="{column * width / columns:.1f}" y="{row * height / rows:.1f}" '
            f'width="{width / columns + 0.3:.1f}" '
            f'height="{height / rows + 0.3:.1f}" fill="hsl({60 * (1 - share):.0f} 100% 50%)" '
            f'fill-opacity="{0.15 + 0.6 * share:.2f}"><title>{cells[row, column]:.1f} s</title></rect>'
        )
    return f'<svg viewBox="0 0 {width} {height}" role="img">{"".join(parts)}</svg>'


def _frame(first: float, last: float, top: float, unit: str, inner: str, names: list[str]) -> str:
    """Axes, grid and legend around the marks."""
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _y(top * share, top)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * share:g}</text>')
    for step in range(6):
        x = _LEFT + step / 5 * (_WIDTH - _LEFT - _RIGHT)
        anchor = "end" if step == 5 else "middle"
        value = _tick(first + (last - first) * step / 5, unit)
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="{anchor}">{value}</text>')
    keys = "".join(
        f'<span><i style="background:{color}"></i>{escape(name)}</span>'
        for color, name in zip(_colors(len(names)), names, strict=True)
    )
    svg = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{"".join(parts)}{inner}</svg>'
    return f'{svg}<div class="legend">{keys}</div>'


def _colors(count: int) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(count)]


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _BOTTOM - _TOP)


def _nice(value: float) -> float:
    """The next number that four steps divide well."""
    if value <= 4:
        return 4.0
    power = 10 ** math.floor(math.log10(value))
    return next(float(step * power) for step in (1, 2, 4, 6, 8, 10) if step * power >= value)


def clock(seconds: float) -> str:
    """Minutes and seconds, and hours where there are any.

    Example:
        >>> clock(61), clock(3661)
        ('1:01', '1:01:01')
    """
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"


def _tick(value: float, unit: str) -> str:
    return clock(value) if unit == "time" else f"{value:.3g} {unit}"
