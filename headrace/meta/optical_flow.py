"""How the parts of a frame moved since the frame before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True, eq=False)
class OpticalFlow:
    """Motion of every block of a frame (contract: NvDsOpticalFlowMeta).

    Attributes:
        vectors: ``(rows, cols, 2)`` float32: pixels of the frame to the right and down, since the source's frame
            before.
        frame_number: The frame.

    Example:
        >>> flow = OpticalFlow(np.zeros((90, 160, 2), np.float32), 7)
        >>> flow.rows, flow.cols
        (90, 160)
    """

    vectors: NDArray[np.float32]
    frame_number: int = 0

    @property
    def rows(self) -> int:
        """Blocks from top to bottom."""
        return int(self.vectors.shape[0])

    @property
    def cols(self) -> int:
        """Blocks from left to right."""
        return int(self.vectors.shape[1])
