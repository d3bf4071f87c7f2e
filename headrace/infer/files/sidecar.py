"""``MODEL.headrace.yaml``: what a user knows of a model file better than the file and the guesses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from headrace.errors import ConfigError
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import PreprocessOptions
from headrace.paths import resolve

SUFFIX = ".headrace.yaml"
_KEYS = ("decoder", "labels", "input_size", "preprocess", "decoder_options")


def find_sidecar(model: str | Path) -> Path | None:
    """The file beside a model: ``yolo.onnx.headrace.yaml`` or ``yolo.headrace.yaml``; ``None`` when there is none."""
    if "://" in str(model):
        return None
    file = resolve(model)
    for path in (file.with_name(file.name + SUFFIX), file.with_name(file.stem + SUFFIX)):
        if path.is_file():
            return path
    return None


def with_sidecar(options: InferOptions) -> InferOptions:
    """Options with what the file beside the model says where the user said nothing.

    Raises:
        ConfigError: The file cannot be read, or says what cannot be used; names file and key.
    """
    path = find_sidecar(options.model)
    if path is None:
        return options
    said = read_sidecar(path)
    changes: dict[str, Any] = {}
    if options.decoder == "auto" and "decoder" in said:
        changes["decoder"] = said["decoder"]
    for key in ("labels", "input_size"):
        if getattr(options, key) is None and key in said:
            changes[key] = said[key]
    for key in ("preprocess", "decoder_options"):
        given = getattr(options, key, None)
        if key in said and not isinstance(given, PreprocessOptions):
            changes[key] = {**said[key], **(given or {})}
    return replace(options, **changes)


def read_sidecar(path: Path) -> dict[str, Any]:
    """What the file says, with the types that `InferOptions` takes.

    Raises:
        ConfigError: It is no YAML mapping of known keys, or a value has the wrong type.
    """
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(said, dict) or not set(said) <= set(_KEYS):
        unknown = sorted(set(said) - set(_KEYS)) if isinstance(said, dict) else type(said).__name__
        raise ConfigError(f"{path}: {unknown} is not known there; use keys of {', '.join(_KEYS)}")
    return {key: _checked(key, value, path) for key, value in said.items()}


def _checked(key: str, value: Any, path: Path) -> Any:
    if key == "decoder" and isinstance(value, str):
        return value
    if key == "labels" and isinstance(value, str):
        return resolve(value, path.parent)
    if key == "labels" and isinstance(value, list) and value:
        return tuple(map(str, value))
    if (
        key == "input_size"
        and isinstance(value, list)
        and [type(side) for side in value] == [int, int]
        and min(value) > 0
    ):
        return tuple(value)
    if key == "preprocess" and isinstance(value, dict):
        PreprocessOptions().changed(value, f"{path}: preprocess")
        return value
    if key == "decoder_options" and isinstance(value, dict):
        return value
    wanted = {
        "decoder": "a name", "labels": "a list of names, or a file with one on each line",
        "input_size": "[width, height] in pixels", "preprocess": "a mapping", "decoder_options": "a mapping",
    }  # fmt: skip
    raise ConfigError(f"{path}: {key} is {value!r}; expected {wanted[key]}")


def write_sidecar(model: str | Path, said: Mapping[str, Any]) -> Path:
    """Write the file beside a model; one that is there is replaced.

    Args:
        model: The model file.
        said: Values as `read_sidecar` returns them.

    Returns:
        Where it was written.

    Raises:
        ConfigError: The folder cannot be written to, or the model is on a server.
    """
    if "://" in str(model):
        raise ConfigError(
            "a model on a server has no folder to write into; give options, or its server the names"
        )
    file = resolve(model)
    path = file.with_name(file.name + SUFFIX)
    text = yaml.safe_dump(dict(said), sort_keys=False, default_flow_style=None, allow_unicode=True, width=110)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"cannot write {path}: {error.strerror}; check folder, permissions and space"
        ) from error
    return path
