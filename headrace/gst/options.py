"""Options of an element, declared once, as a frozen dataclass.

From the fields come the GObject properties, what ``gst-inspect-1.0`` and ``headrace elements`` show, and the
bounds checks.
"""

from __future__ import annotations

import dataclasses
import keyword
from typing import Any, TypeVar

from gi.repository import GObject

from headrace.errors import ConfigError

_INT_RANGE = (-(2**31), 2**31 - 1)
_UINT_RANGE = (0, 2**32 - 1)
T = TypeVar("T")


def option(
    default: T,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    kind: str = "",
    no_effect: str = "",
    read_only: bool = False,
) -> T:
    """One option of an element.

    Args:
        default: Default value; its type is the option's type.
        help: One line for the reference.
        minimum: Smallest value of a number; whole numbers without one are unsigned if the default is not
            negative.
        maximum: Largest value of a number.
        kind: ``int``, ``uint``, ``int64``, ``uint64``, ``bool``, ``float`` or ``str``; derived from the default
            when left out.
        no_effect: Why DeepStream's property of this name changes nothing here; empty when it works.
        read_only: Whether it is the element that says the value; its `Face.do_get_property` answers, or it
            replaces its options.
    """
    metadata = {
        "help": help, "minimum": minimum, "maximum": maximum, "kind": kind,
        "no_effect": no_effect, "read_only": read_only,
    }  # fmt: skip
    return dataclasses.field(default=default, metadata=metadata)


def property_name(field: str) -> str:
    """``batch_size`` → ``batch-size``; ``async_`` → ``async``, which is no name in Python."""
    return field.rstrip("_").replace("_", "-")


def field_name(property: str) -> str:
    """The other way round."""
    name = property.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def kind_of(field: dataclasses.Field[Any]) -> str:
    """The option's type as a word."""
    if field.metadata["kind"]:
        return str(field.metadata["kind"])
    if isinstance(field.default, bool):
        return "bool"
    if isinstance(field.default, int):
        minimum = field.metadata["minimum"]
        return "uint" if field.default >= 0 and (minimum is None or minimum >= 0) else "int"
    return "float" if isinstance(field.default, float) else "str"


def bounds_of(field: dataclasses.Field[Any]) -> tuple[float, float] | None:
    """Smallest and largest value of a numeric option, ``None`` for the others."""
    kind = kind_of(field)
    default_range: dict[str, tuple[float, float]] = {
        "int": _INT_RANGE,
        "uint": _UINT_RANGE,
        "int64": (-(2**63), 2**63 - 1),
        "uint64": (0, 2**64 - 1),
        "float": (-3.4e38, 3.4e38),
    }
    if kind not in default_range:
        return None
    low, high = default_range[kind]
    minimum, maximum = field.metadata["minimum"], field.metadata["maximum"]
    return (low if minimum is None else minimum, high if maximum is None else maximum)


def gobject_properties(options: type[Any]) -> dict[str, tuple[Any, ...]]:
    """The ``__gproperties__`` of an options dataclass."""
    types = {
        "bool": bool, "int": int, "uint": GObject.TYPE_UINT,
        "int64": GObject.TYPE_INT64, "uint64": GObject.TYPE_UINT64,
    }  # fmt: skip
    access = {True: GObject.ParamFlags.READABLE, False: GObject.ParamFlags.READWRITE}
    properties: dict[str, tuple[Any, ...]] = {}
    for field in dataclasses.fields(options):
        kind = kind_of(field)
        gtype = types.get(kind, float if kind == "float" else str)
        bounds = bounds_of(field) or ()
        help = str(field.metadata["help"])
        if field.metadata["no_effect"]:
            help = f"{help} (no effect here: {field.metadata['no_effect']})"
        name = property_name(field.name)
        properties[name] = (gtype, name, help, *bounds, field.default, access[field.metadata["read_only"]])
    return properties


def with_value(options: T, field: str, value: Any) -> T:
    """A copy of the options with one field set.

    Raises:
        ConfigError: No such option, or the value is out of its bounds.
    """
    known = {f.name: f for f in dataclasses.fields(options)}  # type: ignore[arg-type]
    if field not in known:
        raise ConfigError(f"{type(options).__name__} has no option {property_name(field)!r}")
    bounds = bounds_of(known[field])
    if bounds and not bounds[0] <= value <= bounds[1]:
        raise ConfigError(f"{property_name(field)}={value} is outside {bounds[0]}..{bounds[1]}")
    if value is None and kind_of(known[field]) == "str":
        value = ""
    return dataclasses.replace(options, **{field: value})  # type: ignore[type-var]
