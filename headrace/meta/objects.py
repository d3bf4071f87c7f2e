"""The objects of a batch as one table of NumPy columns."""

from __future__ import annotations

import copy as copying
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.meta.osd import Mask, TextParams
from headrace.meta.skeleton import Skeleton

#: `object_id` of an object that no tracker has seen.
UNTRACKED = 2**64 - 1

#: `border_width` of an object whose border nobody has set: the overlay draws it in its default style.
DEFAULT_BORDER = -1.0

ACQUIRED, ATTACHED, REMOVED = 0, 1, 2

_BOX = (np.float32, (4,))

#: One row per object. Boxes are left, top, width, height in pixels of the frame; colours are RGBA in 0–1.
OBJECT_ROW = np.dtype(
    [
        ("frame", np.int32),  # row in the batch's list of frames, -1 before it is appended to one
        ("state", np.int32),  # ACQUIRED, ATTACHED or REMOVED
        ("class_id", np.int32),
        ("component_id", np.int32),  # `unique_component_id`: the element that made it
        ("object_id", np.uint64),
        ("confidence", np.float32),
        ("tracker_confidence", np.float32),
        ("parent", np.int32),  # row of the parent object, -1 for none
        ("rect", *_BOX),
        ("detector_box", *_BOX),
        ("tracker_box", *_BOX),
        ("rotation", np.float32),
        ("border_width", np.float32),
        ("border_color", *_BOX),
        ("has_bg_color", np.bool_),
        ("bg_color", *_BOX),
        ("show_id", np.bool_),  # the overlay appends the object id to the label
        ("label", np.object_),
    ],
    align=True,  # single cells are read faster, and through memoryviews at all
)


#: What each column holds if nobody says; 0 where it is not named below.
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(OBJECT_ROW.names or (), 0),
    "frame": -1,
    "parent": -1,
    "object_id": UNTRACKED,
    "border_width": DEFAULT_BORDER,
    "label": "",
}
_INITIAL_ROWS = 64
_POOL_LIMIT = 64
# Larger tables are rare: keeping them would hold memory for nothing.
_POOLED_ROWS = 4096
_pool: list[NDArray[np.void]] = []
# References to a table nobody else looks at: the local name and getrefcount's own argument.
_UNSHARED = 2


class Columns(dict[str, NDArray[Any]]):
    """The columns of some rows by name, made when they are first asked for: a lookup costs a fifth of making one."""

    __slots__ = ("rows",)

    def __init__(self, rows: NDArray[np.void]) -> None:
        self.rows = rows

    def __missing__(self, name: str) -> NDArray[Any]:
        column: NDArray[Any] = self.rows[name]
        self[name] = column
        return column


