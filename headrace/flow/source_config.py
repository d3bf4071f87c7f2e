"""Sources and cameras from a YAML file, and how sources are recorded (contract §8)."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import yaml

from headrace.errors import ConfigError
from headrace.keyfile import one_line
from headrace.paths import resolve

_log = logging.getLogger(__name__)
T = TypeVar("T")
_BROKER = ("proto_lib", "conn_str", "msgconv_config_file", "proto_config_file", "topic_list")


@dataclass
class SensorInfo:
    """A source with the names it goes by in messages.

    Example:
        >>> SensorInfo("gate-1", "Gate", "rtsp://camera/1").sensor_id
        'gate-1'
    """

    sensor_id: str
    sensor_name: str
    uri: str


@dataclass
class CameraInfo:
    """A camera of this machine.

    Attributes:
        camera_type: ``V4L2`` or ``CSI``.
        camera_video_format: Pixel format.
        camera_width: Pixels.
        camera_height: Pixels.
        camera_fps_n: Frames per second, over `camera_fps_d`.
        camera_fps_d: See `camera_fps_n`.
        camera_csi_sensor_id: Number of a CSI camera.
        camera_v4l2_dev_node: Number of a V4L2 camera, as in ``/dev/video0``.
        gpu_id: Of the converter, like the next two.
        nvbuf_mem_type: Kind of memory.
        nvvideoconvert_copy_hw: What copies.

    Example:
        >>> CameraInfo("V4L2", camera_v4l2_dev_node=0).camera_video_format
        'NV12'
    """

    camera_type: str = ""
    camera_video_format: str = "NV12"
    camera_width: int = 0
    camera_height: int = 0
    camera_fps_n: int = 0
    camera_fps_d: int = 0
    camera_csi_sensor_id: int | None = None
    camera_v4l2_dev_node: int | None = None
    gpu_id: int = 0
    nvbuf_mem_type: int = 0
    nvvideoconvert_copy_hw: int = 0


class SourceConfig:
    """Sources or cameras, and the element that reads them.

    Attributes:
        sensor_list: Sources.
        camera_list: Cameras.
        source_type: ``nvurisrcbin``, ``nvmultiurisrcbin`` or, with cameras, ``camerabin``.
        source_properties: Properties of the element.

    Example:
        >>> SourceConfig().source_type
        'nvurisrcbin'
    """

    def __init__(self) -> None:
        self.sensor_list: list[SensorInfo] = []
        self.camera_list: list[CameraInfo] = []
        self.source_type = "nvurisrcbin"
        self.source_properties: dict[str, Any] = {}

    def load(self, file: str | os.PathLike[str]) -> SourceConfig:
        """Read a YAML file with ``source-list`` or ``camera-list``, and ``source-config``; returns itself.

        Raises:
            ConfigError: The file cannot be read, or an entry lacks its address.
        """
        content = _read(file)
        config = content.get("source-config") or {}
        if not isinstance(config, dict):
            raise ConfigError(f"{file}: source-config must hold keys, got {config!r}")
        self.sensor_list = [_sensor(file, i, entry) for i, entry in _entries(file, content, "source-list")]
        cameras = _entries(file, content, "camera-list")
        self.camera_list = [_record(CameraInfo, f"{file}, camera-list[{i}]", entry) for i, entry in cameras]
        self.source_type = "camerabin" if self.camera_list else str(config.get("source-bin", "nvurisrcbin"))
        self.source_properties = dict(config.get("properties") or {})
        if not self.sensor_list and not self.camera_list and self.source_type != "nvmultiurisrcbin":
            raise ConfigError(f"{file} has no sources: write a source-list or a camera-list")
        return self


@dataclass
class RecordConfig:
    """How sources are recorded.

    Attributes:
        recording_type: ``local``, recorded when the program says so, or ``cloud``, when a message does.
        proto_lib: Broker's library, for ``cloud`` like the next four.
        conn_str: Broker's address.
        msgconv_config_file: Names of the sensors that messages speak of.
        proto_config_file: Settings of the broker.
        topic_list: Topics to listen to.
        rec_cache: Seconds that are kept for recordings that begin in the past.
        rec_container: 0 for MP4, 1 for MKV.
        rec_dir_path: Folder for the files.
        rec_mode: 0 for sound and pictures, 1 for pictures, 2 for sound.

    Raises:
        ValueError: The type is unknown, or ``cloud`` lacks one of the broker's fields.

    Example:
        >>> RecordConfig(rec_cache=5).source_properties()["smart-rec-cache"]
        5
    """

    recording_type: str = "local"
    proto_lib: str | None = None
    conn_str: str | None = None
    msgconv_config_file: str | None = None
    proto_config_file: str | None = None
    topic_list: str | None = None
    rec_cache: int = 20
    rec_container: int = 0
    rec_dir_path: str = "."
    rec_mode: int = 0

    def __post_init__(self) -> None:
        if self.recording_type not in ("local", "cloud"):
            raise ConfigError(f"recording_type is 'local' or 'cloud', not {self.recording_type!r}")
        missing = [name for name in _BROKER if not getattr(self, name)]
        if self.recording_type == "cloud" and missing:
            raise ConfigError(f"recording from the cloud needs {', '.join(missing)}")

    def source_properties(self) -> dict[str, Any]:
        """Properties of a source that is recorded."""
        return {
            "smart-record": 1 if self.recording_type == "cloud" else 2,
            "smart-rec-cache": self.rec_cache,
            "smart-rec-container": self.rec_container,
            "smart-rec-dir-path": self.rec_dir_path,
            "smart-rec-mode": self.rec_mode,
        }

    def broker_properties(self) -> dict[str, Any]:
        """Properties of what listens to the broker."""
        return {name.replace("_", "-"): getattr(self, name) for name in _BROKER}


def _read(file: str | os.PathLike[str]) -> dict[str, Any]:
    try:
        content = yaml.safe_load(resolve(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the source configuration {file} cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is not YAML: {one_line(error)}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: a source-list or camera-list expected")
    return content


def _entries(
    file: str | os.PathLike[str], content: Mapping[str, Any], key: str
) -> list[tuple[int, Mapping[str, Any]]]:
    entries = content.get(key) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError(f"{file}: {key} must be a list of keys, got {entries!r}")
    return list(enumerate(entries))


def _sensor(file: str | os.PathLike[str], index: int, entry: Mapping[str, Any]) -> SensorInfo:
    if not entry.get("uri"):
        raise ConfigError(f"{file}, source-list[{index}] has no uri")
    names = {"sensor-id": f"sensor{index}", "sensor-name": f"sensor{index}"}
    given = {key: str(value) for key, value in entry.items()}
    return _record(SensorInfo, f"{file}, source-list[{index}]", {**names, **given})


def _record(kind: type[T], place: str, entry: Mapping[str, Any]) -> T:
    known = {field.name.replace("_", "-"): field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = ", ".join(key for key in entry if key not in known)
    if unknown:
        _log.warning("%s: %s is not known and ignored; keys: %s", place, unknown, ", ".join(known))
    return kind(**{known[key]: value for key, value in entry.items() if key in known})
