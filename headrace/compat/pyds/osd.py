"""Shapes of the overlay (pyds, §2.2) as views of `headrace.meta.osd` records."""

from __future__ import annotations

from typing import Any

import numpy as np

from headrace.compat.pyds.enums import NvOSD_Arrow_Head_Direction, NvOSD_Mode, enum_value
from headrace.compat.pyds.fields import (
    EnumField,
    Field,
    PointerField,
    Struct,
    number,
    part,
    pointed_text,
    shown,
    text,
    unsigned,
    whole_field,
)
from headrace.compat.pyds.handles import Capsule, Handle
from headrace.meta.osd import Arrow, ArrowHead, Circle, Color, Font, FontFamily, Line, Mask, Rect, TextParams


def unused() -> Any:
    """A field that nothing here looks at, such as ids of colours: always 0, whatever is written."""
    return property(lambda _self: 0, lambda _self, value: None)


class View(Handle):
    """A handle on one of the overlay's records; without one it has a record of its own, all zero."""

    __slots__ = ("_p",)
    _record: type[Any] = Color
    _p: Any

    def __init__(self, record: Any = None) -> None:
        self._p = self._record() if record is None else record

    def _duplicate(self) -> View:
        return type(self)(self._p.copy())


class NvOSD_ColorParams(View):
    """A colour, every channel 0–1."""

    __slots__ = ()
    red, green, blue, alpha = shown("r", number), shown("g", number), shown("b", number), shown("a", number)

    def set(self, red: float, green: float, blue: float, alpha: float) -> None:
        """Write all four channels in place."""
        self.red, self.green, self.blue, self.alpha = red, green, blue, alpha


class NvOSD_FontParams(View):
    """Family, size and colour of letters."""

    __slots__ = ()
    _record = Font
    font_size = shown("size", unsigned)
    font_color = part("color", NvOSD_ColorParams)

    @property
    def font_name(self) -> int:
        """Address of the family's name; `str` when written."""
        name = self._p.name
        if isinstance(name, FontFamily):
            self._p.name = name.name
        return int(_font_name(self))

    @font_name.setter
    def font_name(self, name: str) -> None:
        self._p.name = text(name)


_font_name = pointed_text("name").fget


class NvOSD_TextParams(View):
    """A text and where it stands."""

    __slots__ = ()
    _record = TextParams
    display_text = pointed_text("display_text")
    x_offset, y_offset = shown("x_offset", unsigned), shown("y_offset", unsigned)
    font_params = part("font_params", NvOSD_FontParams)
    set_bg_clr = shown("set_bg_clr", unsigned)
    text_bg_clr = part("text_bg_clr", NvOSD_ColorParams)


class NvOSD_RectParams(View):
    """A box in pixels, with border and filling."""

    __slots__ = ()
    _record = Rect
    left, top, width, height = (shown(name, number) for name in ("left", "top", "width", "height"))
    border_width = shown("border_width", unsigned)
    border_color = part("border_color", NvOSD_ColorParams)
    has_bg_color = shown("has_bg_color", unsigned)
    bg_color = part("bg_color", NvOSD_ColorParams)
    has_color_info, color_id, reserved = unused(), unused(), unused()


class NvOSD_LineParams(View):
    """A line from one point to another, in pixels."""

    __slots__ = ()
    _record = Line
    x1, y1, x2, y2 = (shown(name, unsigned) for name in ("x1", "y1", "x2", "y2"))
    line_width = shown("width", unsigned)
    line_color = part("color", NvOSD_ColorParams)


class NvOSD_ArrowParams(View):
    """A line with a head."""

    __slots__ = ()
    _record = Arrow
    x1, y1, x2, y2 = (shown(name, unsigned) for name in ("x1", "y1", "x2", "y2"))
    arrow_width = shown("width", unsigned)
    arrow_color = part("color", NvOSD_ColorParams)
    reserved = unused()

    @property
    def arrow_head(self) -> NvOSD_Arrow_Head_Direction:
        """Where the head is."""
        return NvOSD_Arrow_Head_Direction(int(self._p.head))

    @arrow_head.setter
    def arrow_head(self, value: NvOSD_Arrow_Head_Direction) -> None:
        self._p.head = ArrowHead(enum_value(NvOSD_Arrow_Head_Direction, value, "arrow_head"))


