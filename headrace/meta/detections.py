"""Detections: the noun that models return and trackers take, as parallel arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.meta.turning import stretched, turned_corners

#: Columns that only some models fill, in the order of the fields, and their shapes.
OPTIONAL_COLUMNS = {
    "masks": "(n, h, w)",
    "rotation": "(n,)",
    "keypoints": "(n, k, 3)",
    "embeddings": "(n, d)",
}


def _empty_ids() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(slots=True)
class Detections:
    """The objects found in one frame; row ``i`` of every array is one object.

    Attributes:
        xyxy: ``(n, 4)`` float32 corners left, top, right, bottom in pixels of the frame.
        confidence: ``(n,)`` float32 in 0–1; filled with ones when left out.
        class_id: ``(n,)`` int32 from 0; filled with zeros when left out.
        track_id: ``(n,)`` int64, -1 for an object without a track; filled with -1 when left out.
        masks: ``(n, h, w)`` float32 per-object masks over each box, or ``None``.
        rotation: ``(n,)`` float32 degrees clockwise on the screen, by which each box is turned about its centre,
            or ``None`` for upright boxes. ``xyxy`` is the box before it is turned.
        keypoints: ``(n, k, 3)`` float32 x, y in pixels of the frame and confidence in 0–1, or ``None``.
        embeddings: ``(n, d)`` float32 appearance or meaning of each object, or ``None``.

    Raises:
        ValueError: A column has another shape or length than these; the message names it.

    Tensors of torch may be given too, on any device.

    Example:
        >>> found = Detections([[10, 20, 50, 80]], confidence=[0.9], class_id=[2])
        >>> len(found), found[found.confidence > 0.95].xyxy.shape
        (1, (0, 4))
    """

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    class_id: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    track_id: NDArray[np.int64] = field(default_factory=_empty_ids)
    masks: NDArray[np.float32] | None = None
    rotation: NDArray[np.float32] | None = None
    keypoints: NDArray[np.float32] | None = None
    embeddings: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        self.xyxy = rows_of(self.xyxy, "xyxy", 4)
        n = len(self.xyxy)
        self.confidence = _column(self.confidence, n, np.float32, 1, "confidence")
        self.class_id = _column(self.class_id, n, np.int32, 0, "class_id")
        self.track_id = _column(self.track_id, n, np.int64, -1, "track_id")
        for name, shape in OPTIONAL_COLUMNS.items():
            values = getattr(self, name)
            if values is None:
                continue
            column = to_numpy(values, np.float32)
            if len(column) != n:
                raise ValueError(f"{name} has {len(column)} entries for {n} boxes; give one for each box")
            if column.ndim != len(shape.split(", ")) or (name == "keypoints" and column.shape[2] != 3):
                raise ValueError(f"{name} has the shape {column.shape}; expected {shape}")
            setattr(self, name, column)

    @classmethod
    def empty(cls) -> Detections:
        """No objects at all."""
        return Detections(np.empty((0, 4), np.float32))

    @staticmethod
    def joined(parts: Sequence[Detections]) -> Detections:
        """Detections one after the other; optional columns stay where all that are not empty have them in one shape."""
        filled = [part for part in parts if len(part)]
        if not filled:
            return Detections.empty()
        columns = {
            name: np.concatenate([getattr(part, name) for part in filled])
            for name in ("xyxy", "confidence", "class_id", "track_id")
        }
        for name in OPTIONAL_COLUMNS:
            values = [value for part in filled if (value := getattr(part, name)) is not None]
            if len(values) == len(filled) and len({value.shape[1:] for value in values}) == 1:
                columns[name] = np.concatenate(values)
        return Detections(**columns)

    def __len__(self) -> int:
        return len(self.xyxy)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp] | slice | list[int]) -> Detections:
        """The detections of the given rows (mask, index array or slice)."""
        optional = (getattr(self, name) for name in OPTIONAL_COLUMNS)
        return Detections(
            self.xyxy[rows], self.confidence[rows], self.class_id[rows], self.track_id[rows],
            *(None if column is None else column[rows] for column in optional),
        )  # fmt: skip

    def __iter__(self) -> Iterator[tuple[NDArray[np.float32], float, int, int]]:
        """Rows as ``(xyxy, confidence, class_id, track_id)``."""
        yield from zip(
            self.xyxy, self.confidence.tolist(), self.class_id.tolist(), self.track_id.tolist(), strict=True
        )

    @property
    def corners(self) -> NDArray[np.float64]:
        """``(n, 4, 2)`` corners as they are seen, turned boxes included: from the box's left top one, clockwise."""
        return turned_corners(self.xyxy, np.zeros(len(self)) if self.rotation is None else self.rotation)

    def mapped(
        self, scale: tuple[float, float] = (1.0, 1.0), offset: tuple[float, float] = (0.0, 0.0)
    ) -> Detections:
        """The same objects in another picture, where places are multiplied by ``scale``, then moved by ``offset``.

        Boxes, rotation and keypoints follow; masks lie over their boxes and stay as they are.
        """
        rotation, keypoints = self.rotation, self.keypoints
        if rotation is None:
            xyxy = (self.xyxy * np.array(scale * 2) + np.array(offset * 2)).astype(np.float32)
        else:
            xyxy, rotation = stretched(self.xyxy, rotation, scale, offset)
        if keypoints is not None:
            keypoints = (keypoints * np.array([*scale, 1]) + np.array([*offset, 0])).astype(np.float32)
        return Detections(
            xyxy,
            self.confidence,
            self.class_id,
            self.track_id,
            self.masks,
            rotation,
            keypoints,
            self.embeddings,
        )


def rows_of(values: Any, name: str, width: int) -> NDArray[np.float32]:
    """An array as rows of a number of values; a single row, and nothing at all, may lack the first axis.

    Raises:
        ValueError: It has another shape.
    """
    array = to_numpy(values, np.float32)
    if (array.ndim == 1 and array.size == width) or array.size == 0:
        return array.reshape(-1, width)
    if array.ndim != 2 or array.shape[1] != width:
        raise ValueError(f"{name} has the shape {array.shape}; expected (n, {width})")
    return array


def to_numpy(values: Any, dtype: Any) -> NDArray[Any]:
    """An array of any library as NumPy's; one of torch on another device is copied, one with a gradient detached."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype)


def _column(values: object, n: int, dtype: type[np.generic], default: float, name: str) -> NDArray[Any]:
    column = to_numpy(values, dtype)
    if column.shape == (n,):
        return column
    column = column.reshape(-1)
    if len(column) == 0 and n > 0:
        return np.full(n, default, dtype)
    if len(column) != n:
        raise ValueError(f"{name} has {len(column)} entries for {n} boxes; give one for each box")
    return column
