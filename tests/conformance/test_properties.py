"""Every property that DeepStream's elements document is there, with its type, default and range, and can be set.

The table holds facts: element, property, kind (``ro``: read only), default (``?``: not documented), bounds.
"""

import csv
import functools
from pathlib import Path

import pytest
from gi.repository import GObject, Gst

import headrace  # noqa: F401 - registers the elements
from headrace.elements import element_class

with (Path(__file__).parent / "properties.tsv").open(newline="") as _file:
    TABLE = list(csv.DictReader(_file, delimiter="\t", restval="", quoting=csv.QUOTE_NONE))

#: GObject types that a program may set like the documented one. Enumerations are numbers here; a pointer is its
#: address, which is what ctypes gives.
TYPES = {
    "uint": {"guint"}, "int": {"gint"}, "int64": {"gint64"}, "uint64": {"guint64"}, "bool": {"gboolean"},
    "str": {"gchararray"}, "float": {"gdouble", "gfloat"}, "enum": {"guint", "gint"}, "pointer": {"guint64"},
}  # fmt: skip

#: Defaults that differ on purpose, and why.
OTHER = {
    # 200 decoded frames are 600 MB of 1080p for each source whose pipeline is slower; DeepStream's decoder ends at
    # the number of its surfaces, an ordinary one does not.
    ("nvurisrcbin", "max-size-buffers"): 1,
    ("nvmultiurisrcbin", "max-size-buffers"): 1,
}


def rows():
    """One parameter for each property."""
    return [pytest.param(row, id=f"{row['element']}-{row['property']}") for row in TABLE]


@functools.cache
def made(factory):
    """One element of each factory; ours, even where DeepStream is installed."""
    return element_class(factory)()


def value(row):
    """The documented default, ``None`` where nobody says one."""
    text, kind = row["default"], row["kind"].split()[0]
    if text == "?" or kind == "pointer":
        return None
    if kind in ("str", "bool"):
        return text if kind == "str" else text == "true"
    return int(text)


@pytest.mark.parametrize("row", rows())
def test_property(row):
    """Type, access, default, range; then it is set, in both spellings."""
    element, name, kind = made(row["element"]), row["property"], row["kind"].split()
    spec = element.find_property(name)
    assert spec is not None, "no such property"
    assert spec.value_type.name in TYPES[kind[0]] or spec.value_type.is_a(GObject.TYPE_ENUM)
    writable = bool(spec.flags & GObject.ParamFlags.WRITABLE)
    assert writable == ("ro" not in kind)
    default = OTHER.get((row["element"], name), value(row))
    if default is not None:
        assert (spec.default_value or type(default)()) == default
    for bound in ("minimum", "maximum"):
        if row[bound]:
            assert getattr(spec, bound) == int(row[bound])
    for spelling in {name, name.replace("-", "_")} if writable else ():
        element.set_property(spelling, element.get_property(spelling))
        set_in_python = getattr(element.props, spelling.replace("-", "_"))
        assert set_in_python == element.get_property(name)


def test_elements_of_the_documentation():
    """Each element of the table can be made by its factory name."""
    for name in {row["element"] for row in TABLE}:
        assert Gst.ElementFactory.make(name, None) is not None, name
