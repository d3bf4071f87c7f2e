"""Dense motion between a source's frames: DIS optical flow (Kroeger et al., ECCV 2016) as OpenCV has it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.frames import Frame, convert

#: Pixels of a block, across and down.
GRID = 4
#: For each preset: by how much frames are shrunk first, and OpenCV's own preset.
_PRESETS = (
    (4, cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST),
    (2, cv2.DISOPTICAL_FLOW_PRESET_FAST),
    (1, cv2.DISOPTICAL_FLOW_PRESET_FAST),
)
#: Below this many pixels on a side DIS has no patches to compare: smaller frames are enlarged.
_LEAST_SIDE = 32


class FlowEstimator:
    """Motion of blocks of 4x4 pixels; keeps the last frame of one source, used by one thread.

    Args:
        preset: 0 fast, 1 medium, 2 slow.

    Raises:
        ConfigError: No such preset.

    Example:
        >>> picture = np.random.default_rng(0).integers(0, 255, (64, 96), np.uint8)
        >>> estimator = FlowEstimator(2)
        >>> estimator.next(Frame.from_array(picture, "GRAY8")) is None
        True
        >>> estimator.next(Frame.from_array(picture, "GRAY8")).shape
        (16, 24, 2)
    """

    def __init__(self, preset: int = 0) -> None:
        if preset not in range(len(_PRESETS)):
            raise ConfigError(f"preset-level is {preset}; use 0 fast, 1 medium or 2 slow")
        self._shrink, own = _PRESETS[preset]
        self._algorithm = cv2.DISOpticalFlow.create(own)
        self._before: NDArray[np.uint8] | None = None

    def next(self, frame: Frame) -> NDArray[np.float32] | None:
        """The motion since the frame before.

        Args:
            frame: Any format; only its luma is looked at.

        Returns:
            ``(ceil(height / 4), ceil(width / 4), 2)`` float32 in pixels of the frame; ``None`` for a first frame, or
            one of another size than the one before.
        """
        now = self._small(frame)
        before, self._before = self._before, now
        if before is None or before.shape != now.shape:
            return None
        flow = self._algorithm.calc(before, now, None)  # type: ignore[call-overload]
        blocks = (-(-frame.width // GRID), -(-frame.height // GRID))
        means = cv2.resize(flow, blocks, interpolation=cv2.INTER_AREA)
        return np.asarray(means * (frame.width / now.shape[1], frame.height / now.shape[0]), np.float32)

    def _small(self, frame: Frame) -> NDArray[np.uint8]:
        """Luma in the size that is worked on, in memory of its own."""
        luma = frame.planes[0] if frame.format in ("NV12", "I420") else convert(frame, "GRAY8").planes[0]
        size = [max(side // self._shrink, _LEAST_SIDE) for side in (frame.width, frame.height)]
        small = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
        return np.array(small, np.uint8)
