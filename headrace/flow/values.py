"""Property values of elements as the contract converts them (§1.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gi.repository import GObject, Gst

from headrace import paths
from headrace.errors import PipelineError
from headrace.flow.objects.configurable import as_bool, as_int
from headrace.flow.playing.manners import OWN, Manners

_INT32, _UINT32, _UINT64 = 2**31, 2**32 - 1, 2**64 - 1


def find_property(element: Any, name: str) -> GObject.ParamSpec | None:
    """A property by name, with dashes or underscores."""
    return element.find_property(name.replace("_", "-")) or element.find_property(name)


def get_property(element: Gst.Element, name: str, manners: Manners = OWN) -> Any:
    """Value of a property: an enumeration as int, caps as text; ``None`` for one that is missing, with a word."""
    owner, spec = _owner(element, name)
    if spec is None:
        manners.warn(f"Property {name} is not supported by object {element.get_name()}")
        return None
    value = owner.get_property(spec.name)
    if isinstance(value, GObject.GEnum | GObject.GFlags):
        return int(value)
    return value.to_string() if isinstance(value, Gst.Caps) else value


def set_property(element: Gst.Element, name: str, value: Any, manners: Manners = OWN) -> None:
    """Set a property; unknown names are reported and ignored, ``None`` is skipped, a list is set item by item.

    A number out of the property's range and an unknown name of an enumeration are what GStreamer itself ignores:
    programs of pyservicemaker go on with a word about it.

    Raises:
        PipelineError: The value does not fit the property; says what would.
    """
    if isinstance(value, list | tuple):
        for item in value:
            set_property(element, name, item, manners)
        return
    if value is None:
        return
    owner, spec = _owner(element, name)
    if spec is None:
        manners.warn(f"Property {name} is not supported by object {element.get_name()}")
        return
    try:
        _assign(owner, spec, value.item() if isinstance(value, np.generic) else value)
    except (TypeError, ValueError, OverflowError) as error:
        text = f"property {name!r} of {element.get_name()!r} takes {_expected(owner, spec)}, not {value!r}"
        if not (isinstance(error, _IgnoredError) and manners.keeps_going):
            raise PipelineError(text, element.get_name()) from error
        manners.warn(f"{text}; it stays as it is")


class _IgnoredError(ValueError):
    """A value of the right type that GStreamer would refuse with no more than a line in its log."""


def _expected(owner: Any, spec: GObject.ParamSpec) -> str:
    """What a property takes, in words."""
    kind = spec.value_type.name
    if spec.value_type.is_a(GObject.TYPE_ENUM):
        return f"one of {', '.join(value.value_nick for value in _members(owner, spec).values())}"
    words = _WORDS.get(kind, kind)
    return words if not hasattr(spec, "minimum") else f"{words}, {spec.minimum:.12g} to {spec.maximum:.12g}"


def _members(owner: Any, spec: GObject.ParamSpec) -> dict[int, Any]:
    """The members of an enumeration by number; each knows its nick and its name in C."""
    # Newer bindings make the class when a value is read; `spec.enum_class` is C's there.
    return dict(type(owner.get_property(spec.name)).__enum_values__)


def _owner(element: Gst.Element, name: str) -> tuple[Any, GObject.ParamSpec | None]:
    """The object that has the property, which for ``child::name`` is the child, and its specification."""
    if "::" in name and isinstance(element, Gst.ChildProxy):
        child, _, rest = name.rpartition("::")
        owner: Any = element
        for part in child.split("::"):
            owner = owner.get_child_by_name(part) if isinstance(owner, Gst.ChildProxy) else None
        return owner, find_property(owner, rest) if owner is not None else None
    return element, find_property(element, name)


def _assign(owner: Any, spec: GObject.ParamSpec, value: Any) -> None:
    converter = _CONVERTERS.get(spec.value_type.name)
    if converter is not None:
        converted = converter(value)
        if hasattr(spec, "minimum") and not spec.minimum <= converted <= spec.maximum:
            raise _IgnoredError("out of range")
        owner.set_property(spec.name, converted)
    elif spec.value_type.is_a(GObject.TYPE_ENUM):
        owner.set_property(spec.name, _member(owner, spec, value))
    elif isinstance(value, str):
        _parse(owner, spec, value)
    elif isinstance(value, int | float) and not spec.value_type.is_a(GObject.TYPE_FLAGS):
        _parse(owner, spec, str(value))
    else:
        owner.set_property(spec.name, value)


def _member(owner: Any, spec: GObject.ParamSpec, value: Any) -> int:
    """The number of an enumeration's member, given as such, as nick or as name in C."""
    members = _members(owner, spec)
    for number, one in members.items():
        if value in (one.value_nick, one.value_name):
            return number
    if isinstance(value, str) and not value.strip().lstrip("-").isdigit():
        raise _IgnoredError("no name of a member")
    number = as_int(value)
    if number not in members:
        raise _IgnoredError("no number of a member")
    return number


def _parse(owner: Any, spec: GObject.ParamSpec, text: str) -> None:
    parser = {"GstCaps": Gst.Caps.from_string, "GstStructure": Gst.Structure.from_string}.get(
        spec.value_type.name
    )
    if parser is None:
        Gst.util_set_object_arg(owner, spec.name, text)
        return
    parsed = parser(text)
    if isinstance(parsed, tuple):  # some versions give the unread rest as well
        parsed = parsed[0]
    if parsed is None:
        raise ValueError("it cannot be parsed")
    owner.set_property(spec.name, parsed)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return paths.stand_in(value) if isinstance(value, str) else str(value)


def _within(low: int, high: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        number = as_int(value)
        # A negative number for an unsigned property wraps, as C does: programs write -1 for "all".
        return number & high if low == 0 and number < 0 else max(low, min(number, high))

    return convert


_WORDS = {
    **dict.fromkeys(("gint", "guint", "glong", "gulong", "gint64", "guint64"), "a whole number"),
    **dict.fromkeys(("gfloat", "gdouble"), "a number"),
    "gboolean": "true or false",
    "gchararray": "text",
    "GstCaps": "caps such as video/x-raw,width=640",
}
_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "gboolean": as_bool,
    "gchararray": _text,
    "gint": _within(-_INT32, _INT32 - 1),
    "guint": _within(0, _UINT32),
    "glong": as_int,
    "gulong": _within(0, _UINT64),
    "gint64": as_int,
    "guint64": _within(0, _UINT64),
    "gfloat": float,
    "gdouble": float,
}
