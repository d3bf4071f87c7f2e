"""``pyservicemaker.utils``: the native helpers and those for media, as one module."""

from headrace.flow.utils import (
    AudioStreamInfo,
    EngineFileMonitor,
    MediaChunk,
    MediaExtractor,
    MediaInfo,
    PerfMonitor,
    VideoFrame,
    VideoStreamInfo,
)

__all__ = [
    "AudioStreamInfo",
    "EngineFileMonitor",
    "MediaChunk",
    "MediaExtractor",
    "MediaInfo",
    "PerfMonitor",
    "VideoFrame",
    "VideoStreamInfo",
]
