"""The configuration of nvdsanalytics (contract: configs §4): rules for each stream, in pixels of a nominal frame."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.geometry import crosses_itself
from headrace.errors import ConfigError
from headrace.keyfile import read_groups
from headrace.paths import resolve
from headrace.suggestion import did_you_mean

_log = logging.getLogger(__name__)

Points = NDArray[np.float64]
MODES = ("loose", "balanced", "strict")


@dataclass(frozen=True, eq=False)
class Region:
    """A polygon with a name, for counting, or for crowding when it has a limit.

    Attributes:
        label: Its name.
        polygon: Corners ``(n, 2)`` in pixels, at least three.
        classes: Classes that count; ``None`` for all.
        inverse: Whether what lies outside is meant.
        limit: Objects from which on it is crowded; 0 for a region that only counts.
    """

    label: str
    polygon: Points
    classes: tuple[int, ...] | None = None
    inverse: bool = False
    limit: int = 0


@dataclass(frozen=True, eq=False)
class Line:
    """A line to be crossed in the sense of an arrow; both ``(2, 2)`` in pixels.

    Attributes:
        label: Its name.
        arrow: Start and end of the direction of crossing.
        ends: The line's two ends.
        classes: Classes that count; ``None`` for all.
        extended: Whether the line goes on beyond its ends.
        mode: How sure a crossing must be: ``loose``, ``balanced`` or ``strict``.
    """

    label: str
    arrow: Points
    ends: Points
    classes: tuple[int, ...] | None = None
    extended: bool = True
    mode: str = "loose"


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction of movement, from the first to the second of its points ``(2, 2)``."""

    label: str
    arrow: Points
    classes: tuple[int, ...] | None = None
    mode: str = "balanced"


@dataclass(frozen=True)
class StreamRules:
    """The rules of one stream."""

    regions: tuple[Region, ...] = ()
    crowds: tuple[Region, ...] = ()
    lines: tuple[Line, ...] = ()
    directions: tuple[Direction, ...] = ()

    def scaled(self, x: float, y: float) -> StreamRules:
        """The same rules for a frame that is wider and higher by these factors."""
        factor = np.array([x, y])
        regions, crowds = (
            tuple(replace(region, polygon=region.polygon * factor) for region in group)
            for group in (self.regions, self.crowds)
        )
        lines = tuple(replace(one, arrow=one.arrow * factor, ends=one.ends * factor) for one in self.lines)
        directions = tuple(replace(one, arrow=one.arrow * factor) for one in self.directions)
        return StreamRules(regions, crowds, lines, directions)


@dataclass(frozen=True)
class AnalyticsConfig:
    """What the element does.

    Attributes:
        width: Width in pixels of the frame that coordinates refer to.
        height: Its height.
        enable: Whether anything is done at all.
        osd_mode: 0 draws nothing, 1 lines and labels, 2 counts and the status of objects too.
        font_size: Size of drawn texts.
        window_ms: Smoothing window of counts and length of an object's history; 0 for the defaults.
        show_counts: Whether the number of objects of each class is drawn.
        streams: Rules by index of the muxer's pad.
    """

    width: int
    height: int
    enable: bool = True
    osd_mode: int = 2
    font_size: int = 12
    window_ms: int = 0
    show_counts: bool = False
    streams: Mapping[int, StreamRules] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path) -> AnalyticsConfig:
        """Read a key file, or YAML with the same groups.

        Raises:
            ConfigError: Names the file, the group, the key and what is expected.
        """
        path = resolve(path)
        groups = read_groups(path, "analytics configuration")
        if "property" not in groups:
            raise ConfigError(f"{path}: the group [property] with config-width and config-height is missing")
        general = _Group(path, "property", groups["property"], _GENERAL)
        rules: dict[int, dict[str, tuple[Any, ...]]] = {}
        for name, keys in groups.items():
            match = _STREAM.fullmatch(name)
            if match is None:
                _warn_of_group(path, name)
                continue
            rules.setdefault(int(match[2]), {})[match[1]] = _read_stream(path, match[1], name, keys)
        return cls(
            width=general.integer("config-width", minimum=1),
            height=general.integer("config-height", minimum=1),
            enable=general.flag("enable", True),
            osd_mode=general.integer("osd-mode", 2, 0, 2),
            font_size=general.integer("display-font-size", 12, 1, 200),
            window_ms=general.integer("obj-cnt-win-in-ms", 0, 0),
            show_counts=general.flag("display-obj-cnt", False),
            streams={
                index: StreamRules(**{_FIELD[k]: v for k, v in one.items()}) for index, one in rules.items()
            },
        )


def _warn_of_group(path: str | Path, name: str) -> None:
    if name != "property":
        kind = name.partition("-stream-")[0]
        groups = ", ".join(f"{kind}-stream-<N>" for kind in _FIELD)
        wanted = did_you_mean(kind, _FIELD, groups, "{}-stream-<N>")
        _log.warning("%s: [%s] has no meaning here; write %s with the number of a source", path, name, wanted)


_STREAM = re.compile(r"(roi-filtering|overcrowding|line-crossing|direction-detection)-stream-(\d+)")
_FIELD = {
    "roi-filtering": "regions",
    "overcrowding": "crowds",
    "line-crossing": "lines",
    "direction-detection": "directions",
}
_GENERAL = (
    "enable", "config-width", "config-height", "osd-mode", "display-font-size", "obj-cnt-win-in-ms",
    "display-obj-cnt",
)  # fmt: skip
T = TypeVar("T")


