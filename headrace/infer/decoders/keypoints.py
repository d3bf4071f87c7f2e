"""Keypoints in the rows of YOLO's pose models."""

from __future__ import annotations

import ast
from types import MappingProxyType
from typing import Any

from array_api_compat import array_namespace

from headrace.errors import ConfigError
from headrace.infer.candidates import Array
from headrace.infer.decoders.base import DecodeOptions
from headrace.infer.decoders.scores import single
from headrace.infer.engines.base import ModelGraph

#: What decoders of keypoints take.
SETTING = MappingProxyType({"keypoints": "[number, 2 for x and y or 3 for x, y and confidence]"})
#: Keypoints of a person in COCO, with their confidence.
PERSON = (17, 3)


def shape_said(graph: ModelGraph) -> tuple[int, int] | None:
    """Number of keypoints and of their numbers by the exporter's ``kpt_shape``."""
    return _pair(graph.metadata.get("kpt_shape"))


def keypoint_shape(options: DecodeOptions, numbers: int) -> tuple[int, int]:
    """Number of keypoints and of their numbers: from the user, the file, or how many numbers there are.

    Raises:
        ConfigError: The option is no pair, or does not fit the model.
        ValueError: The file's own ``kpt_shape`` does not fit the model.
    """
    given = options.settings.get("keypoints")
    shape = _pair(given if given is not None else options.metadata.get("kpt_shape"))
    if given is not None and (shape is None or shape[0] * shape[1] != numbers):
        raise ConfigError(
            f"option keypoints is {given!r}; the model has {numbers} numbers: give {SETTING['keypoints']}"
        )
    shape = shape or (numbers // 3, 3)
    if shape[0] * shape[1] != numbers:
        raise ValueError(
            f"{shape[0]} keypoints of {shape[1]} numbers, but rows have {numbers}; set option keypoints"
        )
    return shape


def check_keypoints(options: DecodeOptions) -> None:
    """Refuse an option ``keypoints`` that is no pair.

    Raises:
        ConfigError: What it takes.
    """
    given = options.settings.get("keypoints")
    if given is not None and _pair(given) is None:
        raise ConfigError(f"option keypoints is {given!r}; give {SETTING['keypoints']}")


def numbers_of(options: DecodeOptions, spare: int) -> int:
    """How many of the numbers that follow the box are keypoints', the rest being classes' scores.

    Args:
        options: The user's and the file's word, and the labels.
        spare: All numbers that follow the box.
    """
    shape = _pair(options.settings.get("keypoints")) or _pair(options.metadata.get("kpt_shape"))
    return shape[0] * shape[1] if shape else spare - max(len(options.labels), 1)


def points(numbers: Array, shape: tuple[int, int]) -> Array:
    """Keypoints ``(n, k, 3)`` from rows ``(n, k * 2)`` or ``(n, k * 3)``; confidence is 1 where there is none."""
    xp, found = array_namespace(numbers), single(numbers)
    found = xp.reshape(found, (found.shape[0], *shape))
    return found if shape[1] == 3 else xp.concat([found, xp.ones_like(found[:, :, :1])], axis=2)


def _pair(value: Any) -> tuple[int, int] | None:
    try:
        count, numbers = ast.literal_eval(value) if isinstance(value, str) else value
        count, numbers = int(count), int(numbers)
    except (ValueError, TypeError, SyntaxError):
        return None
    return (count, numbers) if count > 0 and numbers in (2, 3) else None
