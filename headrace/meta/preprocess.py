"""Tensors made ahead of a model, and the regions of frames that they show (contract: pyservicemaker §4.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headrace.frames.tensor import Tensor, as_tensor
from headrace.meta.frame import FrameMetadata
from headrace.meta.object import ObjectMetadata
from headrace.meta.osd import Rect
from headrace.meta.user import ClassifierMetadata, MetaType, UserMetadata, of_type

if TYPE_CHECKING:
    from headrace.meta.batch import BatchMetadata


@dataclass(slots=True)
class PreprocessTensorMetadata:
    """A tensor that is a model's input as it is.

    Attributes:
        name: The model's input that it is for.
        meta_id: Number that its maker gave it.
        tensor: The tensor; row ``i`` of its first axis belongs to region ``i``.

    Example:
        >>> PreprocessTensorMetadata("images", 0, Tensor(np.zeros((2, 3, 8, 8), np.float32))).tensor.shape
        (2, 3, 8, 8)
    """

    name: str = ""
    meta_id: int = 0
    tensor: Tensor = field(default_factory=Tensor)


@dataclass(slots=True)
class RoiMetadata:
    """A region of a frame that is one row of a tensor, and what a model found out about it.

    Attributes:
        roi: Left, top, width, height in pixels of the frame.
        frame_meta: The frame.
        object_meta: The object whose box the region is; ``None`` for a region of a frame.
        scale: Pixels of the network's input per pixel of the frame, across and down.
        offset: Column and row of the network's input where the region starts (after padding).
        classifiers: Classifications of the region.
        user: User metas of the region: `TensorOutput`, `Segmentation`, the user's own.

    Example:
        >>> from headrace.meta import BatchMetadata
        >>> frame = next(BatchMetadata.new(1).frame_items)
        >>> region = RoiMetadata(Rect(100, 50, 200, 100), frame, scale=(2.0, 2.0), offset=(0, 100))
        >>> region.to_frame(np.array([[20, 120, 60, 140]])).tolist()
        [[110.0, 60.0, 130.0, 70.0]]
    """

    roi: Rect
    frame_meta: FrameMetadata
    object_meta: ObjectMetadata | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[int, int] = (0, 0)
    classifiers: list[ClassifierMetadata] = field(default_factory=list)
    user: list[UserMetadata] = field(default_factory=list)

    @classmethod
    def of_row(
        cls,
        batch: BatchMetadata,
        frame: int,
        box: tuple[float, float, float, float],
        row: int = -1,
        scale: tuple[float, float] = (1.0, 1.0),
        offset: tuple[int, int] = (0, 0),
    ) -> RoiMetadata:
        """A region of a frame, or with ``row`` of an object, given by their numbers.

        Args:
            batch: Their batch.
            frame: Position of the frame in it.
            box: Left, top, width, height in pixels of the frame.
            row: Row of the object in the batch's table, -1 for none.
            scale: See `scale`.
            offset: See `offset`.
        """
        item = ObjectMetadata._at(batch.objects, row) if row >= 0 else None
        return cls(Rect(*box), batch.frames[frame], item, scale, offset)

    @property
    def row(self) -> int:
        """Row of the object in the batch's table, -1 for a region of a frame."""
        return _row(self.object_meta)

    @property
    def classifier_items(self) -> Iterator[ClassifierMetadata]:
        """Classifications of the region, a new iterator each time."""
        return iter(list(self.classifiers))

    @property
    def tensor_items(self) -> Iterator[UserMetadata]:
        """Raw model outputs for the region (`UserMetadata.as_tensor_output`), a new iterator each time."""
        return of_type(self.user, MetaType.TENSOR_OUTPUT)

    @property
    def segmentation_items(self) -> Iterator[UserMetadata]:
        """Segmentations of the region (`UserMetadata.as_segmentation`), a new iterator each time."""
        return of_type(self.user, MetaType.SEGMENTATION)

    def to_frame(self, xyxy: NDArray[Any]) -> NDArray[np.float32]:
        """Boxes ``(n, 4)`` from pixels of the network's input to pixels of the frame, not clipped; a new array."""
        boxes = np.asarray(xyxy, np.float32).reshape(-1, 4)
        start = np.array([self.roi.left, self.roi.top] * 2, np.float32)
        moved = (boxes - np.array(self.offset * 2, np.float32)) / np.array(self.scale * 2, np.float32)
        return np.asarray(moved + start, np.float32)

    def _onto(self, frame: FrameMetadata, row: int) -> RoiMetadata:
        """A copy that belongs to another batch's frame, and object row (-1 for none)."""
        own = ObjectMetadata._at(frame.table, row) if row >= 0 else None
        classifiers = [meta.copy() for meta in self.classifiers]
        user = [meta.copy() for meta in self.user]
        return RoiMetadata(self.roi.copy(), frame, own, self.scale, self.offset, classifiers, user)


