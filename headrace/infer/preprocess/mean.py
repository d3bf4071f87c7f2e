"""A picture of means that is subtracted from a network's input."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError


def read_mean_picture(path: str | Path, size: tuple[int, int], color: str) -> NDArray[np.float32]:
    """Means of every pixel, ``(h, w, channels)`` in 0–255.

    Args:
        path: A picture, such as a PPM file.
        size: Width and height that it must have.
        color: RGB, BGR or GRAY: the order of the channels.

    Raises:
        ConfigError: The file is no such picture.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR) if Path(path).is_file() else None
    if picture is None:
        raise ConfigError(f"mean-file {path} is no picture; give a PPM file of {size[0]}x{size[1]} pixels")
    if (picture.shape[1], picture.shape[0]) != size:
        raise ConfigError(
            f"mean-file {path} has {picture.shape[1]}x{picture.shape[0]} pixels; the network takes {size[0]}x{size[1]}"
        )
    if color != "BGR":
        picture = cv2.cvtColor(picture, getattr(cv2, f"COLOR_BGR2{color}"))
    return np.asarray(picture, np.float32).reshape(size[1], size[0], -1)
