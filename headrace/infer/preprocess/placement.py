"""Where a frame lies inside a network's input, and the way back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headrace.infer.masks import cut_masks
from headrace.infer.preprocess.options import PreprocessOptions
from headrace.meta.detections import Detections
from headrace.meta.outputs import Segmentation

#: Of a scaled side in pixels.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Placement:
    """A frame of ``frame_size`` drawn at ``left``, ``top`` with ``size`` inside a network's input.

    Attributes:
        frame_size: Width and height of the frame in pixels.
        size: Width and height in network pixels that the frame was scaled to.
        left: First network column that holds the frame.
        top: First network row that holds the frame.

    Example:
        >>> placement = place((1920, 1080), (640, 640), PreprocessOptions())
        >>> placement.size, placement.top
        ((640, 360), 140)
        >>> placement.to_frame(np.array([[0, 140, 320, 9999]], np.float32)).tolist()
        [[0.0, 0.0, 960.0, 1080.0]]
    """

    frame_size: tuple[int, int]
    size: tuple[int, int]
    left: int
    top: int

    @property
    def scale(self) -> tuple[float, float]:
        """Network pixels per frame pixel, across and down."""
        return self.size[0] / self.frame_size[0], self.size[1] / self.frame_size[1]

    def to_frame(self, xyxy: NDArray[np.float32], clip: bool = True) -> NDArray[np.float32]:
        """Boxes ``(n, 4)`` from network pixels to frame pixels, clipped to the frame unless told not to.

        Returns:
            A new array.
        """
        boxes = np.asarray(xyxy, np.float32).reshape(-1, 4)
        offset = np.array([self.left, self.top] * 2, np.float32)
        boxes = np.asarray((boxes - offset) / np.array(self.scale * 2, np.float32), np.float32)
        return boxes.clip(0, np.array(self.frame_size * 2, np.float32)) if clip else boxes

    def detections_to_frame(self, found: Detections, clip: bool = True) -> Detections:
        """Detections from network pixels to frame pixels, turned boxes and keypoints included.

        Upright boxes are clipped to the frame, their masks with them, and left out where nothing is left of them,
        unless ``clip`` is false. Turned ones are not; what stretching does to them says `stretched`.
        """
        scale = self.frame_size[0] / self.size[0], self.frame_size[1] / self.size[1]
        placed = found.mapped(scale, (-self.left * scale[0], -self.top * scale[1]))
        if placed.rotation is not None or not clip:
            return placed
        whole, placed.xyxy = placed.xyxy, placed.xyxy.clip(0, np.array(self.frame_size * 2, np.float32))
        left, top, right, bottom = placed.xyxy.T
        seen = (right > left) & (bottom > top)
        if np.count_nonzero(seen) < len(seen):
            whole, placed = whole[seen], placed[seen]
        if placed.masks is not None:
            placed.masks = cut_masks(placed.masks, whole, placed.xyxy)
        return placed

    def points_to_frame(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points ``(…, 3)``, x, y and confidence, from network pixels to frame pixels; a new array."""
        offset = np.array([self.left, self.top, 0], np.float32)
        return np.asarray((points - offset) / np.array([*self.scale, 1], np.float32), np.float32)

    def segmentation_to_frame(self, found: Segmentation, network_size: tuple[int, int]) -> Segmentation:
        """A map over a network's input of ``(width, height)`` without what lies beside the frame; a view."""
        across, down = found.width / network_size[0], found.height / network_size[1]
        left, right = round(self.left * across), round((self.left + self.size[0]) * across)
        top, bottom = round(self.top * down), round((self.top + self.size[1]) * down)
        part = np.s_[top : max(bottom, top + 1), left : max(right, left + 1)]
        chances = found.class_probabilities_map
        return replace(
            found,
            class_map=found.class_map[part],
            class_probabilities_map=chances[part] if chances.size else chances,
        )

    def to_network(self, xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Boxes ``(n, 4)`` from frame pixels to network pixels; a new array."""
        boxes = np.asarray(xyxy, np.float32).reshape(-1, 4)
        scale = np.array(self.scale * 2, np.float32)
        return (boxes * scale + np.array([self.left, self.top] * 2, np.float32)).astype(np.float32)


def boxes_to_frames(
    corners: NDArray[np.float32], counts: Sequence[int], placements: Sequence[Placement]
) -> NDArray[np.float32]:
    """Upright boxes of a batch from network pixels to those of their frames, as `Placement.detections_to_frame`.

    Args:
        corners: ``(4, n)`` left, top, right, bottom, frame by frame.
        counts: Boxes of each frame.
        placements: Of each frame; quicker where all are the same object.

    Returns:
        ``(4, n)``, clipped to the frames; of some boxes nothing may be left. A new array.
    """
    alike = all(one is placements[0] for one in placements)
    one_by_one = [_factors(one) for one in (placements[:1] if alike else placements)]
    table = np.array(one_by_one)[:, :, None]
    if not alike:
        table = np.repeat(table[:, :, 0], counts, axis=0).T[None]
    scale, offset, most = table[0, :2], table[0, 2:4], table[0, 4:]
    placed: NDArray[np.float64] = corners.reshape(2, 2, -1) * scale
    placed += offset
    np.maximum(placed, 0, out=placed)
    np.minimum(placed, most, out=placed)
    return placed.astype(np.float32).reshape(4, -1)


def _factors(placement: Placement) -> tuple[float, ...]:
    """Frame pixels for each network pixel across and down, their offset, and the frame's size."""
    width, height = placement.frame_size
    across, down = width / placement.size[0], height / placement.size[1]
    return across, down, -placement.left * across, -placement.top * down, width, height


def place(
    frame_size: tuple[int, int], network_size: tuple[int, int], options: PreprocessOptions
) -> Placement:
    """Where a frame of a size goes in a network's input of a size, both ``(width, height)``.

    Sizes are rounded as the families' own code does it: down for ``topleft`` (YOLOX), to the nearest
    for ``centre`` (YOLOv5 and later, whose odd row of padding goes below and to the right).
    """
    if options.resize == "stretch":
        return Placement(frame_size, network_size, 0, 0)
    ratio = min(network_size[0] / frame_size[0], network_size[1] / frame_size[1])
    fit = int if options.padding == "topleft" else round
    width, height = (max(1, fit(side * ratio)) for side in frame_size)
    if options.padding == "topleft":
        return Placement(frame_size, (width, height), 0, 0)
    left, top = (network_size[0] - width) // 2, (network_size[1] - height) // 2
    return Placement(frame_size, (width, height), left, top)


def least_size(
    frame_size: tuple[int, int], network_size: tuple[int, int], step: int, options: PreprocessOptions
) -> tuple[int, int]:
    """The least size of a network's input that shows a frame just as an input of ``network_size`` does.

    What goes is padding, in whole steps: the frame keeps its scale, and lies on the same cells of the network's maps
    as before. Centred frames lose as many steps on either side.

    Args:
        frame_size: Width and height in pixels.
        network_size: The same of the whole input; multiples of ``step``.
        step: Pixels for each cell of the network's coarsest map.
        options: Resizing and padding.

    Example:
        >>> least_size((1920, 1080), (640, 640), 32, PreprocessOptions())
        (640, 384)
        >>> place((1920, 1080), (640, 640), PreprocessOptions()).top  # 12 and four steps of 32
        140
        >>> place((1920, 1080), (640, 384), PreprocessOptions()).top
        12
    """
    if options.resize == "stretch":
        return network_size
    ratio = min(network_size[0] / frame_size[0], network_size[1] / frame_size[1])
    unit = step if options.padding == "topleft" else 2 * step
    used = (math.ceil(side * ratio - _ROUNDING) for side in frame_size)
    width, height = (
        whole - max(whole - part, 0) // unit * unit for whole, part in zip(network_size, used, strict=True)
    )
    return width, height
