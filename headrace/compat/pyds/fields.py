"""Fields of pyds structures: what may be assigned to them, and where the values are kept.

`integer`, `real`, `flag` and `part` show an attribute of the headrace object behind a handle (its ``_p``); the classes
derived from `Field` keep values of a structure that has no such object (`Struct`).
"""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any, TypeVar

from headrace.compat.pyds.enums import CEnum, enum_value
from headrace.compat.pyds.handles import Handle, as_data, as_stored, expect
from headrace.compat.pyds.memory import Block, hand_over, held

_Struct = TypeVar("_Struct", bound="Struct")


def whole(value: Any) -> int:
    """An integer; no float, as C++ has it.

    Raises:
        TypeError: Something else.
    """
    return index(value)


def unsigned(value: Any) -> int:
    """An integer that is not negative.

    Raises:
        TypeError: Something else.
    """
    number = index(value)
    if number < 0:
        raise TypeError(f"this field is unsigned; {number} is negative")
    return number


def number(value: Any) -> float:
    """A float.

    Raises:
        TypeError: No number.
    """
    if isinstance(value, str | bytes):
        raise TypeError(f"this field takes a number, not {value!r}")
    return float(value)


def text(value: Any) -> str:
    """A text.

    Raises:
        TypeError: Something else.
    """
    if not isinstance(value, str):
        raise TypeError(f"this field takes a str, not a {type(value).__name__}")
    return value


def shown(name: str, check: Callable[[Any], Any]) -> Any:
    """A property that reads and writes an attribute of ``self._p``."""

    def get(self: Any) -> Any:
        return getattr(self._p, name)

    def put(self: Any, value: Any) -> None:
        setattr(self._p, name, check(value))

    return property(get, put)


def part(name: str, view: Callable[[Any], Handle]) -> Any:
    """A property that shows an object inside ``self._p`` as a live handle; assigning copies."""

    def get(self: Any) -> Handle:
        return view(getattr(self._p, name))

    def put(self: Any, value: Any) -> None:
        expect(value, view, name)  # type: ignore[arg-type]  # a class, called to make a view
        setattr(self._p, name, value._p.copy())

    return property(get, put)


def pointed_text(name: str) -> Any:
    """A C string: the address of its bytes when read (see `memory.held`), a `str` when written."""

    def get(self: Any) -> int:
        value = getattr(self._p, name)
        if not value:
            return 0
        kept = held(value)
        if kept is not value:
            setattr(self._p, name, kept)
        return kept.address

    def put(self: Any, value: Any) -> None:
        setattr(self._p, name, text(value))

    return property(get, put)


class Field:
    """A value of a `Struct`."""

    default: Any = None

    def __init__(self, check: Callable[[Any], Any], default: Any = None) -> None:
        self.check, self.default = check, default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, struct: Any, owner: type | None = None) -> Any:
        return self if struct is None else self.read(struct._values)

    def __set__(self, struct: Any, value: Any) -> None:
        struct._values[self.name] = self.check(value)

    def read(self, values: dict[str, Any]) -> Any:
        """The value as user code sees it."""
        return values.get(self.name, self.default)


def whole_field() -> Any:
    """An integer of a `Struct`, 0 at first."""
    return Field(whole, 0)


def number_field() -> Any:
    """A float of a `Struct`, 0 at first."""
    return Field(number, 0.0)


def flag_field() -> Any:
    """A bool of a `Struct`, false at first."""
    return Field(bool, False)


def chars_field(size: int) -> Any:
    """``char[size]`` of a `Struct`: a `str` both ways, cut off behind ``size - 1`` bytes."""

    def check(value: Any) -> str:
        return text(value).encode()[: size - 1].decode("utf-8", "ignore")

    return Field(check, "")


def value_field(kind: type, default: Any) -> Any:
    """A list, dict or `str` of a `Struct`, kept as it is.

    Args:
        kind: Its type.
        default: What it is at first; lists and dicts are made anew.
    """

    def check(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError(f"this field takes a {kind.__name__}, not a {type(value).__name__}")
        return value

    return Field(check, default)


class EnumField(Field):
    """A member of an enumeration."""

    def __init__(self, kind: type[CEnum]) -> None:
        super().__init__(lambda value: enum_value(kind, value, self.name), kind(0))


class TextField(Field):
    """``char *``: an address when read, a `str` when written."""

    def __init__(self) -> None:
        super().__init__(text, "")

    def read(self, values: dict[str, Any]) -> int:
        """The address, 0 when nothing was written."""
        value = values.get(self.name)
        if not value:
            return 0
        values[self.name] = kept = held(value)
        return kept.address


class BufferField(Field):
    """A buffer: its address both ways; the structure owns it from then on."""

    def __init__(self) -> None:
        super().__init__(lambda value: hand_over(whole(value)), None)

    def read(self, values: dict[str, Any]) -> int:
        """The address, 0 for none."""
        block: Block | None = values.get(self.name)
        return 0 if block is None else block.address


class PointerField(Field):
    """``void *`` or a pointer to a structure: a handle or capsule both ways."""

    def __init__(self) -> None:
        super().__init__(as_stored, None)

    def read(self, values: dict[str, Any]) -> Any:
        """What it points to, ``None`` for nothing."""
        return as_data(values.get(self.name))


class PartField(Field):
    """A structure inside a structure: a live handle when read, copied when written."""

    def __init__(self, kind: Callable[[], Any]) -> None:
        super().__init__(lambda value: expect(value, kind, self.name)._duplicate(), None)  # type: ignore[arg-type]
        self.kind = kind

    def read(self, values: dict[str, Any]) -> Any:
        """The part; made when it is first asked for."""
        found = values.get(self.name)
        if found is None:
            found = values[self.name] = self.kind()
        return found


class Struct(Handle):
    """A structure that keeps its own values; zero at first.

    Example:
        >>> from headrace.compat.pyds import NvDsVehicleObject, get_string
        >>> car = NvDsVehicleObject()
        >>> car.color = "blue"
        >>> get_string(car.color), car.make
        ('blue', 0)
    """

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def _duplicate(self: _Struct) -> _Struct:
        copy = type(self)()
        copy._values = {name: _copied(value) for name, value in self._values.items()}
        return copy


def _copied(value: Any) -> Any:
    if isinstance(value, list | dict):
        return value.copy()
    if isinstance(value, Block):
        return Block(value.memory.raw[:-1], len(value.memory))
    return value
