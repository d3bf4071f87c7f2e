"""What a model wants its input to look like."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, Literal

from headrace.errors import ConfigError

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

    @classmethod
    def from_json(cls, text: str) -> PreprocessOptions:
        """Read options from a JSON object with the names of the attributes.

        Raises:
            ConfigError: The text is no JSON object, or has keys that are no attributes.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ConfigError(f"preprocessing options are no JSON: {error}") from error
        known = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or not known.issuperset(values):
            raise ConfigError(
                f"preprocessing options {text!r} must be an object with keys of {sorted(known)}"
            )
        plain: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
        return cls(**plain)


#: RGB, stretched, normalised by the means and deviations of ImageNet (torchvision's training code).
IMAGENET_RGB = PreprocessOptions(
    resize="stretch", scale=1.0, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
)
#: The same for networks that want BGR.
IMAGENET_BGR = PreprocessOptions(
    resize="stretch", color="BGR", scale=1.0, mean=IMAGENET_RGB.mean[::-1], std=IMAGENET_RGB.std[::-1]
)
