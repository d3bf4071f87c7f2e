"""NvDsObjectMeta: an object of a frame, a view of its row in the batch's table."""

from __future__ import annotations

from typing import Any

from headrace.compat.pyds.base import NvDsBaseMeta, spare_numbers
from headrace.compat.pyds.classifiers import NvDsClassifierMeta
from headrace.compat.pyds.columns import Columns
from headrace.compat.pyds.enums import NvDsMetaType
from headrace.compat.pyds.fields import text
from headrace.compat.pyds.handles import Handle, expect
from headrace.compat.pyds.lists import GList
from headrace.compat.pyds.osd import NvOSD_ColorParams, NvOSD_MaskParams, NvOSD_RectParams, NvOSD_TextParams
from headrace.compat.pyds.user import NvDsUserMeta
from headrace.meta.batch import BatchMetadata
from headrace.meta.object import MAX_LABEL, ObjectMetadata
from headrace.meta.views import TableColor, TableRect


def _unfit(column: str, value: Any, error: Exception) -> Exception:
    """What is said of a value that a column cannot hold, which the storage itself puts in terms of formats."""
    return type(error)(f"{column} takes a number in its range, not {value!r}")


def _cell(column: str) -> Any:
    """A value of the row; the check for moved storage is written out because this is the hot path."""

    def get(self: Any) -> Any:
        columns = self._c
        if columns.rows is not columns.table._rows:
            columns.refresh()
        return getattr(columns, column)[self._row]

    def put(self: Any, value: Any) -> None:
        columns = self._c
        if columns.rows is not columns.table._rows:
            columns.refresh()
        try:
            getattr(columns, column)[self._row] = value
        except (TypeError, ValueError) as error:
            raise _unfit(column, value, error) from error

    return property(get, put)


def _side(column: str, side: int) -> Any:
    """One number of a box or colour of the row."""

    def get(self: Any) -> float:
        columns = self._c
        if columns.rows is not columns.table._rows:
            columns.refresh()
        found: float = getattr(columns, column)[self._row, side]
        return found

    def put(self: Any, value: float) -> None:
        columns = self._c
        if columns.rows is not columns.table._rows:
            columns.refresh()
        try:
            getattr(columns, column)[self._row, side] = value
        except (TypeError, ValueError) as error:
            raise _unfit(column, value, error) from error

    return property(get, put)


class _Color(NvOSD_ColorParams):
    """A colour of an object's box."""

    __slots__ = ("_c", "_column", "_row")

    def __init__(self, columns: Columns, row: int, column: str) -> None:
        self._c, self._row, self._column = columns, row, column

    @property
    def _p(self) -> TableColor:
        return TableColor(self._c.table, self._row, self._column)

    def set(self, red: float, green: float, blue: float, alpha: float) -> None:
        """Write all four channels in place."""
        columns, row = self._c, self._row
        if columns.rows is not columns.table._rows:
            columns.refresh()
        channels = getattr(columns, self._column)
        channels[row, 0], channels[row, 1], channels[row, 2], channels[row, 3] = red, green, blue, alpha

    def _duplicate(self) -> NvOSD_ColorParams:
        return NvOSD_ColorParams(self._p.copy())


def _color(column: str) -> Any:
    def get(self: Any) -> _Color:
        return _Color(self._c, self._row, column)

    def put(self: Any, value: Any) -> None:
        color = expect(value, NvOSD_ColorParams, column)
        get(self).set(color.red, color.green, color.blue, color.alpha)

    return property(get, put)


class _Rect(NvOSD_RectParams):
    """The box of an object."""

    __slots__ = ("_c", "_row")

    def __init__(self, columns: Columns, row: int) -> None:
        self._c, self._row = columns, row

    left, top, width, height = _side("rect", 0), _side("rect", 1), _side("rect", 2), _side("rect", 3)
    border_color, bg_color = _color("border_color"), _color("bg_color")

    @property
    def _p(self) -> TableRect:
        return TableRect(self._c.table, self._row)

    def _duplicate(self) -> NvOSD_RectParams:
        return NvOSD_RectParams(self._p.copy())


def _edge(side: int) -> Any:
    def get(self: NvBbox_Coords) -> float:
        return float(self._c.table.cell(self._column, self._row)[side])

    def put(self: NvBbox_Coords, value: float) -> None:
        self._c.table.cell(self._column, self._row)[side] = value

    return property(get, put)


class NvBbox_Coords(Handle):
    """A box in pixels."""

    __slots__ = ("_c", "_column", "_row")

    def __init__(self, columns: Columns | None = None, row: int = 0, column: str = "detector_box") -> None:
        self._c, self._row = (columns, row) if columns else own_row()
        self._column = column

    left, top, width, height = _edge(0), _edge(1), _edge(2), _edge(3)