class ObjectTable:
    """Columns of all objects in a batch; rows are added at the end and never move.

    Columns are read as views (``table.column("class_id")``), written in one assignment by `add`. A removed
    row stays where it is, marked. Growing past the capacity moves the storage: a view taken before then no
    longer sees what is written after. Storage is recycled when the table is dropped, unless somebody still
    holds a view of it.
    Not locked: one thread at a time, as a buffer travels.

    Example:
        >>> import numpy as np
        >>> table = ObjectTable()
        >>> rows = table.add(2, frame=0, class_id=[2, 0], rect=[[0, 0, 9, 9], [5, 5, 2, 2]])
        >>> table.column("class_id").tolist(), table.rows_of(0).tolist()
        ([2, 0], [0, 1])
    """

    __slots__ = ("_rows", "classifiers", "columns", "extras", "masks", "n", "skeletons", "texts", "user")

    def __init__(self) -> None:
        self._use(_storage())
        self.n = 0
        #: What only few objects have, by row.
        self.texts: dict[int, TextParams] = {}
        self.masks: dict[int, Mask] = {}
        self.skeletons: dict[int, Skeleton] = {}
        self.classifiers: dict[int, list[Any]] = {}
        self.user: dict[int, list[Any]] = {}
        #: Anything else, by row and name; values are copied with the row, by `copy.copy`.
        self.extras: dict[int, dict[str, Any]] = {}

    def _use(self, rows: NDArray[np.void]) -> None:
        self._rows = rows
        #: Whole columns, rows beyond the last included, for code that reads or writes single cells often.
        self.columns = Columns(rows)

    def __len__(self) -> int:
        return self.n

    def add(self, count: int, **columns: Any) -> slice:
        """Add rows with default values, then set the given columns.

        Args:
            count: Number of rows.
            **columns: Column name to one value or an array of `count` values. Rows that name a ``frame`` are
                attached to it at once.

        Returns:
            The new rows as a slice.
        """
        start, end = self.n, self.n + count
        if end > len(self._rows):
            self._grow(end)
        rows = self._rows[start:end]
        # Column by column: whole rows, which hold objects, are three times slower.
        for name, values in (_DEFAULTS | columns).items():
            rows[name] = values
        if "frame" in columns:
            rows["state"] = ATTACHED
        self.n = end
        return slice(start, end)

    def _grow(self, needed: int) -> None:
        bigger = np.empty(max(needed, 2 * len(self._rows)), OBJECT_ROW)
        bigger[: self.n] = self._rows[: self.n]
        self._use(bigger)

    def column(self, name: str) -> NDArray[Any]:
        """A column of all rows, removed ones included, as a writable view of length ``len(self)``."""
        return self.columns[name][: self.n]

    def cell(self, name: str, row: int) -> Any:
        """One value as a Python object, or a row of a box column as a view."""
        return self.columns[name][row]

    def set_cell(self, name: str, row: int, value: Any) -> None:
        """Write one value."""
        self.columns[name][row] = value

    def rows_of(self, frame: int) -> NDArray[np.intp]:
        """Rows of the objects attached to a frame, in the order they were added."""
        n, columns = self.n, self.columns
        return np.flatnonzero((columns["frame"][:n] == frame) & (columns["state"][:n] == ATTACHED))

    def attached(self) -> NDArray[np.intp]:
        """Rows of all attached objects."""
        return np.flatnonzero(self.column("state") == ATTACHED)

    def remove(self, rows: NDArray[np.intp] | Sequence[int] | int) -> None:
        """Mark rows as removed: they keep their place and are no longer listed or drawn."""
        self.columns["state"][rows] = REMOVED

    def fork(self) -> ObjectTable:
        """A copy that shares nothing that can be written."""
        copy = ObjectTable()
        if self.n > len(copy._rows):
            copy._use(np.empty(len(self._rows), OBJECT_ROW))
        copy._rows[: self.n] = self._rows[: self.n]
        copy.n = self.n
        for row in {*self.texts, *self.masks, *self.skeletons, *self.classifiers, *self.user, *self.extras}:
            self._copy_extras(copy, row, row)
        return copy

    def select(self, rows: NDArray[np.intp]) -> ObjectTable:
        """A new table with copies of these rows, in this order; parents that are left out become none."""
        copy = ObjectTable()
        if len(rows) > len(copy._rows):
            copy._use(np.empty(len(rows), OBJECT_ROW))
        copy._rows[: len(rows)] = self._rows[rows]
        copy.n = len(rows)
        place = np.full(self.n + 1, -1, np.int32)  # one more, for the parent -1
        place[rows] = np.arange(len(rows), dtype=np.int32)
        copy.column("parent")[:] = place[copy.column("parent")]
        for new, old in enumerate(rows.tolist()):
            self._copy_extras(copy, old, new)
        return copy

    def _copy_extras(self, copy: ObjectTable, old: int, new: int) -> None:
        if old in self.texts:
            copy.texts[new] = self.texts[old].copy()
        if old in self.masks:
            copy.masks[new] = self.masks[old].copy()
        if old in self.skeletons:
            copy.skeletons[new] = self.skeletons[old].copy()
        if old in self.classifiers:
            copy.classifiers[new] = [meta.copy() for meta in self.classifiers[old]]
        if old in self.user:
            copy.user[new] = [meta.copy() for meta in self.user[old]]
        if old in self.extras:
            copy.extras[new] = copied(self.extras[old])

    def __del__(self) -> None:
        rows = self._rows
        del self._rows, self.columns
        if sys.getrefcount(rows) == _UNSHARED and len(_pool) < _POOL_LIMIT and len(rows) <= _POOLED_ROWS:
            _pool.append(rows)


def _storage() -> NDArray[np.void]:
    try:
        return _pool.pop()  # no look before: another thread may take the last one in between
    except IndexError:
        return np.empty(_INITIAL_ROWS, OBJECT_ROW)


def copied(extras: Mapping[str, Any]) -> dict[str, Any]:
    """Extras for a copy of what they belong to: each value by `copy.copy`."""
    return {name: copying.copy(value) for name, value in extras.items()}
