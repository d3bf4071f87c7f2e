"""The text files of the tree, from the descriptions in ``tree.yaml``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from posixpath import dirname, relpath
from textwrap import wrap
from typing import Any

import yaml

_DESCRIPTIONS = Path(__file__).with_name("tree.yaml")
_LINE = 96
_PLACE = re.compile(r'@([\w./-]+)')


def files() -> dict[str, Callable[[], bytes]]:
    """What makes each file, by its place in the tree."""
    descriptions = yaml.safe_load(_DESCRIPTIONS.read_text(encoding="utf-8"))
    made = {place: _text(place, entry) for entry in descriptions for place in _places(entry)}
    return {place: text.encode for place, text in made.items()}


def _places(entry: Mapping[str, Any]) -> Iterator[str]:
    for place in entry["files"]:
        yield from [place] if PurePosixPath(place).suffix else [f"{place}.txt", f"{place}.yml"]


def _text(place: str, entry: Mapping[str, Any]) -> str:
    head = "".join(f"# {line}\n" for line in wrap(entry.get("about", ""), _LINE))
    body = entry["text"] if "text" in entry else _written(place, entry["groups"])
    return head + _PLACE.sub(lambda match: relpath(match[1], dirname(place)), body)


def _written(place: str, groups: Mapping[str, Mapping[str, Any]]) -> str:
    """Groups of keys in the form that the suffix asks for."""
    if place.endswith(".yml"):
        return yaml.safe_dump(groups, sort_keys=False, width=1000)
    lines = [[f"[{name}]", *(f"{key}={value}" for key, value in keys.items()), ""] for name, keys in groups.items()]
    return "\n".join(line for group in lines for line in group)