class NvDsComp_BboxInfo(Handle):
    """A component's own box of an object."""

    __slots__ = ("_coords",)

    def __init__(self, coords: NvBbox_Coords | None = None) -> None:
        self._coords = coords or NvBbox_Coords()

    @property
    def org_bbox_coords(self) -> NvBbox_Coords:
        """The box, live."""
        return self._coords

    @org_bbox_coords.setter
    def org_bbox_coords(self, value: NvBbox_Coords) -> None:
        box = expect(value, NvBbox_Coords, "org_bbox_coords")
        own = self._coords
        own.left, own.top, own.width, own.height = box.left, box.top, box.width, box.height


def _bbox_info(column: str) -> Any:
    def get(self: NvDsObjectMeta) -> NvDsComp_BboxInfo:
        return NvDsComp_BboxInfo(NvBbox_Coords(self._c, self._row, column))

    def put(self: NvDsObjectMeta, value: NvDsComp_BboxInfo) -> None:
        box = expect(value, NvDsComp_BboxInfo, "bbox_info")
        get(self).org_bbox_coords = box.org_bbox_coords

    return property(get, put)


class NvDsObjectMeta(Handle):
    """An object of a frame (pyds, §2.1); without arguments one that is in no batch."""

    __slots__ = ("_c", "_row")

    def __init__(self, columns: Columns | None = None, row: int = 0) -> None:
        if columns is None:
            columns, row = own_row()
        self._c, self._row = columns, row

    class_id = _cell("class_id")
    object_id = _cell("object_id")
    unique_component_id = _cell("component_id")
    confidence = _cell("confidence")
    tracker_confidence = _cell("tracker_confidence")
    detector_bbox_info = _bbox_info("detector_box")
    tracker_bbox_info = _bbox_info("tracker_box")
    misc_obj_info = spare_numbers("misc_obj_info")
    reserved = spare_numbers("reserved")

    def _extras(self) -> dict[str, Any]:
        return self._object.extras

    @property
    def _object(self) -> ObjectMetadata:
        return ObjectMetadata._at(self._c.table, self._row)

    @property
    def base_meta(self) -> NvDsBaseMeta:
        """Type of the meta, and its batch."""
        return NvDsBaseMeta(NvDsMetaType.NVDS_OBJ_META, self._c)

    @property
    def rect_params(self) -> NvOSD_RectParams:
        """Box and how it is drawn, live."""
        return _Rect(self._c, self._row)

    @rect_params.setter
    def rect_params(self, value: NvOSD_RectParams) -> None:
        self._object.rect_params = expect(value, NvOSD_RectParams, "rect_params")._p

    @property
    def text_params(self) -> NvOSD_TextParams:
        """The label that is drawn, live."""
        return NvOSD_TextParams(self._object.text_params)

    @text_params.setter
    def text_params(self, value: NvOSD_TextParams) -> None:
        self._object.text_params = expect(value, NvOSD_TextParams, "text_params")._p

    @property
    def mask_params(self) -> NvOSD_MaskParams:
        """Instance mask, live; empty when there is none."""
        return NvOSD_MaskParams(self._object.mask_params)

    @mask_params.setter
    def mask_params(self, value: NvOSD_MaskParams) -> None:
        self._object.mask_params = expect(value, NvOSD_MaskParams, "mask_params")._p

    @property
    def obj_label(self) -> str:
        """Name of the class, up to 127 characters."""
        columns = self._c
        if columns.rows is not columns.table._rows:
            columns.refresh()
        label: str = columns.label[self._row]
        return label

    @obj_label.setter
    def obj_label(self, value: str) -> None:
        self._c.table.set_cell("label", self._row, text(value)[:MAX_LABEL])

    @property
    def parent(self) -> NvDsObjectMeta | None:
        """The object that this one is a part of."""
        row = int(self._c.table.cell("parent", self._row))
        return NvDsObjectMeta(self._c, row) if row >= 0 else None

    @parent.setter
    def parent(self, value: NvDsObjectMeta | None) -> None:
        if value is not None and expect(value, NvDsObjectMeta, "parent")._c.table is not self._c.table:
            raise ValueError("the parent belongs to another batch")
        self._c.table.set_cell("parent", self._row, -1 if value is None else value._row)

    @property
    def classifier_meta_list(self) -> GList | None:
        """Results of classifiers."""
        return GList.of(
            self._c.table.classifiers.get(self._row, ()), lambda meta: NvDsClassifierMeta(meta, self._c)
        )

    @property
    def obj_user_meta_list(self) -> GList | None:
        """User metas of the object."""
        return GList.of(self._c.table.user.get(self._row, ()), lambda meta: NvDsUserMeta(meta, self._c))


def own_row() -> tuple[Columns, int]:
    """A row of a table that belongs to no buffer."""
    meta = BatchMetadata.new()
    row = meta.objects.add(1).start
    return Columns(meta), row
