"""``headrace elements [NAME]``: Headrace's elements, or the pads and properties of one."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer
from gi.repository import Gst
from rich.markup import escape
from rich.table import Table

from headrace.cli._terminal import errors_in_a_line, out
from headrace.elements import ELEMENTS, element_class, register_all
from headrace.errors import ConfigError
from headrace.gst.face import Face
from headrace.gst.options import bounds_of, kind_of, property_name
from headrace.suggestion import did_you_mean

_UNBOUNDED = 2**31 - 1


def command(
    name: Annotated[
        str | None, typer.Argument(help="Factory name, such as nvtracker; all when left out.")
    ] = None,
) -> None:
    """List the elements, or show one."""
    with errors_in_a_line():
        register_all()
        if name is None:
            _show_all()
        else:
            _show(_find(name))


def _find(name: str) -> type[Face]:
    if name not in ELEMENTS:
        hint = did_you_mean(name, ELEMENTS, ".")
        raise ConfigError(f"Headrace has no element {name!r}{hint} All: {', '.join(ELEMENTS)}")
    return element_class(name)


def _show_all() -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name in ELEMENTS:
        title, kind, text = _metadata(element_class(name))
        table.add_row(f"[bold]{name}[/bold]", escape(title), escape(text), f"[dim]{escape(kind)}[/dim]")
    out.print(table)


def _metadata(element: type[Face]) -> tuple[str, str, str]:
    """Title, classification and description."""
    # PyGObject takes the attributes that a class was declared with; GStreamer knows them.
    factory = Gst.ElementFactory.find(element.factory)
    title, kind, text = (str(factory.get_metadata(key)) for key in ("long-name", "klass", "description"))
    return title, kind, text


def _show(element: type[Face]) -> None:
    title, kind, text = _metadata(element)
    out.print(f"[bold]{element.factory}[/bold]: {escape(title)}. {escape(text)}. [dim]{escape(kind)}[/dim]")
    out.print("\n[bold]pads[/bold]")
    for template in element.__gsttemplates__:
        caps = "any" if template.caps.is_any() else template.caps.to_string()
        pad = f"{template.name_template} ({template.direction.value_nick}, {template.presence.value_nick})"
        out.print(f"  {pad}: [dim]{escape(caps)}[/dim]")
    fields = dataclasses.fields(element.options_type)
    out.print("\n[bold]properties[/bold]")
    out.print(_properties([field for field in fields if not field.metadata["no_effect"]]))
    idle = [field for field in fields if field.metadata["no_effect"]]
    if idle:
        out.print("\n[bold]accepted, without effect here[/bold]")
        out.print(_properties(idle))


def _properties(fields: list[dataclasses.Field[Any]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("name", "type", "default", "range", "description"):
        table.add_column(heading, overflow="fold")
    for field in fields:
        why = field.metadata["no_effect"]
        text = str(field.metadata["help"]) + (f"; no effect here, because {why}" if why else "")
        cells = (property_name(field.name), kind_of(field), _value(field.default), _range(field), text)
        table.add_row(*map(escape, cells))
    return table


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return '""' if value == "" else str(value)


def _range(field: dataclasses.Field[Any]) -> str:
    bounds = bounds_of(field)
    if bounds is None:
        return ""
    low = "" if bounds[0] < -_UNBOUNDED else f"{bounds[0]:g}"
    high = "" if bounds[1] >= _UNBOUNDED else f"{bounds[1]:g}"
    return f"{low}..{high}" if low or high else ""