class NvOSD_CircleParams(View):
    """A circle, in pixels."""

    __slots__ = ()
    _record = Circle
    xc, yc, radius = (shown(name, unsigned) for name in ("xc", "yc", "radius"))
    circle_color = part("color", NvOSD_ColorParams)
    has_bg_color = shown("has_bg_color", unsigned)
    bg_color = part("bg_color", NvOSD_ColorParams)
    reserved = unused()


def _side(axis: int) -> Any:
    def get(self: NvOSD_MaskParams) -> int:
        return int(self._p.mask_array.shape[axis])

    def put(self: NvOSD_MaskParams, value: int) -> None:
        array, shape = self._p.mask_array, list(self._p.mask_array.shape)
        if unsigned(value) == shape[axis]:
            return
        shape[axis] = value
        # One row is what `size` allocates: its scores stay when the sides turn out to fit.
        if array.shape[0] == 1 and array.size and value and array.size % value == 0:
            shape[1 - axis] = array.size // value
            self._p.mask_array = array.reshape(shape)
        else:
            self._p.mask_array = np.zeros(shape, np.float32)

    return property(get, put)


class NvOSD_MaskParams(View):
    """An instance mask over a box: float32 scores, row by row.

    Setting width or height makes a new mask of that size with all scores zero; setting ``size`` makes one row, which
    width and height may fold.
    """

    __slots__ = ()
    _record = Mask
    threshold = shown("threshold", number)
    height, width = _side(0), _side(1)

    @property
    def size(self) -> int:
        """Bytes of the scores."""
        return int(self._p.mask_array.nbytes)

    @size.setter
    def size(self, value: int) -> None:
        if unsigned(value) != self.size:
            self._p.mask_array = np.zeros((1, value // 4), np.float32)

    @property
    def data(self) -> Capsule | None:
        """The scores as a pointer for `get_ptr`, ``None`` without a mask."""
        return Capsule(self._dense()) if self.size else None

    def get_mask_array(self) -> Any:
        """The scores as a flat float32 array, live; ``reshape(height, width)`` gives the picture."""
        return self._dense().reshape(-1)

    def alloc_mask_array(self) -> Any:
        """The scores again: setting width and height has made room for them."""
        return self._dense().reshape(-1)

    def _dense(self) -> Any:
        array = self._p.mask_array
        if not (array.flags.c_contiguous and array.flags.writeable and array.dtype == np.float32):
            array = self._p.mask_array = np.array(array, np.float32, order="C")
        return array


class NvOSD_Color_info(Struct):
    """A colour by its id."""

    __slots__ = ()
    id = whole_field()
    color: Any = PointerField()


class _FrameParams(Struct):
    __slots__ = ()
    buf_ptr: Any = PointerField()
    mode: Any = EnumField(NvOSD_Mode)


def _frame_params(name: str, plural: str, singular: str) -> type[Struct]:
    """The low-level list of shapes of a frame; described, but nothing takes it."""
    fields = {
        "__slots__": (), "__doc__": f"The {plural} of a frame.", "__module__": __name__, f"num_{plural}": whole_field(),
        f"{singular}_params_list": Field(lambda value: value, None),
    }  # fmt: skip
    return type(name, (_FrameParams,), fields)


NvOSD_FrameTextParams = _frame_params("NvOSD_FrameTextParams", "strings", "text")
NvOSD_FrameRectParams = _frame_params("NvOSD_FrameRectParams", "rects", "rect")
NvOSD_FrameLineParams = _frame_params("NvOSD_FrameLineParams", "lines", "line")
NvOSD_FrameArrowParams = _frame_params("NvOSD_FrameArrowParams", "arrows", "arrow")
NvOSD_FrameCircleParams = _frame_params("NvOSD_FrameCircleParams", "circles", "circle")
