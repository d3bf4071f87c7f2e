"""NvDsDisplayMeta: shapes on a frame, sixteen places of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, overload

from headrace.compat.pyds.base import NvDsBaseMeta, spare_numbers
from headrace.compat.pyds.columns import Columns
from headrace.compat.pyds.enums import NvDsMetaType
from headrace.compat.pyds.fields import unsigned
from headrace.compat.pyds.handles import Handle
from headrace.compat.pyds.osd import (
    NvOSD_ArrowParams,
    NvOSD_CircleParams,
    NvOSD_LineParams,
    NvOSD_RectParams,
    NvOSD_TextParams,
    View,
)
from headrace.meta.display import MAX_ELEMENTS, DisplayMetadata


class _Shown(list[Any]):
    """The shapes that are drawn, and behind them those that were filled but are not counted yet."""

    __slots__ = ("extras", "spare")

    def __init__(self, items: Iterable[Any]) -> None:
        super().__init__(items)
        self.spare: list[Any] = []
        self.extras: dict[str, Any] = {}

    def place(self, index: int, record: Callable[[], Any]) -> Any:
        """The shape at a place; made when it is first asked for."""
        if index < len(self):
            return self[index]
        spare = self.spare
        while len(spare) <= index - len(self):
            spare.append(record())
        return spare[index - len(self)]

    def show(self, number: int, record: Callable[[], Any]) -> None:
        """Draw this many of the shapes."""
        everything = [*self, *self.spare]
        while len(everything) < number:
            everything.append(record())
        self[:], self.spare = everything[:number], everything[number:]


class Places(Sequence[Any]):
    """Sixteen live references, each made when somebody looks at it."""

    __slots__ = ("_shown", "_view")

    def __init__(self, shown: _Shown, view: type[View]) -> None:
        self._shown, self._view = shown, view

    def __len__(self) -> int:
        return MAX_ELEMENTS

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(MAX_ELEMENTS))]
        if not -MAX_ELEMENTS <= index < MAX_ELEMENTS:
            raise IndexError(f"place {index} of {MAX_ELEMENTS}")
        return self._view(self._shown.place(index % MAX_ELEMENTS, self._view._record))

    def __repr__(self) -> str:
        return f"<{MAX_ELEMENTS} {self._view.__name__}>"


def _places(attribute: str, view: type[View]) -> Any:
    return property(lambda self: Places(self._list(attribute), view), doc="Sixteen places; live, read-only.")


def _count(attribute: str, view: type[View]) -> Any:
    def get(self: NvDsDisplayMeta) -> int:
        return len(getattr(self._p, attribute))

    def put(self: NvDsDisplayMeta, value: int) -> None:
        if unsigned(value) > MAX_ELEMENTS:
            raise ValueError(
                f"a display meta has {MAX_ELEMENTS} places, not {value}; acquire another one for more"
            )
        self._list(attribute).show(value, view._record)

    return property(get, put)


class NvDsDisplayMeta(Handle):
    """Up to sixteen each of boxes, texts, lines, arrows and circles (pyds, §2.1).

    What is filled in is drawn once it is counted, by ``num_labels`` and its kin; the order does not matter.
    """

    __slots__ = ("_columns", "_p")

    def __init__(self, meta: DisplayMetadata | None = None, columns: Columns | None = None) -> None:
        self._p = DisplayMetadata._new() if meta is None else meta
        self._columns = columns

    num_rects, rect_params = _count("rects", NvOSD_RectParams), _places("rects", NvOSD_RectParams)
    num_labels, text_params = _count("texts", NvOSD_TextParams), _places("texts", NvOSD_TextParams)
    num_lines, line_params = _count("lines", NvOSD_LineParams), _places("lines", NvOSD_LineParams)
    num_arrows, arrow_params = _count("arrows", NvOSD_ArrowParams), _places("arrows", NvOSD_ArrowParams)
    num_circles, circle_params = _count("circles", NvOSD_CircleParams), _places("circles", NvOSD_CircleParams)
    misc_osd_data = spare_numbers("misc_osd_data")
    reserved = spare_numbers("reserved")

    @property
    def base_meta(self) -> NvDsBaseMeta:
        """Type of the meta, and its batch."""
        return NvDsBaseMeta(NvDsMetaType.NVDS_DISPLAY_META, self._columns)

    def _list(self, attribute: str) -> _Shown:
        shapes = getattr(self._p, attribute)
        if not isinstance(shapes, _Shown):
            shapes = _Shown(shapes)
            setattr(self._p, attribute, shapes)
        return shapes

    def _extras(self) -> dict[str, Any]:
        return self._list("texts").extras
