"""The columns of a batch's object table as memory that is read and written item by item.

A NumPy column hands out a scalar in some 100 ns; a memoryview of it gives the Python number in 35. pyds programs read
every field of every object, so this is what makes them quick.
"""

from __future__ import annotations

from typing import Any

from headrace.meta.batch import BatchMetadata
from headrace.meta.objects import ObjectTable

_COLUMNS = (
    "class_id", "component_id", "object_id", "confidence", "tracker_confidence", "parent", "rect", "detector_box",
    "tracker_box", "border_width", "border_color", "has_bg_color", "bg_color",
)  # fmt: skip


class Columns:
    """One batch and its object table's columns; shared by all handles of the batch.

    Attributes:
        meta: The batch.
        table: Its objects.
        rows: The storage that the columns below are views of.
        label: Array of labels; the other columns are memoryviews, boxes and colours of two dimensions.
    """

    __slots__ = (*_COLUMNS, "label", "meta", "rows", "table")

    meta: BatchMetadata
    table: ObjectTable
    rows: Any
    label: Any
    class_id: memoryview
    component_id: memoryview
    object_id: memoryview
    confidence: memoryview
    tracker_confidence: memoryview
    parent: memoryview
    rect: Any
    detector_box: Any
    tracker_box: Any
    border_width: memoryview
    border_color: Any
    has_bg_color: memoryview
    bg_color: Any

    def __init__(self, meta: BatchMetadata) -> None:
        self.meta, self.table = meta, meta.objects
        self.refresh()

    def refresh(self) -> None:
        """Look at the table's storage again, after it has grown and moved."""
        rows = self.rows = self.table._rows
        self.label = rows["label"]
        for name in _COLUMNS:
            setattr(self, name, memoryview(rows[name]))  # type: ignore[arg-type, unused-ignore]
