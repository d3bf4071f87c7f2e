"""Configuration files of groups and keys, as DeepStream's elements read them: GLib key files and YAML."""

from __future__ import annotations

import configparser
import os
from pathlib import Path

import yaml

from headrace.errors import ConfigError

#: Group name to keys; every value is text, lists are separated by ``;``.
Groups = dict[str, dict[str, str]]
YAML_SUFFIXES = (".yml", ".yaml")


def read_groups(path: str | os.PathLike[str], what: str = "configuration") -> Groups:
    """Read a file of groups; YAML by its suffix, anything else is a key file.

    Both forms give the same: YAML booleans become ``1`` and ``0``, its sequences lists with ``;``.

    Args:
        path: The file.
        what: What the file is, for messages.

    Raises:
        ConfigError: The file cannot be read or is malformed.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{what} {path} cannot be read: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{what} {path} is no text: {error.reason} at byte {error.start}; write UTF-8"
        ) from error
    return parse_yaml(path, text) if path.suffix.lower() in YAML_SUFFIXES else parse_keyfile(path, text)


def parse_keyfile(path: Path, text: str) -> Groups:
    """The groups of a GLib key file.

    Raises:
        ConfigError: The text is no key file; names the file and the line.
    """
    parser = configparser.ConfigParser(
        delimiters=("=",), comment_prefixes=("#",), interpolation=None, strict=False, default_section="\n"
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    # A key file has no continuation lines: leading blanks must not join a line to the one before.
    flat = "\n".join(line.strip() for line in text.splitlines())
    try:
        parser.read_string(flat, str(path))
    except configparser.Error as error:
        raise ConfigError(
            f"{path} is not a key file; write [group] and key=value lines: {one_line(error)}"
        ) from error
    return {name: dict(parser[name]) for name in parser.sections()}


def parse_yaml(path: Path, text: str) -> Groups:
    """The groups of a YAML file of the same content.

    Raises:
        ConfigError: The text is no YAML, or no groups of keys.
    """
    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {one_line(error)}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: groups of keys expected, got {type(content).__name__}")
    groups: Groups = {}
    for name, keys in content.items():
        if keys is not None and not isinstance(keys, dict):
            raise ConfigError(f"{path}: [{name}] must hold keys, got {keys!r}")
        groups[str(name)] = {str(key): _text(value) for key, value in (keys or {}).items()}
    return groups


def one_line(error: Exception) -> str:
    """What a library said over several lines, for a message of one."""
    return " ".join(str(error).split())


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list | tuple):
        return ";".join(_text(item) for item in value)
    return "" if value is None else str(value)
