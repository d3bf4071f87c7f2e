"""The YAML file of zones, lines and rules: typed, and checked whole before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from headrace.analytics.geometry import area, crosses_itself
from headrace.analytics.ground import Ground
from headrace.analytics.rules import RuleSettings, rule_class
from headrace.analytics.rules._base import Strict
from headrace.analytics.source import SourceAnalysis
from headrace.errors import ConfigError
from headrace.keyfile import one_line
from headrace.paths import resolve
from headrace.suggestion import did_you_mean

Point = tuple[float, float]
Settings = TypeVar("Settings", bound=BaseModel)
Quad = tuple[Point, Point, Point, Point]


class GroundSettings(Strict):
    """Four points of the ground whose places are known."""

    image: Quad = Field(description="The points in pixels of the nominal frame, going round.")
    metres: Quad = Field(description="The same points in metres, on axes of your own.")


class CodeSettings(Strict):
    """A rule that is Python code."""

    rule: str = Field(
        description="FILE.py:FUNCTION or package.module:FUNCTION, called with the frames of each batch."
    )
    name: str = Field("", description="Its name in events; that of the function where it is left out.")


class AnalyticsSettings(Strict):
    """Zones, lines, ground and rules; those of one source, or of all.

    Example:
        >>> settings = AnalyticsSettings.model_validate({
        ...     "frame": [640, 360], "lines": {"door": [[0, 300], [640, 300]]}, "rules": [{"rule": "line"}]})
        >>> settings.typed_rules[0].forward
        'in'
    """

    frame: tuple[int, int] = Field(description="Width and height of the frame that all points refer to.")
    site: str = Field(
        "", description="Name of the place, for messages; a part of what event ids are made from."
    )
    labels: tuple[str, ...] = Field(
        (),
        description="Labels of the model in order; if given, names of classes are checked when the file is read.",
    )
    lost_after: float = Field(
        1.0,
        gt=0,
        le=60,
        description="Seconds without a detection after which an object is gone, and left its zones.",
    )
    draw: bool = Field(True, description="Let the overlay show zones, lines and counts.")
    zones: dict[str, tuple[Point, ...]] = Field(
        default_factory=dict, description="By name: corners [x, y] of a polygon, three or more."
    )
    lines: dict[str, tuple[Point, Point]] = Field(
        default_factory=dict, description="By name: the two ends [x, y] of a line."
    )
    ground: GroundSettings | None = Field(None, description="Calibration of the ground, for metres and km/h.")
    rules: tuple[dict[str, Any], ...] = Field((), description="The rules in order, each with the key rule.")
    sources: dict[int, dict[str, Any]] = Field(
        default_factory=dict, description="By number of a source: keys that differ there."
    )
    base: Path | None = Field(None, description="Folder that files are relative to; that of the file.")

    @field_validator("frame")
    @classmethod
    def _has_pixels(cls, frame: tuple[int, int]) -> tuple[int, int]:
        if min(frame) < 1:
            raise ValueError("width and height must be 1 or more")
        return frame

    @model_validator(mode="after")
    def _shapes_make_sense(self) -> AnalyticsSettings:
        for name, corners in self.zones.items():
            check_polygon(f"zone {name!r}", np.array(corners, float).reshape(-1, 2), self.frame)
        for name, ends in self.lines.items():
            _check_line(f"line {name!r}", np.array(ends, float), self.frame)
        if self.ground is not None:
            Ground(np.array(self.ground.image), np.array(self.ground.metres))
        return self

    @cached_property
    def typed_rules(self) -> tuple[RuleSettings, ...]:
        """The settings of each rule that is not Python code, of its own class."""
        return tuple(
            _typed(number, one) for number, one in enumerate(self.rules) if not _is_code(str(one.get("rule")))
        )

    @cached_property
    def code(self) -> tuple[CodeSettings, ...]:
        """The rules that are Python code."""
        return tuple(
            _checked(number, one, CodeSettings)
            for number, one in enumerate(self.rules)
            if _is_code(str(one.get("rule")))
        )

    def check_names(self) -> None:
        """Names tell events apart, and so do the ids that are made from them.

        Raises:
            ConfigError: Two rules have one name.
        """
        names = [one.name or one.rule for one in self.typed_rules]
        names += [one.name or one.rule for one in self.code]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"two rules are called {name!r}; give each a name of its own")

    def of(self, source: int) -> AnalyticsSettings:
        """What holds for a source: its own keys before the common ones."""
        common = self.model_dump(by_alias=True, exclude={"sources"})
        own = {str(key).replace("_", "-"): value for key, value in self.sources.get(source, {}).items()}
        return AnalyticsSettings.model_validate({**common, **own})


def check_polygon(what: str, polygon: np.ndarray, frame: tuple[int, int]) -> None:
    """Say what is wrong with a polygon.

    Raises:
        ValueError: It has too few corners, no area, crosses itself, or lies outside the frame.
    """
    if not np.isfinite(polygon).all():
        raise ValueError(f"{what} has a corner that is not a number")
    if len(np.unique(polygon, axis=0)) < 3:
        raise ValueError(f"{what} has {len(np.unique(polygon, axis=0))} corners; a polygon has three or more")
    if crosses_itself(polygon if (polygon[0] != polygon[-1]).any() else polygon[:-1]):
        raise ValueError(f"{what} crosses itself; give its corners in order, going round")
    if abs(area(polygon)) < 1:
        raise ValueError(f"{what} has no area; its corners lie on a line")
    _check_inside(what, polygon, frame)


def _check_line(what: str, ends: np.ndarray, frame: tuple[int, int]) -> None:
    if not np.isfinite(ends).all():
        raise ValueError(f"{what} has an end that is not a number")
    if (ends[0] == ends[1]).all():
        raise ValueError(f"{what} has no length; give two different ends")
    _check_inside(what, ends, frame)


def _check_inside(what: str, points: np.ndarray, frame: tuple[int, int]) -> None:
    if (points.max(axis=0) < 0).any() or (points.min(axis=0) > frame).any():
        raise ValueError(f"{what} lies outside the frame of {frame[0]}×{frame[1]}")


def is_settings(path: str | Path) -> bool:
    """Whether a file is of this kind, and not nvdsanalytics' own: YAML without a group ``property``."""
    place = resolve(path)
    if place.suffix.lower() not in (".yml", ".yaml"):
        return False
    return "property" not in _read(place)


