"""Correlation filters that find objects in pixels: all filters of a frame learn and search in one FFT.

A filter answers a bump over the middle of the patch that it has learnt (MOSSE, Bolme et al., 2010), here over three
channels, brightness and its two derivatives, with one denominator (DSST, Danelljan et al., 2014).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Spectra = NDArray[np.complex64]

#: Side of a patch in cells, and by how much it is wider and higher than the box.
SIDE, CONTEXT = 32, 2.0
CHANNELS = 3
#: Width of the wanted bump in cells, what keeps division tame, and the share of the latest sighting.
_BUMP, _TAME, _RATE = 1.5, 0.01, 0.2

_at = np.arange(SIDE) - SIDE // 2
_bump = np.exp(-(_at[:, None] ** 2 + _at**2) / (2 * _BUMP**2))
_WANTED: Spectra = np.fft.rfft2(np.fft.ifftshift(_bump)).astype(np.complex64)
_WINDOW = (np.hanning(SIDE)[:, None] * np.hanning(SIDE)).astype(np.float32)
_ROWS = SIDE // 2 + 1


def spectra(picture: NDArray[np.uint8], boxes: NDArray[np.float64]) -> Spectra:
    """What is seen around boxes.

    Args:
        picture: Brightness, ``(height, width)``; beyond its edge the edge goes on.
        boxes: ``(4, n)`` in pixels of the picture, centre form.

    Returns:
        ``(n, 3, 32, 17)`` complex64.
    """
    patches = np.empty((boxes.shape[1], SIDE, SIDE), np.float32)
    for patch, (x, y, width, height) in zip(patches, boxes.T.tolist(), strict=True):
        step_x, step_y = width * CONTEXT / SIDE, height * CONTEXT / SIDE
        affine = np.array([[step_x, 0, x - step_x * SIDE / 2], [0, step_y, y - step_y * SIDE / 2]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        patch[:] = cv2.warpAffine(picture, affine, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    layers = np.empty((len(patches), CHANNELS, SIDE, SIDE), np.float32)
    layers[:, 0] = patches
    layers[:, 1] = np.gradient(patches, axis=1)
    layers[:, 2] = np.gradient(patches, axis=2)
    layers -= layers.mean((2, 3), keepdims=True)
    layers *= _WINDOW
    layers /= np.sqrt(np.square(layers).sum((2, 3), keepdims=True)) + 1e-3
    return np.fft.rfft2(layers).astype(np.complex64)


class Filters:
    """The filters of tracks, by number.

    Example:
        >>> picture = cv2.resize(np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8), (480, 320))
        >>> box = np.array([[200.0, 150, 40, 60]]).T
        >>> filters = Filters()
        >>> filters.learn([7], spectra(picture, box))
        >>> shift, sure = filters.find([7], spectra(picture, box + [[-10], [7.5], [0], [0]]))
        >>> (shift * box[2:].T).tolist(), bool(sure[0] > 0.25)
        ([[10.0, -7.5]], True)
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Spectra, NDArray[np.float32]]] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._known

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, numbers: list[int], seen: Spectra) -> None:
        """Take what is seen where the objects are; a new number gets a new filter."""
        above = _WANTED * seen.conj()
        below = np.square(np.abs(seen)).sum(1)
        for number, more, weight in zip(numbers, above, below, strict=True):
            known = self._known.get(number)
            if known is not None:
                more = known[0] + _RATE * (more - known[0])
                weight = known[1] + _RATE * (weight - known[1])
            self._known[number] = (more, weight)

    def find(self, numbers: list[int], seen: Spectra) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where the objects are in what is seen around the places where they are expected.

        Returns:
            How far they are from there, ``(n, 2)`` across and down in shares of the box; and how sure that is, 0-1:
            the answer's energy, the square of its peak.
        """
        above = np.stack([self._known[number][0] for number in numbers])
        below = np.stack([self._known[number][1] for number in numbers])
        answer = np.fft.irfft2((above * seen).sum(1) / (below + _TAME), s=(SIDE, SIDE))
        flat = answer.reshape(len(numbers), -1)
        best = flat.argmax(1)
        place = np.stack([best % SIDE, best // SIDE], 1)
        cells = (place + SIDE // 2) % SIDE - SIDE // 2
        peak = np.clip(flat[np.arange(len(numbers)), best], 0, 1)
        return cells * (CONTEXT / SIDE), np.square(peak, dtype=np.float64)

    def keep(self, numbers: set[int]) -> None:
        """Drop the filters of all others."""
        if len(self._known) > len(numbers):
            self._known = {number: known for number, known in self._known.items() if number in numbers}
