"""Regions of a frame that models are to look at, set by any element or probe upstream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.meta.user import MetaType, UserMetadata


class RegionsOfInterest(UserMetadata):
    """Where ``hrinfer regions=meta`` looks in a frame; append it to the frame.

    Args:
        xyxy: ``(n, 4)`` left, top, right, bottom in pixels of the frame; none means that there is nothing to look at.

    Raises:
        ValueError: The boxes are not ``(n, 4)``, or not finite.

    Example:
        >>> from headrace.meta import BatchMetadata
        >>> frame = BatchMetadata.new(1).frames[0]
        >>> frame.append(RegionsOfInterest([[100, 50, 900, 650]]))
        >>> regions_of_interest(frame.user).tolist()
        [[100.0, 50.0, 900.0, 650.0]]
    """

    __slots__ = ()

    def __init__(self, xyxy: Any = ()) -> None:
        boxes = np.asarray(xyxy, np.float32)
        boxes = boxes.reshape(0, 4) if not boxes.size else boxes
        if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
            raise ValueError(
                f"regions of interest have shape {boxes.shape}; give finite left, top, right, bottom of each, (n, 4)"
            )
        super().__init__(MetaType.REGIONS_OF_INTEREST, boxes)

    @property
    def xyxy(self) -> NDArray[np.float32]:
        """The regions, ``(n, 4)``."""
        boxes: NDArray[np.float32] = self.data
        return boxes


def regions_of_interest(items: Sequence[UserMetadata]) -> NDArray[np.float32] | None:
    """All regions among the user metas of a frame, ``(n, 4)``; ``None`` where nobody set any."""
    found = [item.xyxy for item in items if isinstance(item, RegionsOfInterest)]
    return np.concatenate(found) if found else None
