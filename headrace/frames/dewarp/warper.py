"""Makes the views of a picture; where each pixel comes from is computed once for each size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.frames.dewarp import lens
from headrace.frames.dewarp.config import View
from headrace.frames.dewarp.projections import PROJECTIONS


class Warper:
    """One view of the pictures of one camera.

    Args:
        view: What is seen.

    Example:
        >>> import numpy as np
        >>> warper = Warper(View(projection_type=4, width=64, height=48, focal_length=(40.0, 40.0)))
        >>> warper.warp(np.zeros((80, 80, 3), np.uint8)).shape
        (48, 64, 3)
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self._size = (0, 0)
        self._maps: tuple[NDArray[Any], NDArray[Any]] = (np.empty(0), np.empty(0))

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of the view of a picture of this size."""
        return self.view.width or width, self.view.height or height

    def warp(self, picture: NDArray[np.uint8], nearest: bool = False) -> NDArray[np.uint8]:
        """The view of a picture.

        Args:
            picture: ``(H, W, C)`` or ``(H, W)``.
            nearest: Take the nearest pixel rather than a mixture of four.

        Returns:
            A new array of the view's size.
        """
        size = (picture.shape[1], picture.shape[0])
        if size != self._size:
            x, y = self.source_of(*size)
            places, parts = cv2.convertMaps(x.astype(np.float32), y.astype(np.float32), cv2.CV_16SC2)
            self._maps, self._size = (np.asarray(places), np.asarray(parts)), size
        how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
        wraps = PROJECTIONS[self.view.projection_type].camera is lens.equirectangular
        edge = cv2.BORDER_CONSTANT if self.view.cuda_address_mode == 1 else cv2.BORDER_REPLICATE
        warped = cv2.remap(
            picture, self._maps[0], self._maps[1], how, borderMode=cv2.BORDER_WRAP if wraps else edge
        )
        return np.asarray(warped, np.uint8)

    def source_of(self, width: int, height: int) -> tuple[lens.Array, lens.Array]:
        """Where in a picture of this size each pixel of the view comes from.

        Returns:
            x and y, each of the view's shape; far outside for what the camera cannot see.
        """
        camera, shape, _ = PROJECTIONS[self.view.projection_type]
        focal, centre = self._camera(width, height)
        (fx, fy), (x0, y0) = self._destination(focal, centre, (width, height))
        columns, rows = self.size(width, height)
        u, v = np.meshgrid((np.arange(columns) - x0) / fx, (np.arange(rows) - y0) / fy)
        rays = np.stack(shape(u, v, self.view.control), axis=-1) @ self.rotation().T
        x, y = camera((rays[..., 0], rays[..., 1], rays[..., 2]), self.view.distortion)
        far = 2.0 * max(width, height)  # more than that does not fit into OpenCV's maps
        x, y = x * focal[0] + centre[0], y * focal[1] + centre[1]
        return np.nan_to_num(x, nan=-far).clip(-far, far), np.nan_to_num(y, nan=-far).clip(-far, far)

    def rotation(self) -> lens.Array:
        """The matrix from rays of the view to rays of the camera, ``(3, 3)``."""
        view = self.view
        if view.rot_matrix:
            return np.array(view.rot_matrix).reshape(3, 3)
        angles = {"X": view.pitch, "Y": view.yaw, "Z": view.roll}
        turned = np.eye(3)
        for axis in view.rot_axes:
            turned = turned @ _turn(axis, math.radians(angles[axis]))
        return turned

    def _camera(self, width: int, height: int) -> tuple[Sequence[float], Sequence[float]]:
        """Focal lengths and principal point of the camera."""
        view, camera = self.view, PROJECTIONS[self.view.projection_type].camera
        centre = (view.src_x0 or (width - 1) / 2, view.src_y0 or (height - 1) / 2)
        if view.focal_length:
            return view.focal_length, centre
        if not view.src_fov:  # a panorama all around
            return (width / (2 * math.pi),) * 2, centre
        angle = np.radians(view.src_fov / 2)
        radius = (height if view.src_fov == 180 else height - 1) / 2
        reach = camera((np.zeros(1), np.sin([angle]), np.cos([angle])), view.distortion)[1]
        return (float(radius / reach[0]),) * 2, centre

    def _destination(
        self, focal: Sequence[float], centre: Sequence[float], size: tuple[int, int]
    ) -> tuple[Sequence[float], Sequence[float]]:
        """Focal lengths and principal point of the view."""
        view = self.view
        width, height = self.size(*size)
        middle = ((width - 1) / 2, (height - 1) / 2)
        if view.top_angle > view.bottom_angle:
            place = PROJECTIONS[view.projection_type].height
            top, bottom = place(math.radians(view.top_angle)), place(math.radians(view.bottom_angle))
            one = height / (top - bottom)
            focal, middle = (one, one), (middle[0], one * top - 0.5)
        else:
            # The same detail, and the same asymmetry.
            shift = (centre[0] - (size[0] - 1) / 2, centre[1] - (size[1] - 1) / 2)
            middle = (middle[0] + shift[0], middle[1] + shift[1])
        return view.dst_focal_length or focal, view.dst_principal_point or middle


def _turn(axis: str, angle: float) -> lens.Array:
    """Rotation about an axis: X lifts the view, Y turns it right, Z clockwise."""
    c, s = math.cos(angle), math.sin(angle)
    rows = {
        "X": [[1, 0, 0], [0, c, -s], [0, s, c]],
        "Y": [[c, 0, s], [0, 1, 0], [-s, 0, c]],
        "Z": [[c, -s, 0], [s, c, 0], [0, 0, 1]],
    }
    return np.array(rows[axis])
