"""One object as a light view of its row in the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headrace.meta.detections import rows_of
from headrace.meta.objects import ObjectTable
from headrace.meta.osd import Color, Font, Mask, Rect, TextParams
from headrace.meta.skeleton import Skeleton
from headrace.meta.user import ClassifierMetadata, MetaType, UserMetadata, embedding_of, of_type
from headrace.meta.views import TableRect

#: Longest label in characters (contract §4.4).
MAX_LABEL = 127

_BOX_KEYS = ("left", "top", "width", "height")


def _cell(column: str, doc: str) -> Any:
    def get(self: ObjectMetadata) -> Any:
        return self._table.columns[column].item(self._row)

    def put(self: ObjectMetadata, value: Any) -> None:
        self._table.columns[column][self._row] = value

    return property(get, put, doc=doc)


class ObjectMetadata:
    """An object of a batch (contract §4.4). Every field reads and writes the batch's table.

    Comes from `FrameMetadata.object_items` or `BatchMetadata.acquire_object_meta`; two views of one row are
    equal. Valid in the callback that got it: the buffer that owns the batch travels on.

    Example:
        >>> from headrace.meta import BatchMetadata
        >>> obj = BatchMetadata.new(1).acquire_object_meta()
        >>> obj.class_id, obj.rect_params.left = -1, 12.5
        >>> obj.class_id, obj.rect_params.left, obj.has_mask
        (4294967295, 12.5, False)
    """

    __slots__ = ("_row", "_table")
    _table: ObjectTable
    _row: int

    def __init__(self) -> None:
        raise TypeError("an ObjectMetadata comes from batch_meta.acquire_object_meta(), not from its class")

    @classmethod
    def _at(cls, table: ObjectTable, row: int) -> ObjectMetadata:
        view = object.__new__(cls)
        view._table, view._row = table, row
        return view

    @property
    def class_id(self) -> int:
        """Class of the object; unsigned, so that the -1 of a whole-frame classifier reads 4294967295."""
        number: int = self._table.columns["class_id"].item(self._row)
        return number & 0xFFFFFFFF

    @class_id.setter
    def class_id(self, value: int) -> None:
        self._table.set_cell("class_id", self._row, np.uint32(value & 0xFFFFFFFF).astype(np.int32))

    object_id = _cell("object_id", "Track id; 2**64-1 (`UNTRACKED`) before a tracker has seen the object.")
    unique_component_id = _cell("component_id", "Id of the element that made the object.")
    confidence = _cell("confidence", "Detector's confidence in 0-1.")
    tracker_confidence = _cell("tracker_confidence", "Tracker's confidence in 0-1.")

    @property
    def label(self) -> str:
        """Name of the class, up to 127 characters."""
        name: str = self._table.columns["label"].item(self._row)
        return name

    @label.setter
    def label(self, value: str) -> None:
        self._table.set_cell("label", self._row, str(value)[:MAX_LABEL])

    @property
    def rect_params(self) -> Rect:
        """Box and how it is drawn; a live reference."""
        return TableRect(self._table, self._row)

    @rect_params.setter
    def rect_params(self, value: Rect) -> None:
        TableRect(self._table, self._row).assign(value)

    @property
    def text_params(self) -> TextParams:
        """The drawn label, live. Reading it fixes what was derived from label, id and classifiers."""
        text = self._table.texts.get(self._row)
        if text is None:
            text = self._table.texts[self._row] = default_text(self._table, self._row)
        return text

    @text_params.setter
    def text_params(self, value: TextParams) -> None:
        self._table.texts[self._row] = value.copy()

    @property
    def mask_params(self) -> Mask:
        """Instance mask over the box; a live reference, empty when there is none."""
        return self._table.masks.setdefault(self._row, Mask())

    @mask_params.setter
    def mask_params(self, value: Mask) -> None:
        self._table.masks[self._row] = value.copy()

    @property
    def has_mask(self) -> bool:
        """Whether the object has an instance mask."""
        mask = self._table.masks.get(self._row)
        return mask is not None and mask.mask_array.size > 0

    @property
    def keypoints(self) -> NDArray[np.float32] | None:
        """``(k, 3)`` x, y in pixels of the frame and confidence in 0-1, live; ``None`` without. May be set."""
        skeleton = self._table.skeletons.get(self._row)
        return None if skeleton is None else skeleton.points

    @keypoints.setter
    def keypoints(self, value: ArrayLike) -> None:
        skeleton = self._table.skeletons.setdefault(self._row, Skeleton())
        skeleton.points = rows_of(value, "keypoints", 3)

    @property
    def skeleton(self) -> Skeleton | None:
        """Keypoints and the lines between them, live; ``None`` without."""
        return self._table.skeletons.get(self._row)

    @property
    def embedding(self) -> NDArray[np.float32] | None:
        """The latest of `obj_reid_items` as ``(d,)``, ``None`` without; it is shared: do not write to it."""
        return embedding_of(self._user_metas())

    @property
    def nv_bbox_info(self) -> dict[str, float]:
        """The tracker's unclipped box: left, top, width, height in pixels; a copy, assign a whole one to set it."""
        box = self._table.cell("tracker_box", self._row).tolist()
        return dict(zip(_BOX_KEYS, box, strict=True))

    @nv_bbox_info.setter
    def nv_bbox_info(self, value: Mapping[str, float]) -> None:
        self._table.set_cell("tracker_box", self._row, [value[key] for key in _BOX_KEYS])

    @property
    def parent(self) -> ObjectMetadata | None:
        """The object that this one is a part of."""
        row = int(self._table.cell("parent", self._row))
        return ObjectMetadata._at(self._table, row) if row >= 0 else None

    @property
    def classifier_items(self) -> Iterator[ClassifierMetadata]:
        """Classifier results, a new iterator each time."""
        return iter(list(self._table.classifiers.get(self._row, ())))

    @property
    def tensor_items(self) -> Iterator[UserMetadata]:
        """Raw model outputs (`UserMetadata.as_tensor_output`), a new iterator each time."""
        return of_type(self._user_metas(), MetaType.TENSOR_OUTPUT)

    @property
    def nvdsanalytics_obj_items(self) -> Iterator[UserMetadata]:
        """Analytics of the object (`UserMetadata.as_nvdsanalytics_obj`), a new iterator each time."""
        return of_type(self._user_metas(), MetaType.OBJ_ANALYTICS)

    @property
    def obj_reid_items(self) -> Iterator[UserMetadata]:
        """Re-identification vectors (`UserMetadata.as_obj_reid`), a new iterator each time."""
        return of_type(self._user_metas(), MetaType.TRACKER_OBJ_REID)

    def user_meta_items(self, meta_type: int) -> Iterator[UserMetadata]:
        """User metas of one type, a new iterator each time."""
        return of_type(self._user_metas(), meta_type)

    def append(self, meta: UserMetadata | ClassifierMetadata) -> None:
        """Attach a user or classifier meta.

        Raises:
            TypeError: Something else was given.
        """
        if isinstance(meta, UserMetadata):
            self._table.user.setdefault(self._row, []).append(meta)
        elif isinstance(meta, ClassifierMetadata):
            self._table.classifiers.setdefault(self._row, []).append(meta)
        else:
            raise TypeError(f"Invalid type for ObjectMetadata.append: {type(meta).__name__}")

    @property
    def extras(self) -> dict[str, Any]:
        """Anything else by name; values are copied with the object, by `copy.copy`."""
        return self._table.extras.setdefault(self._row, {})

    def _user_metas(self) -> list[UserMetadata]:
        return self._table.user.get(self._row, [])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ObjectMetadata):
            return NotImplemented
        return other._table is self._table and other._row == self._row

    def __hash__(self) -> int:
        return hash((id(self._table), self._row))

    def __repr__(self) -> str:
        return f"<ObjectMetadata {self.label or self.class_id} {self.confidence:.2f} {self.rect_params}>"


_WHITE, _BLACK = Color(1.0, 1.0, 1.0, 1.0), Color(0.0, 0.0, 0.0, 1.0)
_TEXT_SIZE = 11
_TEXT_RISE = 10


def text_of(table: ObjectTable, row: int) -> str:
    """What stands above an object unless somebody set its text: label, track id, classifier labels."""
    parts = [table.cell("label", row)]
    if table.cell("show_id", row):
        parts.append(str(int(table.cell("object_id", row))))
    for meta in table.classifiers.get(row, ()):
        parts.extend(label.label for label in meta.labels)
    return " ".join(part for part in parts if part)


def default_text(table: ObjectTable, row: int) -> TextParams:
    """The drawn label of an object whose text nobody has set: Serif 11, white on black, above the box."""
    text = text_of(table, row)
    if not text:
        return TextParams()
    left, top = np.nan_to_num(table.cell("rect", row)[:2])
    x, y = max(int(left), 0), max(int(top) - _TEXT_RISE, 0)
    return TextParams(text, x, y, Font(size=_TEXT_SIZE, color=_WHITE.copy()), True, _BLACK.copy())
