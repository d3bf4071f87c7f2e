"""NvDsBaseMeta, and the spare numbers that many metas carry."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from headrace.compat.pyds.columns import Columns
from headrace.compat.pyds.enums import NvDsMetaType, enum_value
from headrace.compat.pyds.handles import Handle

if TYPE_CHECKING:
    from headrace.compat.pyds.batch import NvDsBatchMeta


class NvDsBaseMeta(Handle):
    """Type of a meta, and the batch that it belongs to.

    Args:
        meta_type: The type.
        columns: The batch, ``None`` for none.
        assign: Takes a new type over; without it the type cannot be changed.
    """

    __slots__ = ("_assign", "_columns", "_type")

    def __init__(
        self,
        meta_type: NvDsMetaType = NvDsMetaType.NVDS_INVALID_META,
        columns: Columns | None = None,
        assign: Callable[[int], None] | None = None,
    ) -> None:
        self._type, self._columns, self._assign = meta_type, columns, assign

    uContext = property(lambda _self: None, doc="Context of the user; never set here.")

    @property
    def meta_type(self) -> NvDsMetaType:
        """What kind of meta it is."""
        return self._type

    @meta_type.setter
    def meta_type(self, value: NvDsMetaType) -> None:
        self._type = enum_value(NvDsMetaType, value, "meta_type")
        if self._assign is not None:
            self._assign(int(value))

    @property
    def batch_meta(self) -> NvDsBatchMeta | None:
        """The batch."""
        from headrace.compat.pyds.batch import NvDsBatchMeta

        return None if self._columns is None else NvDsBatchMeta(self._columns)


SPARE = 4


def spare_numbers(name: str) -> Any:
    """Four integers for user code, zero at first; made when somebody asks, kept with what they belong to.

    Args:
        name: Of the field; the handle tells through ``_extras()`` the dictionary that keeps it.
    """

    def get(self: Any) -> Any:
        extras = self._extras()
        found = extras.get(name)
        if found is None:
            found = extras[name] = np.zeros(SPARE, np.int64)
        return found

    def put(self: Any, values: Any) -> None:
        get(self)[:] = values

    return property(get, put)
