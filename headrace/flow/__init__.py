"""Pipelines: elements by name, links, probes, messages."""

from headrace.flow import osd, postprocessing, utils
from headrace.flow.flow import Flow
from headrace.flow.messages import (
    DynamicSourceMessage,
    EOSMessage,
    ErrorMessage,
    InfoMessage,
    PipelineState,
    SourceEndedMessage,
    StateTransitionMessage,
    WarningMessage,
)
from headrace.flow.node import Node
from headrace.flow.objects import signals as signal
from headrace.flow.objects.factory import CommonFactory, probe, register_probe
from headrace.flow.objects.feeders import Feeder
from headrace.flow.objects.operators import (
    BatchMetadataOperator,
    BufferObserver,
    BufferOperator,
    BufferProvider,
    BufferRetriever,
    Probe,
)
from headrace.flow.objects.receivers import Receiver
from headrace.flow.objects.signals import Emitter, SignalHandler, SourceManager
from headrace.flow.pipeline import Pipeline, ServiceMakerPipeline
from headrace.flow.playing.recording import RecordingInfo
from headrace.flow.source_config import CameraInfo, RecordConfig, SensorInfo, SourceConfig
from headrace.flow.stream import MediaType, RenderMode, StreamInfo

__all__ = [
    "BatchMetadataOperator",
    "BufferObserver",
    "BufferOperator",
    "BufferProvider",
    "BufferRetriever",
    "CameraInfo",
    "CommonFactory",
    "DynamicSourceMessage",
    "EOSMessage",
    "Emitter",
    "ErrorMessage",
    "Feeder",
    "Flow",
    "InfoMessage",
    "MediaType",
    "Node",
    "Pipeline",
    "PipelineState",
    "Probe",
    "Receiver",
    "RecordConfig",
    "RecordingInfo",
    "RenderMode",
    "SensorInfo",
    "ServiceMakerPipeline",
    "SignalHandler",
    "SourceConfig",
    "SourceEndedMessage",
    "SourceManager",
    "StateTransitionMessage",
    "StreamInfo",
    "WarningMessage",
    "osd",
    "postprocessing",
    "probe",
    "register_probe",
    "signal",
    "utils",
]
