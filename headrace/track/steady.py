"""A tracker that takes the camera's motion out of that of the objects, where it is given the frames."""

from __future__ import annotations

import numpy as np

from headrace.track.camera import CameraMotion, luma
from headrace.track.following import FRAME, Tracker
from headrace.track.motion import CENTRE, SIZE, VELOCITY, Array
from headrace.track.tracker import Sightings


class SteadyTracker(Tracker):
    """`Tracker` with camera-motion compensation; its state space must have the centre first, and sizes behind."""

    pixels = True

    def reset(self) -> None:
        """Forget every source and count; ids start at 1 again."""
        super().reset()
        self._cameras: dict[int, CameraMotion] = {}

    def forget(self, source: int, restart_ids: bool = False) -> None:
        """End all tracks of a source."""
        super().forget(source, restart_ids)
        self._cameras.pop(source, None)

    def _move(self, given: Sightings) -> None:
        for number, source in enumerate(given.sources if given.pictures is not None else ()):
            camera = self._cameras.setdefault(source, CameraMotion())
            affine = camera.next(luma(given.pictures[number]))  # type: ignore[index]
            mine = (self._info[FRAME] == number).nonzero()[0]
            if affine is not None and len(mine):
                self._carry(mine, affine[:, :2], affine[:, 2:])

    def _carry(self, tracks: np.ndarray[tuple[int], np.dtype[np.intp]], turn: Array, shift: Array) -> None:
        """Move tracks, and where they were seen, along with the picture."""
        state = self._state[:, tracks]
        scale = np.sqrt(abs(np.linalg.det(turn)))
        for rows in (CENTRE, slice(self._box.start, self._box.start + 2)):
            state[rows] = turn @ state[rows] + shift
        for rows in (SIZE, slice(self._box.start + 2, self._box.stop)):
            state[rows] *= scale
        speed = slice(VELOCITY.start, VELOCITY.start + 2)
        state[speed] = turn @ state[speed]
        self._state[:, tracks] = state
