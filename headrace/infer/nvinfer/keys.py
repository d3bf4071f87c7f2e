"""Keys of a configuration group: declared once as fields of a frozen dataclass, read from text with clear errors."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from headrace.errors import ConfigError
from headrace.paths import resolve
from headrace.suggestion import did_you_mean

_log = logging.getLogger(__name__)

T = TypeVar("T")


def key(
    default: T,
    help: str,
    *,
    kind: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    aliases: tuple[str, ...] = (),
    no_effect: str = "",
) -> T:
    """One key of a configuration group.

    Args:
        default: Value where the key is missing; its type is the key's type unless `kind` says otherwise.
        help: One line of what it means here.
        kind: ``int``, ``bool``, ``float``, ``text``, ``path``, ``ints``, ``floats`` or ``texts``; the last three
            are lists separated by ``;``.
        minimum: Smallest number.
        maximum: Largest number.
        aliases: Older names of the key.
        no_effect: Why DeepStream's key changes nothing here; empty when it works.
    """
    metadata = {
        "help": help, "kind": kind or _KIND_OF[type(default)], "minimum": minimum, "maximum": maximum,
        "aliases": aliases, "no_effect": no_effect,
    }  # fmt: skip
    return dataclasses.field(default=default, metadata={"key": metadata})


_KIND_OF: dict[type[Any], str] = {bool: "bool", int: "int", float: "float", str: "text"}


@dataclass(frozen=True, slots=True)
class Key:
    """A key as `key` declared it.

    Attributes:
        name: As it is written in files.
        field: Field of the dataclass.
        kind: Type as a word.
        default: Value where it is missing.
        help: What it means.
        minimum: Smallest number, ``None`` for any.
        maximum: Largest number, ``None`` for any.
        no_effect: Why it changes nothing here.
        aliases: Older names.
    """

    name: str
    field: str
    kind: str
    default: Any
    help: str
    minimum: float | None
    maximum: float | None
    no_effect: str
    aliases: tuple[str, ...]

    def parse(self, text: str) -> Any:
        """The value of a text.

        Raises:
            ValueError: The text is not of the key's type, or out of its bounds; says what would be right.
        """
        try:
            value = _PARSERS[self.kind](text.strip())
            for number in value if isinstance(value, tuple) else (value,):
                self._check(number)
        except ValueError as error:
            raise ValueError(f"{text!r} cannot be used: give {self.expected()}") from error
        return value

    def expected(self) -> str:
        """What the key takes, in words."""
        words = _WORDS[self.kind]
        if self.minimum is not None and self.maximum is not None:
            return f"{words}, {self.minimum:g} to {self.maximum:g}"
        return words if self.minimum is None else f"{words}, {self.minimum:g} or more"

    def _check(self, value: Any) -> None:
        if isinstance(value, bool | str):
            return
        if (self.minimum is not None and value < self.minimum) or (
            self.maximum is not None and value > self.maximum
        ):
            raise ValueError("out of bounds")


def keys_of(settings: type[Any], names: Mapping[str, str] | None = None) -> dict[str, Key]:
    """The keys that a dataclass declares, by the name in files (``batch_size`` is ``batch-size``).

    Args:
        settings: A dataclass with fields made by `key`; other fields are left out.
        names: Names in files of fields whose names are not made so.
    """
    found = {}
    for field in dataclasses.fields(settings):
        if "key" in field.metadata:
            name = (names or {}).get(field.name, field.name.replace("_", "-"))
            found[name] = Key(name, field.name, default=field.default, **field.metadata["key"])
    return found


def nearest(name: str, known: Mapping[str, Any]) -> str:
    """``; did you mean 'x'?`` for a name that is like a known one, otherwise nothing."""
    return did_you_mean(name, known, text="; did you mean {!r}?")


def parse_value(key: Key, text: str, where: str) -> Any:
    """The value of a key's text.

    Args:
        key: The key.
        text: As in the file.
        where: File and group, for the message.

    Raises:
        ConfigError: The text cannot be used; names file, group and key.
    """
    try:
        return key.parse(text)
    except ValueError as error:
        raise ConfigError(f"{where} {key.name}={error}") from error


def values_of(path: Path, group: str, texts: Mapping[str, str], keys: Mapping[str, Key]) -> dict[str, Any]:
    """Fields and values of a group; paths start from the file's folder, older names give way to new ones.

    Unknown keys are warned about, once for each file and key.

    Args:
        path: The file.
        group: Name of the group.
        texts: Its keys as they are written.
        keys: What the group can have.

    Raises:
        ConfigError: A text cannot be used; names file, group and key.
    """
    by_name = {name: key for key in keys.values() for name in (*key.aliases, key.name)}
    values: dict[str, Any] = {}
    for name, text in sorted(texts.items(), key=lambda item: item[0] in keys):
        known = by_name.get(name)
        if known is None:
            warn_once(f"{path}: [{group}] has an unknown key {name}{nearest(name, by_name)}")
            continue
        value = parse_value(dataclasses.replace(known, name=name), text, f"{path}: [{group}]")
        values[known.field] = str(resolve(value, path.parent)) if known.kind == "path" and value else value
    return values


@lru_cache(maxsize=1024)
def warn_once(text: str) -> None:
    """Log a warning the first time that it is given."""
    _log.warning("%s", text)


def _bool(text: str) -> bool:
    words = {"true": True, "yes": True, "false": False, "no": False, "": False}
    return words[text.lower()] if text.lower() in words else int(text) != 0


def _list(of: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    return lambda text: tuple(of(part.strip()) for part in text.strip("[] ").split(";") if part.strip())


_PARSERS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "bool": _bool,
    "float": float,
    "text": str,
    "path": str,
    "ints": _list(int),
    "floats": _list(float),
    "texts": _list(str),
}
_WORDS = {
    "int": "a whole number",
    "bool": "0 or 1",
    "float": "a number",
    "text": "text",
    "path": "a path",
    "ints": "whole numbers separated by ;",
    "floats": "numbers separated by ;",
    "texts": "names separated by ;",
}
