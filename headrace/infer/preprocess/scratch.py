"""Memory for the pictures between a frame and a network's input."""

from __future__ import annotations

import math
import threading

import numpy as np
from numpy.typing import NDArray


class Scratch(threading.local):
    """Arrays that each thread uses again for frame after frame.

    New arrays of a picture's size often come from the kernel and go back to it each time, and it clears every page of
    them at its first use: that can take as long as all that is done with them.

    Example:
        >>> scratch = Scratch()
        >>> scratch.take("luma", (2, 3)).shape
        (2, 3)
    """

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[np.uint8]] = {}

    def take(self, name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """An array ``shape`` of uint8 with any contents, the calling thread's until it takes ``name`` again."""
        size = math.prod(shape)
        array = self._arrays.get(name)
        if array is None or array.size < size:
            array = self._arrays[name] = np.empty(size, np.uint8)
        return array[:size].reshape(shape)
