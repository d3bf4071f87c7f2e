"""NvDsClassifierMeta and NvDsLabelInfo: what classifiers say of an object."""

from __future__ import annotations

from typing import Any

from headrace.compat.pyds.base import NvDsBaseMeta
from headrace.compat.pyds.columns import Columns
from headrace.compat.pyds.enums import NvDsMetaType
from headrace.compat.pyds.fields import number, pointed_text, shown, text, unsigned, whole
from headrace.compat.pyds.handles import Handle
from headrace.compat.pyds.lists import GList
from headrace.meta.object import MAX_LABEL
from headrace.meta.user import ClassifierMetadata, Label


class NvDsLabelInfo(Handle):
    """One result of a classifier."""

    __slots__ = ("_columns", "_p")

    def __init__(self, label: Label | None = None, columns: Columns | None = None) -> None:
        self._p = Label("") if label is None else label
        self._columns = columns

    num_classes = shown("num_classes", unsigned)
    result_label = shown("label", lambda value: text(value)[:MAX_LABEL])
    pResult_label = pointed_text("label")
    result_class_id = shown("class_id", unsigned)
    label_id = shown("label_id", unsigned)
    result_prob = shown("prob", number)

    @property
    def base_meta(self) -> NvDsBaseMeta:
        """Type of the meta, and its batch."""
        return NvDsBaseMeta(NvDsMetaType.NVDS_LABEL_INFO_META, self._columns)


class NvDsClassifierMeta(Handle):
    """The results of one classifier for one object."""

    __slots__ = ("_columns", "_p")

    def __init__(self, meta: ClassifierMetadata | None = None, columns: Columns | None = None) -> None:
        self._p = ClassifierMetadata(0) if meta is None else meta
        self._columns = columns

    unique_component_id = shown("unique_component_id", whole)

    @property
    def base_meta(self) -> NvDsBaseMeta:
        """Type of the meta, and its batch."""
        return NvDsBaseMeta(NvDsMetaType.NVDS_CLASSIFIER_META, self._columns)

    @property
    def num_labels(self) -> int:
        """Number of results; counted, so that writing it changes nothing."""
        return self._p.n_labels

    @num_labels.setter
    def num_labels(self, value: int) -> None:
        unsigned(value)

    @property
    def label_info_list(self) -> GList | None:
        """The results."""
        return GList.of(self._p.labels, self._label)

    def _label(self, label: Any) -> NvDsLabelInfo:
        return NvDsLabelInfo(label, self._columns)
