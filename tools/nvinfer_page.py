"""Write the tables of docs/nvinfer.md from the keys' own declarations.

python tools/nvinfer_page.py
"""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from headrace.infer.attributes import ClassAttributes
from headrace.infer.nvinfer import CLASS_KEYS, PROPERTY_KEYS
from headrace.infer.nvinfer.keys import Key

PAGE = Path(__file__).resolve().parent.parent / "docs" / "nvinfer.md"


def page() -> str:
    """The page with its tables made anew."""
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("keys", keys()), ("idle", idle()), ("classes", classes())):
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        text = before + begin + table + end + rest.partition(end)[2]
    return text


def keys() -> str:
    """Keys of ``[property]`` that work."""
    head = "| key | default | meaning |\n|---|---|---|\n"
    return head + "".join(row(key, key.help) for key in PROPERTY_KEYS.values() if not key.no_effect)


def idle() -> str:
    """Keys that are accepted and change nothing, and why."""
    head = "| key | meaning in DeepStream | why it changes nothing |\n|---|---|---|\n"
    rows = (
        f"| `{key.name}` | {key.help} | {key.no_effect} |\n"
        for key in PROPERTY_KEYS.values()
        if key.no_effect
    )
    return head + "".join(rows)


def classes() -> str:
    """Keys of ``[class-attrs-*]``."""
    head = "| key | default | meaning |\n|---|---|---|\n"
    return head + "".join(row(key, meanings()[key.field]) for key in CLASS_KEYS.values())


def meanings() -> dict[str, str]:
    """What the attributes' docstring says of each field."""
    text = " ".join((ClassAttributes.__doc__ or "").partition("Raises:")[0].split())
    names = "|".join(field.name for field in fields(ClassAttributes))
    parts = re.split(rf"(?:^| )({names}): ", text.partition("Attributes:")[2])
    found = zip(parts[1::2], parts[2::2], strict=True)
    return {name: words.strip().rstrip(".").replace("``", "`") for name, words in found}


def row(key: Key, meaning: str) -> str:
    """One key."""
    older = f" (or `{'`, `'.join(key.aliases)}`)" if key.aliases else ""
    return f"| `{key.name}`{older} | {shown(key.default)} | {meaning} |\n"


def shown(value: object) -> str:
    """A default as it is written in a file."""
    if isinstance(value, tuple):
        value = ";".join(f"{part:g}" for part in value)
    if isinstance(value, bool):
        value = int(value)
    return f"`{value}`" if value not in ("", None) else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