def load_settings(path: str | Path) -> AnalyticsSettings:
    """Read the file and check all of it, every rule and source included.

    Raises:
        ConfigError: The file cannot be read, or a key or value is wrong; names it, and what would be right.
    """
    place = resolve(path)
    content = {str(key).replace("_", "-"): value for key, value in _read(place).items()}
    try:
        settings = AnalyticsSettings.model_validate({"base": place.parent, **content})
        for number in (-1, *settings.sources):
            one = settings.of(number)
            one.check_names()
            SourceAnalysis(one, one.frame)
    except ValidationError as error:
        raise ConfigError(f"analytics configuration {place}: {_explain(error, AnalyticsSettings)}") from error
    except ConfigError as error:
        raise ConfigError(f"analytics configuration {place}: {error}") from error
    return settings


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"analytics configuration {path} cannot be read: {error.strerror}; check the path"
        ) from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ConfigError(f"analytics configuration {path} is not YAML: {one_line(error)}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"analytics configuration {path} must be 'key: value' lines")
    return content


def _is_code(name: str) -> bool:
    return ":" in name


def _typed(number: int, given: Mapping[str, Any]) -> RuleSettings:
    if not given.get("rule"):
        raise ConfigError(f"rules.{number}: the key rule is missing")
    return _checked(number, given, rule_class(str(given["rule"])).settings_type)


def _checked(number: int, given: Mapping[str, Any], kind: type[Settings]) -> Settings:
    try:
        return kind.model_validate({str(key).replace("_", "-"): value for key, value in given.items()})
    except ValidationError as error:
        raise ConfigError(f"rules.{number} ({given['rule']}): {_explain(error, kind)}") from error


def _explain(error: ValidationError, model: type[BaseModel]) -> str:
    known = [field.replace("_", "-") for field in model.model_fields]
    lines = []
    for one in error.errors():
        name = ".".join(str(part) for part in one["loc"])
        text = one["msg"].removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":
            hint = did_you_mean(str(one["loc"][-1]), known, f"; known: {', '.join(known)}")
            lines.append(f"unknown key {name!r}{hint}")
        elif one["type"] == "missing":
            lines.append(f"{name} is missing")
        else:
            lines.append(f"{name}: {text[0].lower()}{text[1:]}" if name else text)
    return "; ".join(lines)
