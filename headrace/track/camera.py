"""How a camera moved between two frames: sparse optical flow of corners, and the similarity that explains it best."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.frames import Frame, convert

Affine = NDArray[np.float64]

#: Longest side that is looked at, in pixels; corners are found as well on a small picture.
_SIDE = 480
_CORNERS = 300
#: With fewer corners that agree nothing is said.
_LEAST = 12


def luma(frame: Frame) -> NDArray[np.uint8]:
    """Brightness of a frame, ``(height, width)`` uint8, perhaps a view of the frame's memory."""
    plane = frame.planes[0] if frame.format in ("NV12", "I420") else convert(frame, "GRAY8").planes[0]
    return np.asarray(plane, np.uint8)


class CameraMotion:
    """Motion of one camera from frame to frame; keeps the last frame small, used by one thread.

    Pyramidal Lucas-Kanade flow (Bouguet, 2001) of corners (Shi and Tomasi, 1994), then a similarity by RANSAC, so
    that what moves by itself does not count.

    Example:
        >>> texture = np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8)
        >>> large = cv2.resize(texture, (480, 320), interpolation=cv2.INTER_CUBIC)
        >>> camera = CameraMotion()
        >>> camera.next(large[:240, :400]) is None
        True
        >>> camera.next(large[4:244, 6:406])[:, 2].round().tolist()
        [-6.0, -4.0]
    """

    def __init__(self) -> None:
        self._before: NDArray[np.uint8] | None = None

    def next(self, picture: NDArray[np.uint8]) -> Affine | None:
        """The motion since the frame before.

        Args:
            picture: Brightness, ``(height, width)``.

        Returns:
            ``(2, 3)``: where points of the frame before are now, in pixels; ``None`` for a first frame, one of another
            size than the one before, and where too little can be made out.
        """
        shrink = max(1.0, max(picture.shape) / _SIDE)
        size = (max(1, round(picture.shape[1] / shrink)), max(1, round(picture.shape[0] / shrink)))
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
        if small is picture or np.shares_memory(small, picture):
            small = small.copy()
        before, self._before = self._before, small
        if before is None or before.shape != small.shape:
            return None
        found = _similarity(before, small)
        if found is not None:
            found[:, 2] *= shrink
        return found


def _similarity(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> Affine | None:
    corners = cv2.goodFeaturesToTrack(before, _CORNERS, 0.01, 6)
    if corners is None or len(corners) < _LEAST:
        return None
    moved, good, _ = cv2.calcOpticalFlowPyrLK(before, now, corners, None)  # type: ignore[call-overload]
    kept = good.ravel() == 1
    if np.count_nonzero(kept) < _LEAST:
        return None
    cv2.setRNGSeed(0)  # the same frames give the same answer
    affine, agree = cv2.estimateAffinePartial2D(corners[kept], moved[kept], ransacReprojThreshold=2.0)
    if affine is None or np.count_nonzero(agree) < _LEAST:
        return None
    return np.asarray(affine, np.float64)
