"""The text files of the tree, from the descriptions in ``tree.yaml``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from posixpath import dirname, relpath
from textwrap import wrap
from typing import Any

import yaml

Groups = Mapping[str, Mapping[str, Any]]

_DESCRIPTIONS = Path(__file__).with_name("tree.yaml")
_LINE = 96
_PLACE = re.compile(r"@([\w./-]+)")


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
    if "text" in entry:
        return head + _relative(entry["text"], place)
    groups = {
        name: {
            key: _relative(value, place) if isinstance(value, str) else value for key, value in keys.items()
        }
        for name, keys in entry["groups"].items()
    }
    return head + (_yaml(groups) if place.endswith(".yml") else _key_file(groups))


def _relative(text: str, place: str) -> str:
    """Text in which files of the tree are named from the folder of ``place``."""
    return _PLACE.sub(lambda match: relpath(match[1], dirname(place)), text)


def _yaml(groups: Groups) -> str:
    return str(yaml.safe_dump(groups, sort_keys=False, width=1000))


def _key_file(groups: Groups) -> str:
    parts = (
        f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in keys.items())
        for name, keys in groups.items()
    )
    return "\n".join(parts)
