"""Tracker options from a DeepStream low-level tracker configuration (``ll-config-file``)."""

from __future__ import annotations

import logging
from pathlib import Path

import yaml
from pydantic import ValidationError

from headrace.errors import ConfigError
from headrace.keyfile import one_line
from headrace.paths import resolve
from headrace.track.options import TrackerOptions

log = logging.getLogger(__name__)


def options_from_yaml(path: str | Path) -> TrackerOptions:
    """Read the keys that `TrackerOptions` has, whatever section they stand in.

    The rest (visual tracking, re-identification, noise models and so on) has no effect here and is named in
    one warning. Sections may be missing, and legacy files with a single section are read alike.

    Raises:
        ConfigError: The file is missing or not YAML, or a value is of the wrong kind or out of range.
    """
    known = {field.validation_alias for field in TrackerOptions.model_fields.values()}
    values: dict[str, object] = {}
    ignored: list[str] = []
    for section, keys in _sections(resolve(path)).items():
        for key, value in (keys if isinstance(keys, dict) else {section: keys}).items():
            if key in known:
                values[key] = value
            else:
                ignored.append(f"{section}.{key}" if isinstance(keys, dict) else str(key))
    if ignored:
        log.warning("%s: no effect in this tracker: %s", path, ", ".join(ignored))
    try:
        return TrackerOptions.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{path}: {first['loc'][0]}: {first['msg']}, got {first['input']!r}") from error


def _sections(path: Path) -> dict[str, object]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        # OpenCV writes "%YAML:1.0", which is not a YAML directive.
        content = yaml.safe_load("\n".join(line for line in lines if not line.startswith("%YAML"))) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"tracker configuration {path} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {one_line(error)}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: sections such as 'TargetManagement:' expected")
    return content