class PreprocessBatchUserMetadata(UserMetadata):
    """A tensor for a model further on, with its regions; a user meta of the batch.

    ``nvdspreprocess`` attaches one for each tensor, several if a batch has more regions than the network takes at
    once. Row ``i`` of the tensor shows ``regions[i]``. A tensor without regions has a row for each frame of the
    batch, in its order, the whole frame without padding. A model uses the tensors whose ``target_unique_ids``
    hold its own id.

    Attributes:
        preprocess_tensor_meta: The tensor.
        target_unique_ids: Ids of the elements that it is for.
        regions: Its regions, in the order of the tensor's rows.

    Example:
        >>> meta = PreprocessBatchUserMetadata()
        >>> meta.set_preprocessed_tensor("images", 0, 1, np.zeros((4, 3, 8, 8), np.float32))
        >>> meta.as_preprocess_batch().preprocess_tensor_meta.tensor.shape, meta.target_unique_ids
        ((4, 3, 8, 8), (1,))
    """

    __slots__ = ("preprocess_tensor_meta", "regions", "target_unique_ids")

    def __init__(
        self,
        tensor_meta: PreprocessTensorMetadata | None = None,
        target_unique_ids: Sequence[int] = (),
        regions: Sequence[RoiMetadata] = (),
    ) -> None:
        super().__init__(MetaType.PREPROCESS_BATCH)
        self.preprocess_tensor_meta = tensor_meta or PreprocessTensorMetadata()
        self.target_unique_ids = tuple(target_unique_ids)
        self.regions = list(regions)

    @property
    def rois(self) -> Iterator[RoiMetadata]:
        """The regions, a new iterator each time."""
        return iter(list(self.regions))

    def set_preprocessed_tensor(self, name: str, meta_id: int, unique_id: int, tensor: Any) -> None:
        """Put a tensor in; its memory is shared, not copied.

        Args:
            name: The model's input that it is for.
            meta_id: Any number.
            unique_id: The element that it is for; added to `target_unique_ids`.
            tensor: A `Tensor`, or anything in host memory that speaks DLPack.

        Raises:
            FrameError: The tensor is none, or not in host memory.
        """
        self.preprocess_tensor_meta = PreprocessTensorMetadata(name, meta_id, as_tensor(tensor))
        if unique_id not in self.target_unique_ids:
            self.target_unique_ids += (unique_id,)

    def extract(self, max_items: int) -> list[dict[str, Any] | None]:
        """The regions as plain data, by their number.

        Args:
            max_items: Length of the list; regions beyond it are left out.

        Returns:
            For each region ``shape`` (height and width of the frame), ``bboxes`` (left, top, right, bottom of the
            region), ``probs`` and ``labels`` of its classifications, ``seg_maps`` and ``timestamp`` in ns; ``None``
            where there is no region.
        """
        rows: list[dict[str, Any] | None] = [_as_dict(region) for region in self.regions[:max_items]]
        return rows + [None] * (max_items - len(rows))

    def as_preprocess_batch(self) -> PreprocessBatchUserMetadata:
        """This meta itself."""
        return self

    def onto(
        self,
        batch: BatchMetadata,
        frames: Sequence[int] | None = None,
        rows: NDArray[np.intp] | None = None,
    ) -> PreprocessBatchUserMetadata:
        """A copy for a copy of the batch; see `UserMetadata.onto`. Boxes stay those in the original frames."""
        old = self.preprocess_tensor_meta
        tensor, kept = old.tensor, list(self.regions)
        if frames is not None:
            here = [i for i, region in enumerate(kept) if region.frame_meta._row in frames]
            keep = here if kept else list(frames)
            tensor = Tensor(tensor.numpy()[keep], tensor.format) if tensor else tensor
            kept = [kept[i] for i in keep] if kept else []
        moved = []
        for region in kept:
            frame = batch.frames[region.frame_meta._row if frames is None else 0]
            moved.append(region._onto(frame, _row_in_copy(region.object_meta, rows)))
        meta = PreprocessTensorMetadata(old.name, old.meta_id, tensor)
        return PreprocessBatchUserMetadata(meta, self.target_unique_ids, moved)

    def copy(self) -> PreprocessBatchUserMetadata:
        """A meta of its own over the same tensor and frames."""
        regions = [region._onto(region.frame_meta, _row(region.object_meta)) for region in self.regions]
        return PreprocessBatchUserMetadata(self.preprocess_tensor_meta, self.target_unique_ids, regions)


def _row(item: ObjectMetadata | None) -> int:
    return -1 if item is None else item._row


def _row_in_copy(item: ObjectMetadata | None, rows: NDArray[np.intp] | None) -> int:
    """Where an object's row is in a table that holds ``rows`` only; -1 when it is left out."""
    row = _row(item)
    if row < 0 or rows is None:
        return row
    place = int(np.searchsorted(rows, row))
    return place if place < len(rows) and rows[place] == row else -1


def _as_dict(region: RoiMetadata) -> dict[str, Any]:
    box, frame = region.roi, region.frame_meta
    labels = [label for meta in region.classifiers for label in meta.labels]
    return {
        "shape": [frame.pipeline_height, frame.pipeline_width],
        "bboxes": [[box.left, box.top, box.left + box.width, box.top + box.height]],
        "probs": [label.prob for label in labels],
        "labels": [[label.label for label in labels]],
        "seg_maps": [item.data.class_map for item in region.segmentation_items],
        "timestamp": frame.buffer_pts,
    }
