"""What a model looks at in a batch: whole frames, regions of them, objects, and tiles of any of these.

The frame is an object too: a target is a frame, the row of an object in it (or none) and a box. The functions here list
targets; everything after them, packing, running and writing back, is the same for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headrace.infer.slices import Region
from headrace.infer.targets.tiles import TileOptions, tile_boxes

Boxes = NDArray[np.float32]
Rows = NDArray[np.intp]
#: Row of a target that is no object.
NO_OBJECT = -1


@dataclass(frozen=True, slots=True)
class Targets:
    """What a model looks at; entry ``i`` of every array is one picture.

    Attributes:
        frame: ``(n,)`` position of the frame in the batch.
        row: ``(n,)`` row of the object in the batch's table, -1 for the frame itself.
        xyxy: ``(n, 4)`` float32, in pixels of the frame.
        parts: Whether several pictures may show one frame or object, so that their results are merged.

    Example:
        >>> sizes = np.array([[64, 48], [32, 24]], np.float32)
        >>> whole_frames(sizes).regions(sizes)
        [None, None]
        >>> tiled(whole_frames(sizes), TileOptions((48, 48), 0.5, whole=False)).xyxy.tolist()
        [[0.0, 0.0, 48.0, 48.0], [16.0, 0.0, 64.0, 48.0], [0.0, 0.0, 32.0, 24.0]]
    """

    frame: Rows
    row: Rows
    xyxy: Boxes
    parts: bool = False

    def __len__(self) -> int:
        return len(self.frame)

    def regions(self, sizes: NDArray[np.float32]) -> list[Region | None]:
        """What to cut out of each frame; ``None`` where the box covers all of it.

        Args:
            sizes: ``(frames, 2)`` width and height of the batch's frames.
        """
        limit = sizes[self.frame]
        within = np.hstack([self.xyxy[:, :2] <= 0, self.xyxy[:, 2:] >= limit])
        whole = np.asarray(within.all(axis=1)).tolist()
        pairs = zip(self.xyxy.tolist(), whole, strict=True)
        return [None if all_of_it else (box[0], box[1], box[2], box[3]) for box, all_of_it in pairs]


def whole_frames(sizes: NDArray[np.float32], frames: Rows | None = None) -> Targets:
    """Frames as they are.

    Args:
        sizes: ``(frames, 2)`` width and height of the batch's frames.
        frames: Which of them; ``None`` for all.
    """
    chosen = np.arange(len(sizes)) if frames is None else frames
    limit = sizes[chosen].astype(np.float32)
    return Targets(chosen, np.full(len(chosen), NO_OBJECT), np.hstack([np.zeros_like(limit), limit]))


def frame_regions(frame: Rows, xyxy: Boxes) -> Targets:
    """Regions of frames, whose results are merged frame by frame; widened to whole pixels, even ones at the start."""
    boxes = np.hstack([np.floor(xyxy[:, :2] / 2) * 2, np.ceil(xyxy[:, 2:])])
    return Targets(frame, np.full(len(frame), NO_OBJECT), boxes.astype(np.float32), parts=True)


def objects(frame: Rows, row: Rows, ltwh: Boxes) -> Targets:
    """Boxes of objects, left, top, width, height."""
    return Targets(frame, row, np.hstack([ltwh[:, :2], ltwh[:, :2] + ltwh[:, 2:]]))


def tiled(targets: Targets, options: TileOptions) -> Targets:
    """Every target as overlapping tiles, those of one target one after the other."""
    boxes, of = tile_boxes(targets.xyxy, options)
    return replace(targets, frame=targets.frame[of], row=targets.row[of], xyxy=boxes, parts=True)
