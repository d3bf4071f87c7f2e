"""Trackers from a DeepStream low-level tracker configuration (``ll-config-file``), or our own short one.

Both are YAML. DeepStream's has sections; which tracker is meant follows from the modules that it switches on. Ours
is flat: ``tracker: botsort`` and options of `TrackerOptions` by their own names.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from headrace.errors import ConfigError
from headrace.keyfile import one_line
from headrace.paths import resolve
from headrace.suggestion import did_you_mean
from headrace.track.options import TrackerOptions

log = logging.getLogger(__name__)

#: DeepStream's low-level libraries by file name; ``None``: the configuration says which tracker.
LIBRARIES: Mapping[str, str | None] = {
    "libnvds_nvmultiobjecttracker.so": None,
    "libnvds_mot_iou.so": "iou",
    "libnvds_mot_klt.so": "dcf",
    "libnvds_nvdcf.so": "dcf",
    "libnvds_tracker.so": "dcf",
    "libnvds_nvdeepsort.so": "deepsort",
}
#: Keys that switch a module on, and the tracker that has such a module; the first that is on decides.
_SWITCHES = (
    ("visualTrackerType", (1, 2), "dcf"),
    ("reidType", (1, 3), "deepsort"),
    ("stateEstimatorType", (1, 2, 3), "cascade"),
)
#: Keys that DeepStream's files have and that need no warning: they say which module, or how it is computed.
_SILENT = {
    "visualTrackerType",
    "reidType",
    "stateEstimatorType",
    "dataAssociatorType",
    "associationMatcherType",
}


class Configuration(NamedTuple):
    """What a file says: the name of a tracker, ``None`` if it leaves that open, and the options."""

    tracker: str | None
    options: TrackerOptions


def read_configuration(path: str | Path) -> Configuration:
    """Read a tracker configuration.

    The keys that `TrackerOptions` has are taken from whatever section they stand in. The rest (noise models, networks
    and so on) has no effect here and is named in one warning, with what may have been meant. Sections may be missing,
    and legacy files with a single section are read alike.

    Raises:
        ConfigError: The file is missing or not YAML, or a value is of the wrong kind or out of range.
    """
    sections = _sections(resolve(path))
    known = {str(field.validation_alias): name for name, field in TrackerOptions.model_fields.items()}
    known |= {name: name for name in TrackerOptions.model_fields}
    values: dict[str, object] = {}
    ignored: list[str] = []
    for section, key, value in _keys(sections):
        if key in known:
            values[known[key]] = value
        elif key not in _SILENT and (section, key) != ("", "tracker"):
            ignored.append(f"{section}.{key}" if section else _hinted(key, known))
    if ignored:
        log.warning("%s: no effect in this tracker: %s", path, ", ".join(ignored))
    try:
        return Configuration(_tracker(sections), TrackerOptions.model_validate(values))
    except ValidationError as error:
        first = error.errors()[0]
        key = str(TrackerOptions.model_fields[str(first["loc"][0])].validation_alias)
        raise ConfigError(f"{path}: {key}: {first['msg']}, got {first['input']!r}") from error


def tracker_for(library: str, configured: str | None) -> str | None:
    """The tracker that a low-level library and a configuration ask for, ``None`` if neither says.

    Example:
        >>> tracker_for("/opt/x/libnvds_mot_iou.so", None), tracker_for("libnvds_nvmultiobjecttracker.so", "dcf")
        ('iou', 'dcf')
    """
    return LIBRARIES.get(Path(library).name) or configured


def _tracker(sections: Mapping[str, Any]) -> str | None:
    if "tracker" in sections:
        return str(sections["tracker"])
    on = {key: value for _, key, value in _keys(sections)}
    for switch, values, name in _SWITCHES:
        if on.get(switch) in values:
            return name
    return "iou" if "DataAssociator" in sections else None


def _keys(sections: Mapping[str, Any]) -> list[tuple[str, str, object]]:
    """Section, key and value of everything; a key outside any section has the section ''."""
    out: list[tuple[str, str, object]] = []
    for section, keys in sections.items():
        if isinstance(keys, dict):
            out.extend((str(section), str(key), value) for key, value in keys.items())
        elif keys is not None:
            out.append(("", str(section), keys))
    return out


def _hinted(key: str, known: Mapping[str, str]) -> str:
    return key + did_you_mean(key, known, text=" (did you mean {}?)", likeness=0.8)


def _sections(path: Path) -> dict[str, Any]:
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
