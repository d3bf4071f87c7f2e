"""How tracked objects are turned, for frames in which nobody looked at them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.meta import Detections
from headrace.meta.turning import enclosing

Floats = NDArray[np.float32]


class TurnedShapes:
    """What trackers follow of a turned box is the upright box around it; this remembers the box inside.

    One for each source, used by one thread.

    Example:
        >>> shapes = TurnedShapes()
        >>> shapes.note(np.array([7]), np.array([[0, 0, 4, 2]], np.float32), np.array([90], np.float32))
        >>> found = shapes.inside(np.array([7]), Detections([[10, 10, 12, 14]]))
        >>> found.xyxy.tolist(), found.rotation.tolist()
        ([[9.0, 11.0, 13.0, 13.0]], [90.0])
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, Floats]] = {}

    def note(self, track_id: NDArray[np.int64], xyxy: Floats, rotation: Floats) -> None:
        """Remember the boxes that were seen, in place of those before.

        Args:
            track_id: ``(n,)`` their tracks.
            xyxy: ``(n, 4)`` before they are turned.
            rotation: ``(n,)`` degrees clockwise.
        """
        turned = np.flatnonzero(rotation)
        if not len(turned):
            self._known = {}
            return
        around = enclosing(xyxy[turned], rotation[turned])
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.nan_to_num((xyxy[turned, 2:] - xyxy[turned, :2]) / (around[:, 2:] - around[:, :2]))
        rows = zip(track_id[turned].tolist(), rotation[turned].tolist(), shares, strict=True)
        self._known = {number: (angle, share) for number, angle, share in rows}

    def inside(self, track_id: NDArray[np.int64], found: Detections) -> Detections:
        """Turned boxes in the place of the upright ones around them; objects without a memory stay upright."""
        if not self._known:
            return found
        upright = (0.0, np.ones(2, np.float32))
        angles, shares = zip(*(self._known.get(number, upright) for number in track_id.tolist()), strict=True)
        half = (found.xyxy[:, 2:] - found.xyxy[:, :2]) / 2 * np.array(shares, np.float32)
        centre = (found.xyxy[:, :2] + found.xyxy[:, 2:]) / 2
        boxes = np.hstack([centre - half, centre + half]).astype(np.float32)
        return Detections(boxes, found.confidence, found.class_id, rotation=np.array(angles, np.float32))