class _Group:
    """One group of the file; every error names the place."""

    def __init__(
        self, path: str | Path, name: str, keys: Mapping[str, str], known: tuple[str, ...], prefix: str = ""
    ) -> None:
        self._path, self._name, self._keys, self._prefix = path, name, keys, prefix
        for key in keys:
            if key not in known and not (prefix and key.startswith(prefix)):
                names = [*known, f"{prefix}<LABEL>"] if prefix else known
                hint = did_you_mean(key, names, text="; did you mean {}?")
                _log.warning("%s: [%s] %s has no meaning here%s", path, name, key, hint)

    def error(self, key: str, expected: str) -> ConfigError:
        got = f", got {self._keys[key]!r}" if key in self._keys else ", but it is missing"
        return ConfigError(f"{self._path}: [{self._name}] {key}: {expected} expected{got}")

    def integer(
        self, key: str, default: int | None = None, minimum: int = 0, maximum: int = 2**31 - 1
    ) -> int:
        expected = f"a whole number from {minimum}" + ("" if maximum == 2**31 - 1 else f" to {maximum}")
        text = self._keys.get(key)
        if text is None and default is not None:
            return default
        try:
            value = int(text or "")
        except ValueError as error:
            raise self.error(key, expected) from error
        if not minimum <= value <= maximum:
            raise self.error(key, expected)
        return value

    def flag(self, key: str, default: bool) -> bool:
        return self.integer(key, int(default), 0, 1) == 1

    def classes(self) -> tuple[int, ...] | None:
        numbers = [int(value) for value in self.numbers("class-id")] if "class-id" in self._keys else []
        return None if not numbers or -1 in numbers else tuple(numbers)

    def mode(self, default: str) -> str:
        mode = self._keys.get("mode", default).strip().lower()
        if mode not in MODES:
            raise self.error("mode", f"one of {', '.join(MODES)}")
        return mode

    def numbers(self, key: str) -> list[float]:
        try:
            values = [float(part) for part in self._keys[key].split(";") if part.strip()]
        except ValueError as error:
            raise self.error(key, "numbers separated by ';'") from error
        if not np.isfinite(values).all():
            raise self.error(key, "finite numbers separated by ';'")
        return values

    def arrow(self, key: str, numbers: list[float]) -> Points:
        """Two different points."""
        points = np.array(numbers).reshape(2, 2)
        if (points[0] == points[1]).all():
            raise self.error(key, "two different points, for a line or an arrow with a length,")
        return points

    def warn(self, key: str, text: str) -> None:
        _log.warning("%s: [%s] %s: %s", self._path, self._name, key, text)

    def shapes(self, make: Callable[[str, list[float]], T]) -> tuple[T, ...]:
        return tuple(
            make(key, self.numbers(key))
            for key in self._keys
            if self._prefix and key.startswith(self._prefix)
        )


def _read_stream(path: str | Path, kind: str, name: str, keys: Mapping[str, str]) -> tuple[Any, ...]:
    reader, prefix, known = _READERS[kind]
    group = _Group(path, name, keys, ("enable", "class-id", *known), prefix)
    if not keys:
        raise ConfigError(f"{path}: [{name}] is empty; give {prefix}<LABEL>=... or remove the group")
    return reader(group) if group.flag("enable", True) else ()


def _regions(group: _Group) -> tuple[Region, ...]:
    classes, inverse = group.classes(), group.flag("inverse-roi", False)
    return group.shapes(lambda key, n: Region(key[4:], _polygon(group, key, n), classes, inverse))


def _crowds(group: _Group) -> tuple[Region, ...]:
    classes, limit = group.classes(), group.integer("object-threshold", minimum=1)
    group.integer("time-threshold", 0)
    return group.shapes(lambda key, n: Region(key[4:], _polygon(group, key, n), classes, limit=limit))


def _lines(group: _Group) -> tuple[Line, ...]:
    classes, extended, mode = group.classes(), group.flag("extended", True), group.mode("loose")

    def line(key: str, numbers: list[float]) -> Line:
        if len(numbers) != 8:
            raise group.error(key, "eight numbers, arrow x1;y1;x2;y2 and line x1;y1;x2;y2,")
        arrow, ends = group.arrow(key, numbers[:4]), group.arrow(key, numbers[4:])
        return Line(key.removeprefix("line-crossing-"), arrow, ends, classes, extended, mode)

    return group.shapes(line)


def _directions(group: _Group) -> tuple[Direction, ...]:
    classes, mode = group.classes(), group.mode("balanced")

    def direction(key: str, numbers: list[float]) -> Direction:
        if len(numbers) not in (4, 8):  # of eight the last four say nothing
            raise group.error(key, "four numbers x1;y1;x2;y2")
        return Direction(key.removeprefix("direction-"), group.arrow(key, numbers[:4]), classes, mode)

    return group.shapes(direction)


def _polygon(group: _Group, key: str, numbers: list[float]) -> Points:
    if len(numbers) < 6 or len(numbers) % 2:
        raise group.error(key, "x;y of three or more corners")
    polygon = np.array(numbers).reshape(-1, 2)
    if crosses_itself(polygon if (polygon[0] != polygon[-1]).any() else polygon[:-1]):
        group.warn(key, "the polygon crosses itself; what is in it an even number of times is outside")
    return polygon


_READERS: dict[str, tuple[Callable[[_Group], tuple[Any, ...]], str, tuple[str, ...]]] = {
    "roi-filtering": (_regions, "roi-", ("inverse-roi",)),
    "overcrowding": (_crowds, "roi-", ("object-threshold", "time-threshold")),
    "line-crossing": (_lines, "line-crossing-", ("extended", "mode")),
    "direction-detection": (_directions, "direction-", ("mode",)),
}
