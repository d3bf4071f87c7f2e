"""Memory for the pictures between a frame and a network's input."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray


class Scratch:
    """Arrays that are used again for frame after frame, by whichever thread is at work on one.

    New arrays of a picture's size often come from the kernel and go back to it each time, and it clears every page of
    them at its first use: that can take as long as all that is done with them. A set for each thread would lie idle
    while its thread waits for the network; so sets are lent, the one that was used last first.

    Example:
        >>> scratch = Scratch()
        >>> with scratch.lent():
        ...     scratch.take("luma", (2, 3)).shape
        (2, 3)
    """

    def __init__(self) -> None:
        self._idle: deque[dict[str, NDArray[np.uint8]]] = deque()
        self._thread = threading.local()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Have arrays for the calling thread; what `take` gives is another thread's afterwards."""
        try:
            arrays = self._idle.pop()
        except IndexError:
            arrays = {}
        self._thread.arrays = arrays
        try:
            yield
        finally:
            del self._thread.arrays
            self._idle.append(arrays)

    def take(self, name: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        """An array ``shape`` of uint8 with any contents, until ``name`` is taken again; within `lent` only."""
        arrays: dict[str, NDArray[np.uint8]] = self._thread.arrays
        size = math.prod(shape)
        array = arrays.get(name)
        if array is None or array.size < size:
            array = arrays[name] = np.empty(size, np.uint8)
        return array[:size].reshape(shape)


#: That of all preprocessing.
scratch = Scratch()
