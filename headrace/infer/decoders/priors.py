"""Boxes that are predicted as changes of given ones: deltas of centres and of logarithms of sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from headrace.errors import ConfigError
from headrace.infer.candidates import Array
from headrace.infer.decoders.base import corners

#: Sizes do not grow beyond this factor, as in detectron2 and torchvision: larger deltas overflow.
_MOST_LOG = float(np.log(1000 / 16))


def moved(priors: Array, deltas: Array, variances: Sequence[float] = (1.0, 1.0)) -> Array:
    """Corners ``(n, 4)`` of boxes.

    Args:
        priors: ``(n, 4)`` centre x, y, width, height.
        deltas: ``(n, 4)`` change of the centre in sizes, and logarithms of the change of sizes.
        variances: Factors of the former and of the latter.
    """
    xp, boxes = array_namespace(deltas), priors
    centres = boxes[:, :2] + deltas[:, :2] * variances[0] * boxes[:, 2:]
    sizes = boxes[:, 2:] * xp.exp(xp.clip(deltas[:, 2:] * variances[1], -_MOST_LOG, _MOST_LOG))
    return corners(xp.concat([centres, sizes], axis=1))


def pairs(value: Any, option: str) -> tuple[tuple[float, float], ...]:
    """Widths and heights from the user.

    Raises:
        ConfigError: It is no list of pairs of positive numbers; names the option.
    """
    try:
        found = tuple((float(width), float(height)) for width, height in value)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"option {option} is {value!r}; give a list of [width, height]") from error
    if not found or min(map(min, found)) <= 0:
        raise ConfigError(f"option {option} is {value!r}; widths and heights are above 0")
    return found
