"""Write docs/elements.md from the elements' own declarations.

python tools/elements_page.py
"""

from __future__ import annotations

import dataclasses
import sys
import textwrap
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")

from gi.repository import Gst  # noqa: E402 - the version must be chosen first

from headrace.elements import ELEMENTS, element_class  # noqa: E402
from headrace.gst.face import Face  # noqa: E402
from headrace.gst.options import bounds_of, kind_of, property_name  # noqa: E402

PAGE = Path(__file__).resolve().parent.parent / "docs" / "elements.md"

HEAD = """\
# Elements

Made by `tools/elements_page.py` from the elements' declarations; do not edit.

An element that has a counterpart in NVIDIA DeepStream carries its factory name and its property names; what has none
begins with `hr`. Where DeepStream is installed, its own elements stay and only the `hr` ones are added. The same text
is in `gst-inspect-1.0 ELEMENT` under `eval "$(headrace env)"`, and in `headrace elements`.
"""


def page() -> str:
    """The whole page."""
    index = "\n".join(
        f"| [`{name}`](#{name}) | {docstring_of(element_class(name))[0]} |" for name in sorted(ELEMENTS)
    )
    parts = [HEAD, f"| element | what it does |\n|---|---|\n{index}\n"]
    return "\n".join([*parts, *(section(name) for name in sorted(ELEMENTS))])


def section(factory: str) -> str:
    """One element."""
    face = element_class(factory)
    summary, usage = docstring_of(face)
    parts = [f"## {factory}\n", f"{summary}\n"]
    if usage:
        parts.append(f"```sh\n{usage}\n```\n")
    parts += [pads(face), properties(face)]
    return "\n".join(part for part in parts if part)


def docstring_of(face: type[Face]) -> tuple[str, str]:
    """What the module says of the element: text, and the command lines."""
    text = sys.modules[face.__module__].__doc__ or ""
    paragraphs = text.partition(": ")[2].split("\n\n")
    usage = [p for p in paragraphs if p.lstrip().startswith("gst-launch")]
    prose = " ".join(" ".join(p.split()) for p in paragraphs if p not in usage)
    return prose[:1].upper() + prose[1:], textwrap.dedent("\n".join(usage)).rstrip()


def pads(face: type[Face]) -> str:
    """The pad templates as a line; empty for elements whose pads come from their base class alone."""
    words = [
        f"`{pad.name_template}` ({pad.direction.value_nick}, {presence(pad)})"
        for pad in face.__gsttemplates__
    ]
    return f"Pads: {', '.join(words)}.\n" if words else ""


def presence(pad: Gst.PadTemplate) -> str:
    """When the pad is there."""
    return str(pad.presence.value_nick)


def properties(face: type[Face]) -> str:
    """Table of the properties that work, and the list of those that are accepted only."""
    fields = dataclasses.fields(face.options_type)
    rows = [row(field) for field in fields if not field.metadata["no_effect"]]
    idle = [
        f"`{property_name(field.name)}` ({field.metadata['no_effect']})"
        for field in fields
        if field.metadata["no_effect"]
    ]
    text = ""
    if rows:
        text = "| property | type | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    if idle:
        listed = textwrap.fill(", ".join(idle), 118, break_long_words=False, break_on_hyphens=False)
        text += f"\nAccepted, without effect here:\n{listed}.\n"
    return text


def row(field: dataclasses.Field[Any]) -> str:
    """One property."""
    name, kind, help = property_name(field.name), kind_of(field), str(field.metadata["help"])
    limits = (field.metadata["minimum"], field.metadata["maximum"])
    if None not in limits:
        kind += f", {limits[0]:g} to {limits[1]:g}"
    elif (bounds := bounds_of(field)) and limits[0] not in (None, 0):
        kind += f", from {bounds[0]:g}"
    elif limits[1] is not None:
        kind += f", to {limits[1]:g}"
    default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return f"| `{name}` | {kind} | {f'`{default}`' if default else 'empty'} | {help.replace('|', chr(92) + '|')} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
