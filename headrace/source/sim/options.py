"""Options of a synthetic scene, and the ``sim://`` address that carries them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from headrace.errors import ConfigError
from headrace.suggestion import did_you_mean

#: Names of the scenes that can be asked for.
SCENES: tuple[str, ...] = ("crossroad", "highway", "plaza")


def _option(default: float, low: float, high: float, text: str) -> Any:
    """A dataclass field whose metadata hold its bounds and description."""
    return field(default=default, metadata={"low": low, "high": high, "description": text})


@dataclass(frozen=True)
class SceneOptions:
    """What scene to render; every number is checked against its bounds.

    The fields' metadata carry ``description`` and, for numbers, ``low`` and ``high``: help texts and
    reference pages are made from them.

    Attributes:
        scene: Name of the scene, one of `SCENES`.
        seed: Chooses camera, light, colours and traffic; equal options give equal frames.
        objects: About how many moving objects there are at once; road signs come on top.
        width: Width of the frames in pixels; may be odd, like the height.
        height: Height of the frames in pixels.
        fps: Frames per second; motion follows the time ``i / fps``.
        frames: Number of frames of the scene; -1 for a scene without end.
        noise: Standard deviation of the sensor noise in grey levels.
        light: Strength of the slow change of light, 0 for none.

    Raises:
        ConfigError: Unknown scene, or a value out of its bounds.

    Example:
        >>> SceneOptions("plaza", objects=30).objects
        30
    """

    scene: str = field(default="crossroad", metadata={"description": "Name of the scene."})
    seed: int = _option(1, 0, 2**31 - 1, "Chooses camera, light, colours and traffic.")
    objects: int = _option(12, 0, 64, "About how many moving objects there are at once.")
    width: int = _option(1280, 16, 7680, "Width of the frames in pixels.")
    height: int = _option(720, 16, 4320, "Height of the frames in pixels.")
    fps: float = _option(30.0, 1, 240, "Frames per second; motion follows the time i / fps.")
    frames: int = _option(600, -1, 2**31 - 1, "Number of frames; -1 for a scene without end.")
    noise: float = _option(3.0, 0, 40, "Standard deviation of the sensor noise in grey levels.")
    light: float = _option(0.5, 0, 1, "Strength of the slow change of light, 0 for none.")

    def __post_init__(self) -> None:
        if self.scene not in SCENES:
            raise ConfigError(f"there is no scene {self.scene!r}; the scenes are {', '.join(SCENES)}")
        for option in fields(self)[1:]:
            value, low, high = getattr(self, option.name), option.metadata["low"], option.metadata["high"]
            if not (math.isfinite(value) and low <= value <= high):
                raise ConfigError(f"scene option {option.name}={value} must lie within {low} and {high}")


def parse_sim_uri(uri: str) -> SceneOptions:
    """Read ``sim://SCENE?key=value&…`` into options; what is left out keeps its default.

    Raises:
        ConfigError: Not a ``sim://`` address, unknown scene or key, a key given twice, or a value that is
            no number or out of bounds.

    Example:
        >>> parse_sim_uri("sim://highway?seed=4&fps=25").fps
        25.0
    """
    parts = urlsplit(uri)
    if parts.scheme != "sim":
        raise ConfigError(f"{uri!r} is no scene address; write sim://{SCENES[0]}?seed=1")
    values: dict[str, Any] = {"scene": parts.netloc or parts.path.strip("/")}
    for key, text in parse_qsl(parts.query, keep_blank_values=True):
        if key in values:
            raise ConfigError(f"{uri!r} gives {key!r} twice; leave one of them out")
        values[key] = _number(key, text)
    return SceneOptions(**values)


def _number(key: str, text: str) -> int | float:
    kinds = {option.name: option.type for option in fields(SceneOptions)[1:]}
    if key not in kinds:
        raise ConfigError(
            f"scenes have no option {key!r}{did_you_mean(key, kinds, '.')} All: {', '.join(kinds)}"
        )
    try:
        return int(text) if kinds[key] == "int" else float(text)
    except ValueError as error:
        kind = "a whole number" if kinds[key] == "int" else "a number"
        raise ConfigError(f"scene option {key}={text!r} is not {kind}") from error
