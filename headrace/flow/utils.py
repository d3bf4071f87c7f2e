"""Helpers around pipelines: rates, model files, contents of media, frames of media (contract §7)."""

from headrace.flow.media.extractor import MediaChunk, MediaExtractor, VideoFrame
from headrace.flow.media.info import AudioStreamInfo, MediaInfo, VideoStreamInfo
from headrace.flow.monitors.engine_monitor import EngineFileMonitor
from headrace.flow.monitors.perf_monitor import PerfMonitor

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
