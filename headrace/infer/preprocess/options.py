"""What a model wants its input to look like."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from headrace.errors import ConfigError
from headrace.suggestion import did_you_mean

_CHOICES = {
    "resize": ("letterbox", "stretch"),
    "padding": ("topleft", "centre"),
    "color": ("RGB", "BGR", "GRAY"),
    "interpolation": ("nearest", "linear", "area", "cubic"),
}


@dataclass(frozen=True, slots=True)
class PreprocessOptions:
    """How a frame becomes a network's input: ``y = scale * (x - mean) / std`` with ``x`` in 0–255.

    Size, layout and number type are those of the tensor that is filled, so they are not repeated here.

    Attributes:
        resize: ``letterbox`` keeps the aspect ratio and pads the rest, ``stretch`` does not.
        padding: Where a letterboxed picture lies: ``topleft`` (YOLOX) or ``centre`` (YOLOv5 and later).
        pad_value: Grey level 0–255 of the padding, before scale and mean are applied.
        color: Channel order; ``GRAY`` for networks with one channel.
        scale: Factor for every channel.
        mean: Subtracted from each channel, in 0–255, in the order of ``color``.
        std: Divides each channel, in the order of ``color``.
        interpolation: ``linear`` as training code does, ``area`` against aliasing in strong reductions.

    Raises:
        ConfigError: A value outside its choices, or a standard deviation of zero.

    Example:
        >>> PreprocessOptions(color="BGR", scale=1.0, padding="topleft").gain_and_bias()[0]
        (1.0, 1.0, 1.0)
    """

    resize: Literal["letterbox", "stretch"] = "letterbox"
    padding: Literal["topleft", "centre"] = "centre"
    pad_value: float = 114.0
    color: Literal["RGB", "BGR", "GRAY"] = "RGB"
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    interpolation: Literal["nearest", "linear", "area", "cubic"] = "linear"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(f"{name} is {getattr(self, name)!r}; use one of {', '.join(choices)}")
        for name in ("pad_value", "scale", "mean", "std"):
            value = getattr(self, name)
            numbers = value if name in ("mean", "std") else (value,)
            if not isinstance(numbers, tuple) or not all(map(_is_number, numbers)):
                raise ConfigError(
                    f"{name} is {value!r}; a number is needed, for mean and std one for each channel"
                )
        for name in ("mean", "std"):
            if len(getattr(self, name)) < self.channels:
                raise ConfigError(
                    f"{name} has {len(getattr(self, name))} values; {self.color} needs {self.channels}"
                )
        if any(value == 0 for value in self.std):
            raise ConfigError(f"std is {self.std}; every value must differ from zero")

    @property
    def channels(self) -> int:
        """Number of channels of the network's input."""
        return 1 if self.color == "GRAY" else 3

    def gain_and_bias(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Per channel, the ``gain`` and ``bias`` of ``y = gain * x + bias``."""
        gain = tuple(self.scale / std for std in self.std[: self.channels])
        bias = tuple(-g * mean for g, mean in zip(gain, self.mean, strict=False))
        return gain, bias

    def changed(self, values: Mapping[str, Any], where: str = "preprocess") -> PreprocessOptions:
        """These options with some of them changed.

        A change to ``GRAY`` or back keeps mean and deviation only as far as they go.

        Args:
            values: Attribute to value; lists serve as tuples, ``"1/255"`` as a number.
            where: What says so, for messages.

        Raises:
            ConfigError: A key that is no attribute, or a value that cannot be used.
        """
        known = [field.name for field in fields(self)]
        for key in values:
            if key not in known:
                hint = did_you_mean(str(key), known, ".", ", did you mean {}?")
                raise ConfigError(f"{where} has no {key!r}{hint} Known: {', '.join(known)}")
        plain = {key: _plain(value) for key, value in values.items()}
        try:
            return replace(self, **plain)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from error

    @classmethod
    def from_json(cls, text: str, where: str = "preprocessing options") -> PreprocessOptions:
        """Read options from a JSON object with the names of the attributes.

        Args:
            text: The JSON.
            where: What says so, for messages.

        Raises:
            ConfigError: The text is no JSON object, or has keys that are no attributes.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ConfigError(f"{where}: {text[:60]!r} is no JSON: {error}") from error
        if not isinstance(values, dict):
            raise ConfigError(f"{where}: {text[:60]!r} must be a JSON object")
        return cls().changed(values, where)


def parse_preprocess(text: str) -> dict[str, Any]:
    """Changes of preprocessing as people write them on a line, for `PreprocessOptions.changed`.

    Raises:
        ConfigError: A word that is no ``key=value``.

    Example:
        >>> parse_preprocess("color=BGR scale=1/255 mean=123.7,116.3,103.5")
        {'color': 'BGR', 'scale': 0.00392156862745098, 'mean': (123.7, 116.3, 103.5)}
    """
    values: dict[str, Any] = {}
    for word in text.replace(";", " ").split():
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise ConfigError(
                f"preprocess: {word!r} is no key=value; write for example color=BGR scale=1/255"
            )
        parts = [_number(part) for part in value.split(",") if part]
        values[key.replace("-", "_")] = parts[0] if len(parts) == 1 and "," not in value else tuple(parts)
    return values


def _plain(value: Any) -> Any:
    """A value from YAML or JSON: lists become tuples, texts numbers where they are some."""
    if isinstance(value, list):
        return tuple(map(_plain, value))
    return _number(value) if isinstance(value, str) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number(text: str) -> float | str:
    above, slash, below = text.partition("/")
    try:
        return float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError):
        return text


#: RGB, stretched, normalised by the means and deviations of ImageNet (torchvision's training code).
IMAGENET_RGB = PreprocessOptions(
    resize="stretch", scale=1.0, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
)
#: The same for networks that want BGR.
IMAGENET_BGR = PreprocessOptions(
    resize="stretch", color="BGR", scale=1.0, mean=IMAGENET_RGB.mean[::-1], std=IMAGENET_RGB.std[::-1]
)
