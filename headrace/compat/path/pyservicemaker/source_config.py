"""``pyservicemaker.source_config``: sources from files, and how they are recorded."""

from headrace.flow import CameraInfo, RecordConfig, SensorInfo, SourceConfig

__all__ = ["CameraInfo", "RecordConfig", "SensorInfo", "SourceConfig"]
