"""The message converter's configuration: which sensor, place and analytics module an index stands for."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from headrace.errors import ConfigError
from headrace.keyfile import Groups, read_groups
from headrace.meta.event import Coordinate, Location
from headrace.paths import resolve
from headrace.suggestion import did_you_mean

log = logging.getLogger(__name__)

KEYS = {
    "sensor": ("type", "id", "location", "description", "coordinate"),
    "place": ("id", "type", "name", "location", "coordinate", *(f"place-sub-field{i}" for i in (1, 2, 3))),
    "analytics": ("id", "description", "source", "version"),
}
CSV_COLUMNS = ("sensor-id", "description", "field1", "field2", "field3")


@dataclass(frozen=True, slots=True)
class Sensor:
    """A camera or other sensor."""

    id: str = ""
    type: str = ""
    description: str = ""
    location: Location = field(default_factory=Location)
    coordinate: Coordinate = field(default_factory=Coordinate)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sensor is; the three sub-fields mean what the type of the event says."""

    id: str = ""
    name: str = ""
    type: str = ""
    location: Location = field(default_factory=Location)
    coordinate: Coordinate = field(default_factory=Coordinate)
    sub_fields: tuple[str, str, str] = ("", "", "")


@dataclass(frozen=True, slots=True)
class AnalyticsModule:
    """What found the event."""

    id: str = ""
    description: str = ""
    source: str = ""
    version: str = ""


Entry = TypeVar("Entry", Sensor, Place, AnalyticsModule)


@dataclass
class MsgConvConfig:
    """Sensors, places and analytics modules by index (contract: message converter config).

    Example:
        >>> config = MsgConvConfig(sensors={0: Sensor(id="dock-cam-07")})
        >>> config.sensor(0).id, config.sensor(5)
        ('dock-cam-07', None)
    """

    sensors: Mapping[int, Sensor] = field(default_factory=dict)
    places: Mapping[int, Place] = field(default_factory=dict)
    modules: Mapping[int, AnalyticsModule] = field(default_factory=dict)
    _warned: set[str] = field(default_factory=set, repr=False)

    @classmethod
    def load(cls, path: str | Path) -> MsgConvConfig:
        """Read a key file, YAML (``.yml``, ``.yaml``) or CSV (``.csv``), chosen by the suffix.

        Groups without ``enable=1`` are left out; keys that mean nothing here are warned about.

        Raises:
            ConfigError: The file is missing or malformed; names file, group and key.
        """
        path = resolve(path)
        read = _read_csv if path.suffix.lower() == ".csv" else read_groups
        return _build(path, read(path, "message converter configuration"))

    def sensor(self, index: int) -> Sensor | None:
        """The sensor of that index; ``None``, warned about once, when the file has none."""
        return self._entry(self.sensors, "sensor", index)

    def place(self, index: int) -> Place | None:
        """The place of that index, as with `sensor`."""
        return self._entry(self.places, "place", index)

    def module(self, index: int) -> AnalyticsModule | None:
        """The analytics module of that index, as with `sensor`."""
        return self._entry(self.modules, "analytics", index)

    def _entry(self, entries: Mapping[int, Entry], kind: str, index: int) -> Entry | None:
        entry = entries.get(index)
        name = f"{kind}{index}"
        if entry is None and name not in self._warned:
            self._warned.add(name)
            log.warning("No entry for %s in configuration file; its member is null in messages", name)
        return entry


def _read_csv(path: Path, what: str) -> Groups:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{what} {path} cannot be read: {error}") from error
    rows = list(csv.DictReader(text.splitlines(), skipinitialspace=True))
    groups: Groups = {}
    for number, row in enumerate(rows):
        missing = [name for name in CSV_COLUMNS if row.get(name) is None]
        if missing:
            raise ConfigError(f"{path}: row {number + 2} lacks {', '.join(missing)}, see the header")
        camera = (row.get("cameraId") or "").strip()
        index = int(camera) if camera.isdecimal() else number
        sub = {f"place-sub-field{i}": row[f"field{i}"] for i in (1, 2, 3)}
        groups[f"sensor{index}"] = {"enable": "1", "id": row["sensor-id"], "description": row["description"]}
        groups[f"place{index}"] = {"enable": "1", **sub}
    return groups


def _build(path: Path, groups: Groups) -> MsgConvConfig:
    found: dict[str, dict[int, dict[str, str]]] = {kind: {} for kind in KEYS}
    for name, keys in groups.items():
        match = re.fullmatch(r"(sensor|place|analytics)(\d+)", name)
        if match is None:
            log.warning("%s: [%s] has no meaning here; sensor<N>, place<N>, analytics<N> have", path, name)
            continue
        for key in keys.keys() - {"enable", *KEYS[match[1]]}:
            hint = did_you_mean(key, KEYS[match[1]], text="; did you mean {}?")
            log.warning("%s: [%s] %s has no meaning here%s", path, name, key, hint)
        if _enabled(path, name, keys):
            found[match[1]][int(match[2])] = keys | {"": name}
    return MsgConvConfig(
        {i: _sensor(path, keys) for i, keys in found["sensor"].items()},
        {i: _place(path, keys) for i, keys in found["place"].items()},
        {i: _module(keys) for i, keys in found["analytics"].items()},
    )


def _enabled(path: Path, group: str, keys: dict[str, str]) -> bool:
    value = keys.get("enable", "0").strip()
    if not re.fullmatch(r"-?\d+", value):
        raise ConfigError(f"{path}: [{group}] enable: 0 or 1 expected, got {value!r}")
    return int(value) != 0


def _sensor(path: Path, keys: dict[str, str]) -> Sensor:
    text = {name: keys.get(name, "") for name in ("id", "type", "description")}
    location, coordinate = _numbers(path, keys, "location"), _numbers(path, keys, "coordinate")
    return Sensor(**text, location=Location(*location), coordinate=Coordinate(*coordinate))


def _place(path: Path, keys: dict[str, str]) -> Place:
    text = {name: keys.get(name, "") for name in ("id", "name", "type")}
    location, coordinate = _numbers(path, keys, "location"), _numbers(path, keys, "coordinate")
    one, two, three = (keys.get(f"place-sub-field{i}", "") for i in (1, 2, 3))
    return Place(
        **text, location=Location(*location), coordinate=Coordinate(*coordinate), sub_fields=(one, two, three)
    )


def _module(keys: dict[str, str]) -> AnalyticsModule:
    return AnalyticsModule(*(keys.get(name, "") for name in KEYS["analytics"]))


def _numbers(path: Path, keys: dict[str, str], key: str) -> tuple[float, float, float]:
    parts = [part.strip() for part in keys.get(key, "0;0;0").rstrip("; ").split(";")]
    try:
        one, two, three = (float(part) for part in parts)
    except ValueError as error:
        raise ConfigError(
            f"{path}: [{keys['']}] {key}: three numbers separated by ';' expected, got {keys[key]!r}"
        ) from error
    return one, two, three
